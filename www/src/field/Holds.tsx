/** Holds stand on top of the record; a collector may raise one, never lift one. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Flag } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { Dialog, Field, Select } from "../ui/parts";
import type { OpenRecord } from "./useRecord";

const FLAGS: readonly Flag[] = [
  "dispute",
  "complaint",
  "attorney",
  "vulnerable",
  "cease_contact",
  "active_plan",
  "bankruptcy",
  "deceased",
  "bereavement",
];

export function Holds({ record }: { record: OpenRecord }): JSX.Element | null {
  const { flags } = record.view.case;
  if (flags.length === 0) return null;
  return (
    <section role="alert" class="bg-error text-error-content rounded-box p-4">
      <h2 class="font-semibold">{t("rec/holds")}</h2>
      <ul class="text-sm">
        {flags.map((hold) => (
          <li key={`${hold.flag}.${hold.by}`}>
            {t("rec/hold_by", { flag: word("flag", hold.flag), by: hold.by })}
            {hold.note && ` · ${hold.note}`}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The way to raise one, and its dialog. */
export function RaiseHoldButton({ record }: { record: OpenRecord }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="btn btn-sm btn-ghost min-h-11" onClick={() => setOpen(true)}>
        {t("rec/hold_raise")}
      </button>
      {open && <RaiseHold record={record} onClose={() => setOpen(false)} />}
    </>
  );
}

function RaiseHold({ record, onClose }: { record: OpenRecord; onClose: () => void }): JSX.Element {
  const [flag, setFlag] = useState<Flag | "">("");
  const [note, setNote] = useState("");
  const raise = async (): Promise<void> => {
    if (flag === "") return;
    if (await record.apply({ do: "raise_hold", flag, since: Date.now(), until: null, note: note.trim() })) onClose();
  };
  return (
    <Dialog
      title={t("rec/hold_raise")}
      onClose={onClose}
      actions={
        <button type="button" class="btn btn-primary" disabled={flag === ""} onClick={() => void raise()}>
          {t("rec/hold_raise")}
        </button>
      }
    >
      <Select<Flag>
        label={t("rec/hold_kind")}
        options={FLAGS}
        value={flag}
        word={(option) => word("flag", option)}
        onChange={setFlag}
      />
      <Field label={t("rec/hold_note")}>
        {(id) => (
          <textarea
            id={id}
            class="textarea w-full"
            rows={3}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}
