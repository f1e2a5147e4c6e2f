/** Holds of a record: a banner on top, and the dialog that places one. Only the office lifts holds. */
import { OctagonAlert } from "lucide-preact";
import type { JSX } from "preact";
import type { Flag, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, Choices, Dialog, TextField } from "../ui/components";
import { HOLDS } from "../ui/holds";
import { DraftNotice } from "./DraftNotices";
import { useForm } from "./useForm";
import type { OpenRecord } from "./useRecord";

export function HoldsBanner({ view }: { view: VisitView }): JSX.Element | null {
  const { flags, zone } = view.case;
  if (flags.length === 0) return null;
  return (
    <section role="alert" class="bg-error text-error-content rounded-box flex gap-3 p-4">
      <OctagonAlert class="mt-0.5 size-6 shrink-0" aria-hidden="true" />
      <div class="flex flex-col gap-1">
        <h2 class="text-[1.0625rem] leading-snug font-semibold">{t("record/holds")}</h2>
        <ul class="flex flex-col gap-1.5 text-sm leading-relaxed">
          {flags.map((hold) => (
            <li key={`${hold.flag}.${hold.by}`}>
              <span class="font-medium">{t("record/hold_by", { flag: word("flag", hold.flag), by: hold.by })}</span>
              {hold.until !== null && ` · ${t("record/hold_until", { at: formatDateTime(hold.until, zone) })}`}
              {hold.note && <span class="block">{hold.note}</span>}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

export function HoldDialog({ record, onClose }: { record: OpenRecord; onClose: () => void }): JSX.Element {
  const form = useForm(record, "hold", { flag: "" as Flag | "", note: "" });
  const { flag, note } = form.fields;
  const raise = async (): Promise<void> => {
    if (flag === "") return;
    if (await form.submit({ do: "raise_hold", flag, since: Date.now(), until: null, note: note.trim() })) onClose();
  };
  return (
    <Dialog
      title={t("record/hold_raise")}
      onClose={onClose}
      actions={
        <button type="button" class="btn btn-primary" disabled={flag === ""} onClick={() => void raise()}>
          {t("record/hold_raise")}
        </button>
      }
    >
      <Alert tone="warning">{t("record/hold_text")}</Alert>
      <Choices<Flag>
        label={t("record/hold_kind")}
        options={HOLDS}
        word={(option) => word("flag", option)}
        {...form.bind("flag")}
      />
      <TextField label={t("record/hold_note")} lines={3} {...form.bind("note")} />
      <DraftNotice form={form} />
    </Dialog>
  );
}
