/** The promise to pay: amount, date and payment method. */
import { HandCoins, ReceiptText } from "lucide-preact";
import type { JSX } from "preact";
import { Link } from "wouter-preact";
import type { PromiseToPay } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { formatDate, formatMoney, parseMoney } from "../../ui/format";
import { TextField, useBusy } from "../../ui/components";
import { AmountField } from "../AmountField";
import { DraftNotice } from "../DraftNotices";
import { useForm } from "../useForm";
import { FieldAnchor } from "../MissingFields";
import type { OpenRecord } from "../useRecord";

export function PromiseSection({ record }: { record: OpenRecord }): JSX.Element | null {
  const { promise } = record.view.talk;
  if (!promise && record.readOnly) return null;
  return (
    <FieldAnchor paths={["talk.promise"]}>
      <section class="card-plain flex flex-col gap-4">
        <h3 class="section-title">{t("talk/promise")}</h3>
        {promise ? <PromiseCard record={record} promise={promise} /> : <PromiseForm record={record} />}
      </section>
    </FieldAnchor>
  );
}

function PromiseCard({ record, promise }: { record: OpenRecord; promise: PromiseToPay }): JSX.Element {
  const remove = (): void =>
    void record.applyWithUndo({ do: "promise", promise: null }, t("talk/promise_removed"), [
      { do: "promise", promise },
    ]);
  return (
    <>
      <div class="flex items-center gap-3">
        <HandCoins class="text-primary size-7 shrink-0" aria-hidden="true" />
        <p class="min-w-0 wrap-anywhere">
          <span class="block text-lg leading-tight font-semibold tabular-nums">
            {formatMoney(promise.amount, record.view.case.currency)}
          </span>
          {[formatDate(promise.due_date), promise.channel].filter(Boolean).join(" · ")}
        </p>
      </div>
      <Link href={`/visit/${record.view.id}/copy/promise`} data-control="receipt-promise" class="btn btn-tonal">
        <ReceiptText class="size-5" aria-hidden="true" />
        {t("receipt/open")}
      </Link>
      {!record.readOnly && (
        <button type="button" class="btn btn-quiet" onClick={remove}>
          {t("talk/promise_remove")}
        </button>
      )}
    </>
  );
}

function PromiseForm({ record }: { record: OpenRecord }): JSX.Element {
  const { currency } = record.view.case;
  const form = useForm(record, "promise", { amount: "", due: "", channel: "" });
  const { amount, due, channel } = form.fields;
  const [busy, run] = useBusy();
  const minor = parseMoney(amount, currency);
  const save = (): Promise<void> =>
    run(async () => {
      if (minor === null) return;
      await form.submit({ do: "promise", promise: { amount: minor, due_date: due, channel: channel.trim() } });
    });
  return (
    <>
      <AmountField currency={currency} {...form.bind("amount")} />
      <TextField label={t("talk/promise_date")} type="date" {...form.bind("due")} />
      <TextField label={t("talk/promise_channel")} {...form.bind("channel")} />
      <button
        type="button"
        class="btn btn-tonal"
        disabled={minor === null || minor === 0 || due === "" || busy}
        onClick={() => void save()}
      >
        {t("talk/promise_save")}
      </button>
      <DraftNotice form={form} />
    </>
  );
}
