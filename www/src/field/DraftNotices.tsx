/** Notices about drafts: forms with contents that are not submitted. */
import { PencilLine } from "lucide-preact";
import type { JSX } from "preact";
import { Link } from "wouter-preact";
import type { Step } from "../wasm/doorstep";
import { t, type TextKey } from "../i18n";
import type { Form } from "./useForm";
import type { OpenRecord } from "./useRecord";

/** Title and step of each form by name; for a form about a rule, the part of its name before the dot. */
const FORMS: Record<string, { title: TextKey; step: Step | null; sealed?: true }> = {
  contact: { title: "contact/log", step: "contact" },
  appointment: { title: "appointment/propose", step: "appointment" },
  wish: { title: "conduct/page/wish", step: "appointment" },
  visitor: { title: "site/visitor", step: "on_site" },
  reason: { title: "conduct/page/reason", step: "on_site" },
  consent: { title: "conduct/page/consent", step: "on_site" },
  notice: { title: "conduct/page/notice", step: "on_site" },
  offer: { title: "talk/offer", step: "talk" },
  promise: { title: "talk/promise", step: "talk" },
  payment: { title: "outcome/add_payment", step: "record", sealed: true },
  amendment: { title: "outcome/amend", step: "record", sealed: true },
  hold: { title: "record/hold_raise", step: null, sealed: true },
  signature: { title: "attachment/signature", step: "record", sealed: true },
};

/** Drafts of a record that can be submitted in its current stage. */
export function openDrafts({ drafts, readOnly }: OpenRecord): { form: string; title: string; step: Step | null }[] {
  return [...drafts.byForm.keys()].flatMap((form) => {
    const known = FORMS[form.split(".")[0] ?? ""];
    return known && (!readOnly || known.sealed) ? [{ form, title: t(known.title), step: known.step }] : [];
  });
}

/** Links to the drafts on other steps. */
export function DraftsElsewhere({ record, step }: { record: OpenRecord; step: Step }): JSX.Element | null {
  const forms = openDrafts(record).filter((form) => form.step !== step);
  if (forms.length === 0) return null;
  return (
    <div data-testid="drafts" class="flex flex-wrap items-center gap-x-0.5 text-sm" role="status">
      <span class="flex items-center gap-1.5 pr-1.5">
        <PencilLine class="size-4 shrink-0" aria-hidden="true" />
        {t("form/drafts")}
      </span>
      {forms.map(({ form, title, step: at }) =>
        at ? (
          <Link
            key={form}
            href={`/visit/${record.view.id}/${at}`}
            replace
            class="rounded-field decoration-base-content/40 -my-1.5 inline-flex min-h-11 items-center px-1.5 font-medium underline underline-offset-4"
          >
            {title}
          </Link>
        ) : (
          <span key={form} class="px-1.5 font-medium">
            {title}
          </span>
        ),
      )}
    </div>
  );
}

/** Shown under a form with a draft, with a button that discards it. */
export function DraftNotice({ form }: { form: Pick<Form<unknown>, "dirty" | "discard"> }): JSX.Element | null {
  if (!form.dirty) return null;
  return (
    <div class="-mt-2 flex items-center justify-between gap-3">
      <p class="muted text-sm">{t("form/draft_saved")}</p>
      <button type="button" class="btn btn-ghost -mr-2 shrink-0 px-2 text-sm font-medium" onClick={form.discard}>
        {t("form/discard")}
      </button>
    </div>
  );
}
