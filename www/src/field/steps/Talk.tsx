/** Step 4: the reason for the delay, options side by side, what was chosen and promised. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { OptionKind, OverdueReason, TalkPatch, Willingness } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDate, formatMoney, moneyInput, parseMoney } from "../../ui/format";
import { Choices, Field, Select, useBusy } from "../../ui/parts";
import { AutoText } from "../AutoText";
import { client, showToast } from "../state";
import type { OpenRecord } from "../useRecord";

const REASONS: readonly OverdueReason[] = [
  "income_loss",
  "illness",
  "family",
  "business_failure",
  "over_indebted",
  "forgot",
  "disputed",
  "cash_flow",
  "other",
  "not_said",
];
const WILLINGNESS: readonly Willingness[] = ["willing", "willing_unable", "undecided", "unwilling"];
const KINDS: readonly OptionKind[] = ["full_payment", "instalments", "partial_payment", "deferral", "settlement"];

export function TalkStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly } = record;
  const edit = (patch: TalkPatch): Promise<boolean> => record.apply({ do: "edit_talk", ...patch });
  return (
    <>
      <section class="card-plain flex flex-col gap-4">
        <Choices<OverdueReason>
          label={word("field", "talk.overdue_reason")}
          options={REASONS}
          value={view.talk.overdue_reason}
          disabled={readOnly}
          word={(option) => word("reason", option)}
          onChange={(overdue_reason) => void edit({ overdue_reason })}
        />
        <AutoText
          label={word("field", "talk.overdue_reason_text")}
          lines={3}
          disabled={readOnly}
          value={view.talk.overdue_reason_text}
          onSave={(overdue_reason_text) => edit({ overdue_reason_text })}
        />
        <Choices<Willingness>
          label={word("field", "talk.willingness")}
          options={WILLINGNESS}
          value={view.talk.willingness}
          disabled={readOnly}
          word={(option) => word("willingness", option)}
          onChange={(willingness) => void edit({ willingness })}
        />
      </section>
      <Options record={record} />
      <Promise_ record={record} />
    </>
  );
}

function Options({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const { currency } = view.case;
  const { options, chosen_option: chosen } = view.talk;
  const withdraw = async (option: (typeof options)[number]): Promise<void> => {
    const { id, kind, instalments, first_due, amount, term_months } = option;
    const offer = { id, kind, instalments, first_due, amount, term_months };
    if (await apply({ do: "withdraw_option", id: option.id })) {
      showToast({ text: t("talk_/withdraw"), undo: () => void apply({ do: "offer_option", ...offer }) });
    }
  };
  return (
    <section class="card-plain flex flex-col gap-4">
      <h2 class="section-title">{word("field", "talk.options")}</h2>
      {options.length === 0 && <p class="muted">{t("talk_/none")}</p>}
      <ul class="grid gap-3 sm:grid-cols-2">
        {options.map((option) => (
          <li
            key={option.id}
            class={`rounded-field flex flex-col gap-1 border-2 p-3 ${chosen === option.id ? "border-primary" : "border-base-300"}`}
          >
            <span class="font-semibold">{word("option", option.kind)}</span>
            <span class="text-lg tabular-nums">{formatMoney(option.amount, currency)}</span>
            <span class="text-sm tabular-nums">{inInstalments(option.amount, option.instalments, currency)}</span>
            {option.first_due && (
              <span class="muted text-sm">{t("talk_/first", { date: formatDate(option.first_due) })}</span>
            )}
            {!readOnly && (
              <span class="flex flex-wrap gap-2 pt-2">
                <button
                  type="button"
                  class={`btn grow ${chosen === option.id ? "btn-primary" : "btn-outline"}`}
                  aria-pressed={chosen === option.id}
                  onClick={() => void apply({ do: "choose_option", id: chosen === option.id ? null : option.id })}
                >
                  {chosen === option.id && "✓ "}
                  {t("talk_/choose")}
                </button>
                <button type="button" class="btn btn-ghost" onClick={() => void withdraw(option)}>
                  {t("talk_/withdraw")}
                </button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {!readOnly && <Offer record={record} />}
    </section>
  );
}

/** Equal instalments in whole minor units; what does not divide is in the last one. */
function inInstalments(amount: number, count: number, currency: string): string {
  const each = Math.floor(amount / count);
  const last = amount - each * (count - 1);
  const vars = { n: count, amount: formatMoney(each, currency), last: formatMoney(last, currency) };
  return t(last === each ? "talk_/each" : "talk_/each_last", vars);
}

function Offer({ record }: { record: OpenRecord }): JSX.Element {
  const { currency, overdue } = record.view.case;
  const [open, setOpen] = useState(false);
  const [kind, setKind] = useState<OptionKind>("instalments");
  const [amount, setAmount] = useState(moneyInput(overdue, currency));
  const [instalments, setInstalments] = useState("6");
  const [first, setFirst] = useState("");
  const [busy, run] = useBusy();
  const minor = parseMoney(amount, currency);
  const count = Number(instalments);
  const sound = minor !== null && Number.isInteger(count) && count >= 1 && count <= 600 && first !== "";
  const offer = (): Promise<void> =>
    run(async () => {
      if (minor === null) return;
      const id = await client.newId();
      if (
        await record.apply({
          do: "offer_option",
          id,
          kind,
          amount: minor,
          instalments: count,
          first_due: first,
          term_months: count,
        })
      )
        setOpen(false);
    });
  if (!open) {
    return (
      <button type="button" class="btn btn-outline" onClick={() => setOpen(true)}>
        {t("talk_/offer")}
      </button>
    );
  }
  return (
    <div class="bg-base-200 rounded-field flex flex-col gap-3 p-3">
      <Select<OptionKind>
        label={t("talk_/kind")}
        options={KINDS}
        value={kind}
        word={(option) => word("option", option)}
        onChange={(next) => next !== "" && setKind(next)}
      />
      <Amount label={t("talk_/amount", { currency })} value={amount} sound={minor !== null} onChange={setAmount} />
      <Field label={t("talk_/instalments")}>
        {(id) => (
          <input
            id={id}
            class="input w-full"
            type="number"
            inputMode="numeric"
            min={1}
            max={600}
            value={instalments}
            onInput={(event) => setInstalments(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label={t("talk_/first_due")}>
        {(id) => (
          <input
            id={id}
            class="input w-full"
            type="date"
            value={first}
            onInput={(event) => setFirst(event.currentTarget.value)}
          />
        )}
      </Field>
      {minor !== null && count >= 1 && <p class="text-sm tabular-nums">{inInstalments(minor, count, currency)}</p>}
      <div class="flex gap-2">
        <button type="button" class="btn btn-primary grow" disabled={!sound || busy} onClick={() => void offer()}>
          {t("talk_/add")}
        </button>
        <button type="button" class="btn btn-ghost" onClick={() => setOpen(false)}>
          {t("app/cancel")}
        </button>
      </div>
    </div>
  );
}

/** An amount in major units, as people write it. */
export function Amount(props: {
  label: string;
  value: string;
  sound: boolean;
  onChange: (text: string) => void;
}): JSX.Element {
  return (
    <Field label={props.label} error={props.sound || props.value === "" ? undefined : t("talk_/bad_amount")}>
      {(id, note) => (
        <input
          id={id}
          aria-describedby={note}
          class="input w-full tabular-nums"
          inputMode="decimal"
          value={props.value}
          onInput={(event) => props.onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function Promise_({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const { currency } = view.case;
  const { promise } = view.talk;
  const [amount, setAmount] = useState("");
  const [due, setDue] = useState("");
  const [channel, setChannel] = useState("");
  const minor = parseMoney(amount, currency);
  const complete = minor !== null && minor > 0 && due !== "";
  return (
    <section class="card-plain flex flex-col gap-3">
      <h2 class="section-title">{t("talk_/promise")}</h2>
      {promise ? (
        <>
          <p>
            <span class="text-lg font-semibold tabular-nums">{formatMoney(promise.amount, currency)}</span> ·{" "}
            {formatDate(promise.due_date)} {promise.channel && `· ${promise.channel}`}
          </p>
          {!readOnly && (
            <button
              type="button"
              class="btn btn-ghost"
              onClick={() =>
                void apply({ do: "promise", promise: null }).then(
                  (done) =>
                    done &&
                    showToast({ text: t("talk_/promise_take"), undo: () => void apply({ do: "promise", promise }) }),
                )
              }
            >
              {t("talk_/promise_take")}
            </button>
          )}
        </>
      ) : (
        !readOnly && (
          <>
            <Amount
              label={t("talk_/amount", { currency })}
              value={amount}
              sound={minor !== null}
              onChange={setAmount}
            />
            <Field label={t("talk_/promise_date")}>
              {(id) => (
                <input
                  id={id}
                  class="input w-full"
                  type="date"
                  value={due}
                  onInput={(event) => setDue(event.currentTarget.value)}
                />
              )}
            </Field>
            <Field label={t("talk_/promise_channel")}>
              {(id) => (
                <input
                  id={id}
                  class="input w-full"
                  value={channel}
                  onInput={(event) => setChannel(event.currentTarget.value)}
                />
              )}
            </Field>
            <button
              type="button"
              class="btn btn-primary"
              disabled={!complete}
              onClick={() =>
                void (
                  minor !== null &&
                  apply({ do: "promise", promise: { amount: minor, due_date: due, channel: channel.trim() } })
                )
              }
            >
              {t("talk_/promise_save")}
            </button>
          </>
        )
      )}
    </section>
  );
}
