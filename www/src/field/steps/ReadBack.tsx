/** The text to read back to the borrower before the record is sealed, and the borrower's copy. */
import { BookOpenText, FileText } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../../i18n";
import { Dialog, Fact } from "../../ui/components";
import { Check } from "../Checklist";
import { readBack } from "../readBack";
import type { OpenRecord } from "../useRecord";

export function ReadBack({ record }: { record: OpenRecord }): JSX.Element {
  const { view } = record;
  const [open, setOpen] = useState(false);
  return (
    <section class="card-plain flex flex-col gap-4">
      <div>
        <h3 class="section-title">{t("outcome/read")}</h3>
        {!record.readOnly && <p class="muted text-sm">{t("outcome/read_text")}</p>}
      </div>
      <button type="button" class="btn btn-tonal" onClick={() => setOpen(true)}>
        <BookOpenText class="size-5" aria-hidden="true" />
        {t("outcome/read_show")}
      </button>
      <Link href={`/visit/${view.id}/copy`} data-control="borrower-copy" class="btn btn-quiet">
        <FileText class="size-5" aria-hidden="true" />
        {t("copy/open")}
      </Link>
      {view.visit.person_met === "borrower" && <Check item="read_back" record={record} />}
      {open && (
        <Dialog title={t("outcome/read_title")} onClose={() => setOpen(false)}>
          <div class="flex flex-col gap-4 overflow-y-auto text-lg" tabIndex={0}>
            {readBack(view).map(([label, text]) => (
              <Fact key={label} label={label}>
                {text}
              </Fact>
            ))}
          </div>
        </Dialog>
      )}
    </section>
  );
}
