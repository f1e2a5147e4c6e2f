/** Repayment options side by side, with their plans. */
import { Check, Plus } from "lucide-preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { OptionKind, OptionView, RepaymentOption } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatMoney, moneyInput, parseMoney } from "../../ui/format";
import { Dialog, Select, TextField, useBusy } from "../../ui/components";
import { AmountField } from "../AmountField";
import { useForm } from "../useForm";
import { FieldAnchor } from "../MissingFields";
import { PlanTable, planDates, planText } from "../PlanTable";
import { client } from "../state";
import { usePlan } from "../usePlan";
import type { OpenRecord } from "../useRecord";
import { OPTION_KINDS } from "../formOptions";

/** Maximum number of instalments, as in the schema. */
const MAX_INSTALMENTS = 600;

export function RepaymentOptions({ record }: { record: OpenRecord }): JSX.Element {
  const { options } = record.view.talk;
  return (
    <FieldAnchor paths={["talk.options", "talk.chosen_option"]}>
      <section class="card-plain flex flex-col gap-4">
        <h3 class="section-title">{word("field", "talk.options")}</h3>
        {options.length === 0 && <p class="muted">{t(record.readOnly ? "site/nothing" : "talk/none")}</p>}
        {options.length > 0 && (
          <ul class="grid grid-cols-[repeat(auto-fit,minmax(min(8.5rem,100%),1fr))] gap-2.5">
            {options.map((option) => (
              <OptionCard key={option.id} option={option} record={record} />
            ))}
          </ul>
        )}
        {!record.readOnly && <Offer record={record} />}
      </section>
    </FieldAnchor>
  );
}

function OptionCard({ option, record }: { option: OptionView; record: OpenRecord }): JSX.Element {
  const { view, applyWithUndo, readOnly } = record;
  const { currency } = view.case;
  const { chosen_option } = view.talk;
  const plan = usePlan(option);
  const [shown, setShown] = useState(false);
  const chosen = chosen_option === option.id;
  const choose = (): void => {
    const command = { do: "choose_option", id: chosen ? null : option.id } as const;
    const message = chosen ? t("talk/unchosen") : `${t("talk/choose")}: ${word("option", option.kind)}`;
    void applyWithUndo(command, message, [{ do: "choose_option", id: chosen_option }]);
  };
  const withdraw = (): void => {
    const { id, kind, instalments, first_due, amount, term_months } = option;
    const offer: RepaymentOption = { id, kind, instalments, first_due, amount, term_months };
    void applyWithUndo({ do: "withdraw_option", id }, t("talk/withdrawn"), [{ do: "offer_option", ...offer }]);
  };
  return (
    <li
      class={`rounded-field flex flex-col gap-1 border p-3 ${
        chosen ? "border-primary bg-primary/8 shadow-[inset_0_0_0_1px_var(--color-primary)]" : "border-base-300"
      }`}
    >
      <span class="text-sm font-semibold">{word("option", option.kind)}</span>
      <span class="text-lg leading-tight font-semibold tabular-nums">{formatMoney(option.amount, currency)}</span>
      {plan && (
        <>
          <span class="text-sm tabular-nums">{planText(plan, currency)}</span>
          <span class="muted text-sm">{planDates(plan)}</span>
          {plan.instalments.length > 1 && (
            <button
              type="button"
              class="btn btn-ghost h-auto justify-start px-0 text-sm font-medium underline underline-offset-4"
              onClick={() => setShown(true)}
            >
              {t("plan/show")}
            </button>
          )}
        </>
      )}
      {plan && shown && (
        <Dialog title={word("option", option.kind)} onClose={() => setShown(false)}>
          <div class="overflow-y-auto" tabIndex={0}>
            <PlanTable plan={plan} currency={currency} />
          </div>
        </Dialog>
      )}
      {readOnly && chosen && (
        <span class="text-primary flex items-center gap-1 pt-1 text-sm font-semibold">
          <Check class="size-4" aria-hidden="true" />
          {t("talk/choose")}
        </span>
      )}
      {!readOnly && (
        <span class="mt-auto flex flex-col gap-1 pt-2">
          <button
            type="button"
            class={`btn h-auto px-2 py-1.5 text-sm leading-tight ${chosen ? "btn-primary" : "btn-quiet"}`}
            aria-pressed={chosen}
            onClick={choose}
          >
            {chosen && <Check class="size-4" aria-hidden="true" />}
            {t("talk/choose")}
          </button>
          <button type="button" class="btn btn-ghost px-2 text-sm font-medium" onClick={withdraw}>
            {t("talk/withdraw")}
          </button>
        </span>
      )}
    </li>
  );
}

const OFFER = "offer";

function Offer({ record }: { record: OpenRecord }): JSX.Element {
  const [open, setOpen] = useState(false);
  // A draft is shown, so that the user can continue with it.
  return open || record.drafts.byForm.has(OFFER) ? (
    <OfferForm record={record} onClose={() => setOpen(false)} />
  ) : (
    <button type="button" class="btn btn-tonal" onClick={() => setOpen(true)}>
      <Plus class="size-5" aria-hidden="true" />
      {t("talk/offer")}
    </button>
  );
}

function OfferForm({ record, onClose }: { record: OpenRecord; onClose: () => void }): JSX.Element {
  const { currency, overdue } = record.view.case;
  const form = useForm(record, OFFER, {
    kind: "instalments" as OptionKind,
    amount: moneyInput(overdue, currency),
    instalments: "6",
    first: "",
  });
  const { kind, amount, instalments, first } = form.fields;
  const [busy, run] = useBusy();
  const minor = parseMoney(amount, currency);
  const count = Number(instalments);
  const counted = Number.isInteger(count) && count >= 1 && count <= MAX_INSTALMENTS;
  const terms =
    minor !== null && counted && first !== "" ? { amount: minor, instalments: count, first_due: first } : null;
  const plan = usePlan(terms);
  const tooMany = minor !== null && counted && minor < count;
  const offer = (): Promise<void> =>
    run(async () => {
      if (terms === null) return;
      const id = await client.newId();
      if (await form.submit({ do: "offer_option", id, kind, term_months: count, ...terms })) onClose();
    });
  const chooseKind = (next: OptionKind | ""): void => {
    if (next === "") return;
    const once = next === "full_payment" || next === "settlement";
    form.set(once ? { kind: next, instalments: "1" } : { kind: next });
  };
  return (
    <div class="bg-base-200 rounded-field flex flex-col gap-4 p-3.5">
      <Select<OptionKind>
        label={t("talk/kind")}
        control="offer.kind"
        options={OPTION_KINDS}
        value={kind}
        word={(option) => word("option", option)}
        onChange={chooseKind}
      />
      <AmountField currency={currency} {...form.bind("amount")} />
      <TextField
        label={t("talk/instalments")}
        type="number"
        min={1}
        max={MAX_INSTALMENTS}
        error={!counted ? t("talk/bad_count", { most: MAX_INSTALMENTS }) : tooMany ? t("plan/too_many") : undefined}
        {...form.bind("instalments")}
      />
      <TextField label={t("talk/first_due")} type="date" {...form.bind("first")} />
      {plan && (
        <div class="rounded-field bg-base-100 flex max-h-72 flex-col gap-2 overflow-y-auto p-3" tabIndex={0}>
          <p class="font-medium tabular-nums">{planText(plan, currency)}</p>
          <PlanTable plan={plan} currency={currency} />
        </div>
      )}
      <div class="flex gap-2">
        <button
          type="button"
          class="btn btn-primary grow"
          disabled={plan === null || busy}
          onClick={() => void offer()}
        >
          {t("talk/add")}
        </button>
        <button type="button" class="btn btn-ghost" onClick={() => (form.discard(), onClose())}>
          {t("app/cancel")}
        </button>
      </div>
    </div>
  );
}
