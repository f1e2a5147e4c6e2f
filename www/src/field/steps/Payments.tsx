/** Payments. They cannot be changed later, and can be added after the seal. */
import { Banknote, Plus, ReceiptText } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../../i18n";
import { formatDateTime, formatMoney, fromLocalInput, parseMoney, toLocalInput } from "../../ui/format";
import { TextField, useBusy } from "../../ui/components";
import { AmountField } from "../AmountField";
import { useForm } from "../useForm";
import { client } from "../state";
import type { OpenRecord } from "../useRecord";

const PAYMENT = "payment";

export function Payments({ record }: { record: OpenRecord }): JSX.Element {
  const { payments, case: facts } = record.view;
  const [asked, setOpen] = useState(false);
  // A draft is shown, so that the user can continue with it.
  const open = asked || record.drafts.byForm.has(PAYMENT);
  return (
    <section class="card-plain flex flex-col gap-4">
      <h3 class="section-title">{t("outcome/payments")}</h3>
      {payments.length === 0 && !open && <p class="muted">{t("outcome/no_payments")}</p>}
      {payments.length > 0 && (
        <ul class="flex flex-col gap-3">
          {payments.map((payment) => (
            <li key={payment.id} class="flex gap-3">
              <Banknote class="text-primary mt-0.5 size-6 shrink-0" aria-hidden="true" />
              <span>
                <span class="block font-semibold tabular-nums">{formatMoney(payment.amount, facts.currency)}</span>
                <span class="muted text-sm">
                  {[formatDateTime(payment.at, facts.zone), payment.channel, payment.reference, payment.by]
                    .filter(Boolean)
                    .join(" · ")}
                </span>
                <Link
                  href={`/visit/${record.view.id}/copy/${payment.id}`}
                  data-control={`receipt-${payment.id}`}
                  class="link flex min-h-11 items-center gap-1.5"
                >
                  <ReceiptText class="size-5" aria-hidden="true" />
                  {t("receipt/open")}
                </Link>
              </span>
            </li>
          ))}
        </ul>
      )}
      {open ? (
        <PaymentForm record={record} onClose={() => setOpen(false)} />
      ) : (
        <button type="button" class="btn btn-quiet" onClick={() => setOpen(true)}>
          <Plus class="size-5" aria-hidden="true" />
          {t("outcome/add_payment")}
        </button>
      )}
    </section>
  );
}

function PaymentForm({ record, onClose }: { record: OpenRecord; onClose: () => void }): JSX.Element {
  const { currency, zone } = record.view.case;
  const form = useForm(record, PAYMENT, {
    amount: "",
    at: toLocalInput(Date.now(), zone),
    channel: "",
    reference: "",
  });
  const { amount, at, channel, reference } = form.fields;
  const [busy, run] = useBusy();
  const minor = parseMoney(amount, currency);
  const paid = fromLocalInput(at, zone);
  const add = (): Promise<void> =>
    run(async () => {
      if (minor === null || paid === null) return;
      const id = await client.newId();
      const how = { channel: channel.trim(), reference: reference.trim(), receipt: "" };
      if (await form.submit({ do: "add_payment", id, amount: minor, at: paid, ...how })) onClose();
    });
  return (
    <div class="bg-base-200 rounded-field flex flex-col gap-4 p-3.5">
      <AmountField currency={currency} {...form.bind("amount")} />
      <TextField label={t("outcome/paid_at")} type="datetime-local" {...form.bind("at")} />
      <TextField label={t("outcome/channel")} {...form.bind("channel")} />
      <TextField label={t("outcome/reference")} {...form.bind("reference")} />
      <div class="flex gap-2">
        <button
          type="button"
          class="btn btn-primary grow"
          disabled={minor === null || minor === 0 || paid === null || busy}
          onClick={() => void add()}
        >
          {t("outcome/add_payment")}
        </button>
        <button type="button" class="btn btn-ghost" onClick={() => (form.discard(), onClose())}>
          {t("app/cancel")}
        </button>
      </div>
    </div>
  );
}
