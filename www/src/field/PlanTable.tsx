/** A repayment plan as text and as a table. */
import type { JSX } from "preact";
import type { Plan } from "../wasm/doorstep";
import { t } from "../i18n";
import { formatCount, formatDate, formatMoney } from "../ui/format";

/** `6 × 921.49, the last 921.53`. */
export function planText({ instalments, each, last }: Plan, currency: string): string {
  const vars = {
    n: instalments.length,
    amount: formatMoney(each, currency),
    last: formatMoney(last, currency),
  };
  return t(last === each ? "talk/each" : "talk/each_last", vars);
}

/** The due dates of the first and the last payment. */
export function planDates({ instalments }: Plan): string {
  const first = formatDate(instalments[0]?.due_date ?? "");
  const last = formatDate(instalments.at(-1)?.due_date ?? "");
  return instalments.length > 1 ? t("plan/dates", { first, last }) : t("plan/date", { first });
}

/** All payments, the total, and a note on rounding. */
export function PlanTable({ plan, currency }: { plan: Plan; currency: string }): JSX.Element {
  const total = plan.instalments.reduce((sum, { amount }) => sum + amount, 0);
  return (
    <>
      <table class="w-full text-sm tabular-nums">
        <caption class="sr-only">{t("plan/schedule")}</caption>
        <thead>
          <tr class="muted text-left">
            <th scope="col" class="py-1 pr-2 font-medium">
              {t("plan/number")}
            </th>
            <th scope="col" class="py-1 pr-2 font-medium">
              {t("plan/due")}
            </th>
            <th scope="col" class="py-1 text-right font-medium">
              {t("plan/amount")}
            </th>
          </tr>
        </thead>
        <tbody>
          {plan.instalments.map(({ number, due_date, amount }) => (
            <tr key={number} class="border-base-300 border-t">
              <td class="py-1 pr-2">{formatCount(number)}</td>
              <td class="py-1 pr-2">{formatDate(due_date)}</td>
              <td class="py-1 text-right">{formatMoney(amount, currency)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr class="border-base-content border-t font-semibold">
            <th scope="row" colSpan={2} class="py-1 pr-2 text-left">
              {t("plan/total")}
            </th>
            <td class="py-1 text-right">{formatMoney(total, currency)}</td>
          </tr>
        </tfoot>
      </table>
      {plan.rounding > 0 && (
        <p class="muted text-sm">{t("plan/rounding", { amount: formatMoney(plan.rounding, currency) })}</p>
      )}
    </>
  );
}
