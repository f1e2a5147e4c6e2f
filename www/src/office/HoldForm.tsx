/** The holds of a record, with forms that place and lift them. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Flag } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Dialog, Field, Select } from "../ui/components";
import { HOLDS } from "../ui/holds";
import { type Apply, inputTime, SubmitResult, useUnloadWarning, useSubmit, type FormProps } from "./formDraft";

export function Holds({ view, apply, writes }: FormProps): JSX.Element {
  const { flags, zone } = view.case;
  const [lifting, setLifting] = useState<Flag | null>(null);
  const kinds = HOLDS.filter((flag) => flags.some((hold) => hold.flag === flag));
  return (
    <>
      {kinds.length > 0 && (
        <section
          aria-label={t("record/holds")}
          class="bg-error text-error-content rounded-box flex flex-col gap-3 p-4"
          data-testid="holds"
        >
          <h2 class="font-semibold">{t("record/holds")}</h2>
          {kinds.map((kind) => (
            <div key={kind} class="flex flex-wrap items-center gap-3">
              <ul class="min-w-0 grow">
                {flags
                  .filter((hold) => hold.flag === kind)
                  .map((hold) => (
                    <li key={hold.by}>
                      {t("record/hold_by", { flag: word("flag", kind), by: hold.by })} ·{" "}
                      {hold.until === null
                        ? t("office/since", { since: formatDateTime(hold.since, zone) })
                        : t("office/since_until", {
                            since: formatDateTime(hold.since, zone),
                            until: formatDateTime(hold.until, zone),
                          })}
                      {hold.note && ` · ${hold.note}`}
                    </li>
                  ))}
              </ul>
              {writes && (
                <button
                  type="button"
                  class="btn btn-sm min-h-11"
                  aria-label={`${t("office/lift")}: ${word("flag", kind)}`}
                  onClick={() => setLifting(kind)}
                >
                  {t("office/lift")}
                </button>
              )}
            </div>
          ))}
        </section>
      )}
      {writes && <PlaceHold apply={apply} zone={zone} />}
      {lifting && <LiftDialog flag={lifting} apply={apply} onClose={() => setLifting(null)} />}
    </>
  );
}

/** Lifting a hold allows contact again, so it needs confirmation. */
function LiftDialog({ flag, apply, onClose }: { flag: Flag; apply: Apply; onClose: () => void }): JSX.Element {
  const submit = useSubmit(apply);
  const lift = async (): Promise<void> => {
    if (await submit.send({ do: "lift_hold", flag })) onClose();
  };
  return (
    <Dialog
      title={t("office/lift_title", { flag: word("flag", flag) })}
      onClose={onClose}
      actions={
        <button type="button" class="btn btn-primary" disabled={submit.busy} onClick={() => void lift()}>
          {t("office/lift_now")}
        </button>
      }
    >
      <p>{t("office/lift_text")}</p>
      <SubmitResult submit={submit} quiet />
    </Dialog>
  );
}

function PlaceHold({ apply, zone }: { apply: Apply; zone: string }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [flag, setFlag] = useState<Flag | "">("");
  const [until, setUntil] = useState("");
  const [note, setNote] = useState("");
  const [validated, setValidated] = useState(false);
  const submit = useSubmit(apply);
  useUnloadWarning(open && (note !== "" || flag !== ""));
  const end = inputTime(until, zone);
  const past = end !== null && end <= Date.now();
  const raise = async (): Promise<void> => {
    setValidated(true);
    if (!flag || past) return;
    const sent = { do: "raise_hold", flag, since: Date.now(), until: end, note: note.trim() } as const;
    if (!(await submit.send(sent))) return;
    setOpen(false);
    setFlag("");
    setUntil("");
    setNote("");
    setValidated(false);
  };
  if (!open) {
    return (
      <button type="button" class="btn btn-outline self-start" onClick={() => setOpen(true)}>
        {t("record/hold_raise")}
      </button>
    );
  }
  return (
    <Dialog
      title={t("record/hold_raise")}
      onClose={() => setOpen(false)}
      actions={
        <button type="button" class="btn btn-primary" disabled={submit.busy} onClick={() => void raise()}>
          {t("office/raise_now")}
        </button>
      }
    >
      <Select
        label={t("record/hold_kind")}
        options={HOLDS}
        value={flag}
        empty={t("office/choose")}
        word={(option) => word("flag", option)}
        onChange={setFlag}
      />
      {validated && !flag && (
        <p role="alert" class="text-error text-sm">
          {t("office/need_kind")}
        </p>
      )}
      <Field
        label={t("office/until")}
        hint={t("appointment/zone", { zone })}
        error={validated && past ? t("office/need_future") : undefined}
      >
        {(id, described) => (
          <input
            id={id}
            aria-describedby={described}
            type="datetime-local"
            class="input w-full"
            value={until}
            onInput={(event) => setUntil(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label={t("record/hold_note")}>
        {(id) => (
          <textarea
            id={id}
            rows={3}
            class="textarea w-full"
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        )}
      </Field>
      <SubmitResult submit={submit} quiet />
    </Dialog>
  );
}
