/** Read-only cards of a record: conversation, payments and amendments. */
import type { JSX } from "preact";
import type { OptionView, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatDate, formatDateTime, formatMoney } from "../ui/format";
import { Card, Facts, ByLine } from "./layout";
import { pathName } from "./fieldLabels";
import { MarkButton, MarkedCard, MarkedFacts } from "./review/marks";

export function TalkFacts({ view }: { view: VisitView }): JSX.Element {
  const { talk } = view;
  const { currency } = view.case;
  return (
    <Card title={word("step", "talk")}>
      <MarkedFacts
        rows={[
          ["talk.disposition", talk.disposition && word("disposition", talk.disposition)],
          ["talk.overdue_reason", talk.overdue_reason && word("reason", talk.overdue_reason)],
          ["talk.overdue_reason_text", talk.overdue_reason_text],
          ["talk.willingness", talk.willingness && word("willingness", talk.willingness)],
          [
            "talk.promise",
            talk.promise &&
              [formatMoney(talk.promise.amount, currency), formatDate(talk.promise.due_date), talk.promise.channel]
                .filter(Boolean)
                .join(" · "),
          ],
          ["feedback", view.feedback],
        ]}
      />
      {talk.options.length > 0 && (
        <>
          <h3 class="flex items-center gap-2 text-sm font-medium">
            {word("field", "talk.options")}
            <MarkButton path="talk.options" />
          </h3>
          <ul class="grid gap-2 sm:grid-cols-2">
            {talk.options.map((option) => (
              <Option key={option.id} option={option} chosen={option.id === talk.chosen_option} currency={currency} />
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

function Option(props: { option: OptionView; chosen: boolean; currency: string }): JSX.Element {
  const { option, chosen, currency } = props;
  return (
    <li
      class={`rounded-field flex flex-col gap-2 p-3 ${chosen ? "border-primary border-2" : "border-base-300 border"}`}
    >
      <p class="font-medium">{word("option", option.kind)}</p>
      {chosen && <p class="text-primary text-sm font-semibold">✓ {t("talk/choose")}</p>}
      <Facts
        rows={[
          [t("office/key/amount"), formatMoney(option.amount, currency)],
          [t("talk/instalments"), instalmentsText(option, currency)],
          [t("talk/first_due"), formatDate(option.first_due)],
          [t("talk/term"), option.term_months > 0 && option.term_months],
          [t("office/key/offered_by"), option.offered_by],
        ]}
      />
    </li>
  );
}

/** Equal instalments in whole minor units; the remainder is added to the last one. */
function instalmentsText({ amount, instalments }: OptionView, currency: string): string {
  if (instalments <= 1) return String(instalments);
  const each = Math.floor(amount / instalments);
  const last = amount - each * (instalments - 1);
  const words = { n: instalments, amount: formatMoney(each, currency), last: formatMoney(last, currency) };
  return t(last === each ? "talk/each" : "talk/each_last", words);
}

export function Payments({ view }: { view: VisitView }): JSX.Element {
  return (
    <MarkedCard title={t("outcome/payments")} path="payments">
      {view.payments.length === 0 && <p class="muted text-sm">{t("outcome/no_payments")}</p>}
      <ul class="flex flex-col gap-2 text-sm empty:hidden">
        {view.payments.map((payment) => (
          <li key={payment.id}>
            <span class="font-medium tabular-nums">{formatMoney(payment.amount, view.case.currency)}</span>
            {[payment.channel, payment.reference].filter(Boolean).map((text) => ` · ${text}`)}
            <p>
              <ByLine by={payment.by} at={formatDateTime(payment.at, view.case.zone)} />
            </p>
          </li>
        ))}
      </ul>
    </MarkedCard>
  );
}

export function Amendments({ view }: { view: VisitView }): JSX.Element | null {
  if (view.amendments.length === 0) return null;
  return (
    <Card title={t("outcome/amendments")}>
      <ul class="flex flex-col gap-2 text-sm">
        {view.amendments.map((amendment) => (
          <li key={amendment.id}>
            {amendment.path && <span class="font-medium">{pathName(amendment.path)}: </span>}
            <span class="whitespace-pre-line">{amendment.text}</span>
            <p>
              <ByLine by={amendment.by} at={formatDateTime(amendment.at, view.case.zone)} />
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}
