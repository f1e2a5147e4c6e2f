/** The text read back to the borrower: the recorded fields in chronological order, as label and value. */
import type { VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDate, formatDateTime, formatMoney } from "../ui/format";

export function readBack(view: VisitView): [string, string][] {
  const { visit, talk, case: facts } = view;
  const zone = visit.zone || facts.zone;
  const time = (ms: number | null): string => (ms === null ? "" : formatDateTime(ms, zone));
  const money = (minor: number): string => formatMoney(minor, facts.currency);
  const options = talk.options.map((option) => {
    const terms = `${word("option", option.kind)}: ${t("talk/total", { amount: money(option.amount), n: option.instalments })}`;
    return option.id === talk.chosen_option ? `${terms} – ${t("talk/choose")}` : terms;
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
    [t("outcome/payments"), payments.join("\n")],
    [word("field", "talk.disposition"), talk.disposition ? word("disposition", talk.disposition) : ""],
    [word("field", "feedback"), view.feedback.trim()],
    [word("field", "visit.left_at"), time(visit.left_at)],
  ];
  return lines.filter(([, text]) => text !== "");
}

/** The same as one text, which is what a collector signs. */
export function readBackText(view: VisitView): string {
  return readBack(view)
    .map(([label, text]) => `${label}: ${text}`)
    .join("\n");
}
