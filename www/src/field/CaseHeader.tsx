/** The case: borrower, amount, address, instructions and phone numbers. */
import { History as HistoryIcon, Info, OctagonAlert, Phone } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t, word } from "../i18n";
import { formatMoney, formatShortDate } from "../ui/format";
import { HistoryDialog } from "./HistoryDialog";
import { HoldDialog } from "./Holds";
import type { OpenRecord } from "./useRecord";

export function CaseHeader({ record }: { record: OpenRecord }): JSX.Element {
  const { view } = record;
  const { case: facts, assignment } = view;
  const [dialog, setDialog] = useState<"history" | "hold" | null>(null);
  const close = (): void => setDialog(null);
  const details = [
    view.case_no,
    facts.product && word("product", facts.product),
    facts.due_date && t("record/due", { date: formatShortDate(facts.due_date) }),
  ];
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("record/case")}>
      <div class="flex flex-col gap-1">
        <div class="flex flex-wrap items-baseline justify-between gap-x-3">
          <h1 tabIndex={-1} class="text-[1.375rem] leading-tight font-bold">
            {facts.borrower_name || view.case_no}
          </h1>
          <span class="text-lg font-semibold tabular-nums">{formatMoney(facts.overdue, facts.currency)}</span>
        </div>
        <p>{facts.address}</p>
        <p class="muted text-sm">{details.filter(Boolean).join(" · ")}</p>
        <p class="flex flex-wrap gap-1.5 pt-1">
          <span class="pill bg-base-200">{t("list/dpd", { n: facts.days_past_due })}</span>
          {assignment.due_by && (
            <span class="pill bg-base-200">{t("list/visit_by", { date: formatShortDate(assignment.due_by) })}</span>
          )}
        </p>
      </div>
      {[assignment.instructions, facts.note].filter(Boolean).map((text) => (
        <div key={text} class="bg-base-200 rounded-field flex gap-2.5 p-3 text-sm leading-relaxed">
          <Info class="text-info mt-0.5 size-[1.125rem] shrink-0" aria-hidden="true" />
          <span class="whitespace-pre-line">{text}</span>
        </div>
      ))}
      {facts.phones.length > 0 && (
        <div class="choice-grid">
          {facts.phones.map((phone) => (
            <a key={phone} class="btn btn-tonal px-2 tabular-nums" href={`tel:${phone.replace(/\s/g, "")}`}>
              <Phone class="size-[1.125rem] shrink-0" aria-hidden="true" />
              {phone}
            </a>
          ))}
        </div>
      )}
      <div class="border-base-300 -mx-4 -mb-4 grid grid-cols-2 border-t">
        <button
          type="button"
          class="btn btn-ghost h-auto rounded-none py-2.5 font-medium"
          onClick={() => setDialog("history")}
        >
          <HistoryIcon class="size-[1.125rem]" aria-hidden="true" />
          {t("record/history")}
        </button>
        <button
          type="button"
          class="btn btn-ghost border-l-base-300 h-auto rounded-none py-2.5 font-medium"
          onClick={() => setDialog("hold")}
        >
          <OctagonAlert class="size-[1.125rem]" aria-hidden="true" />
          {t("record/hold_raise")}
        </button>
      </div>
      {dialog === "history" && <HistoryDialog view={view} onClose={close} />}
      {dialog === "hold" && <HoldDialog record={record} onClose={close} />}
    </section>
  );
}
