/** What the borrower hears before the seal: the record in plain words, on a page of its own. */
import { BookOpenText } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { VisitView } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDate, formatDateTime, formatMoney } from "../../ui/format";
import { Dialog, Fact } from "../../ui/parts";
import { Check } from "../Checklist";
import type { OpenRecord } from "../useRecord";

export function ReadBack({ record }: { record: OpenRecord }): JSX.Element {
  const { view } = record;
  const [open, setOpen] = useState(false);
  return (
    <section class="card-plain flex flex-col gap-4">
      <div>
        <h3 class="section-title">{t("end/read")}</h3>
        {!record.readOnly && <p class="muted text-sm">{t("end/read_text")}</p>}
      </div>
      <button type="button" class="btn btn-tonal" onClick={() => setOpen(true)}>
        <BookOpenText class="size-5" aria-hidden="true" />
        {t("end/read_show")}
      </button>
      {view.visit.person_met === "borrower" && <Check item="read_back" record={record} />}
      {open && (
        <Dialog title={t("end/read_title")} onClose={() => setOpen(false)}>
          <div class="flex flex-col gap-4 overflow-y-auto text-lg" tabIndex={0}>
            {summary(view).map(([label, text]) => (
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

/** Only what was written down, in the order in which it happened. */
function summary(view: VisitView): [string, string][] {
  const { visit, talk, case: facts } = view;
  const zone = visit.zone || facts.zone;
  const time = (ms: number | null): string => (ms === null ? "" : formatDateTime(ms, zone));
  const money = (minor: number): string => formatMoney(minor, facts.currency);
  const options = talk.options.map((option) => {
    const terms = `${word("option", option.kind)}: ${t("talk_/total", { amount: money(option.amount), n: option.instalments })}`;
    return option.id === talk.chosen_option ? `${terms} – ${t("talk_/choose")}` : terms;
  });
  const payments = view.payments.map(({ amount, at, channel }) =>
    [money(amount), formatDateTime(at, facts.zone), channel].filter(Boolean).join(" · "),
  );
  const { promise } = talk;
  const lines: [string, string][] = [
    [word("field", "case.borrower_name"), facts.borrower_name],
    [word("field", "case.overdue"), money(facts.overdue)],
    [word("field", "visit.arrived_at"), time(visit.arrived_at)],
    [word("field", "visit.person_met"), visit.person_met ? word("person", visit.person_met) : ""],
    [t("site/visitors"), visit.visitors.join(" · ")],
    [word("field", "talk.overdue_reason"), talk.overdue_reason ? word("reason", talk.overdue_reason) : ""],
    [word("field", "talk.overdue_reason_text"), talk.overdue_reason_text],
    [word("field", "talk.willingness"), talk.willingness ? word("willingness", talk.willingness) : ""],
    [word("field", "talk.options"), options.join("\n")],
    [
      word("field", "talk.promise"),
      promise ? [money(promise.amount), formatDate(promise.due_date), promise.channel].filter(Boolean).join(" · ") : "",
    ],
    [t("end/payments"), payments.join("\n")],
    [word("field", "talk.disposition"), talk.disposition ? word("disposition", talk.disposition) : ""],
    [word("field", "feedback"), view.feedback.trim()],
    [word("field", "visit.left_at"), time(visit.left_at)],
  ];
  return lines.filter(([, text]) => text !== "");
}
