/** Step 5: feedback, notes, outcome, payments, read back, seal; amendments after it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Disposition } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { fieldName, formatDateTime, formatMoney, parseMoney } from "../../ui/format";
import { Alert, Choices, Dialog, Field, useBusy } from "../../ui/parts";
import { Prose } from "../AutoText";
import { Check } from "../Checklist";
import { client, showToast } from "../state";
import type { OpenRecord } from "../useRecord";
import { Amount } from "./Talk";

const OUTCOMES: readonly [string, readonly Disposition[]][] = [
  [
    "end/met",
    [
      "ptp",
      "plan_proposed",
      "considering",
      "rtp",
      "hardship",
      "dispute",
      "claims_paid",
      "rescheduled",
      "asked_no_visit",
      "represented",
    ],
  ],
  ["end/not_met", ["not_home", "door_locked", "shifted", "address_not_found", "third_party_only"]],
  ["end/stop", ["deceased", "bereavement_illness", "safety_withdrawn", "asked_to_leave", "complaint"]],
];

export function RecordStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  return (
    <>
      <Outcome record={record} />
      <section class="card-plain flex flex-col gap-4">
        <Prose
          label={word("field", "feedback")}
          lines={4}
          value={view.feedback}
          heads={view.heads}
          disabled={readOnly}
          onSave={(base, text) => apply({ do: "edit_feedback", base, text })}
        />
        <Prose
          label={word("field", "notes")}
          lines={4}
          value={view.notes}
          heads={view.heads}
          disabled={readOnly}
          onSave={(base, text) => apply({ do: "edit_notes", base, text })}
        />
      </section>
      <Payments record={record} />
      {view.visit.person_met === "borrower" && (
        <section class="card-plain flex flex-col gap-3">
          <h2 class="section-title">{t("end/read")}</h2>
          <p class="muted text-sm">{t("end/read_text")}</p>
          <Check item="read_back" record={record} />
        </section>
      )}
      {readOnly ? <Amendments record={record} /> : <Seal record={record} />}
    </>
  );
}

function Outcome({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, readOnly } = record;
  const before = view.talk.disposition;
  const choose = async (disposition: Disposition): Promise<void> => {
    if (!(await apply({ do: "edit_talk", disposition }))) return;
    const undo = before === null ? {} : { undo: () => void apply({ do: "edit_talk", disposition: before }) };
    showToast({ text: word("disposition", disposition), ...undo });
  };
  return (
    <section class="card-plain flex flex-col gap-4">
      <h2 class="section-title">{t("end/disposition")}</h2>
      {OUTCOMES.map(([group, options]) => (
        <Choices<Disposition>
          key={group}
          label={t(group)}
          options={options}
          value={before}
          disabled={readOnly}
          word={(option) => word("disposition", option)}
          onChange={(option) => void choose(option)}
        />
      ))}
    </section>
  );
}

function Payments({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply } = record;
  const { currency } = view.case;
  const [open, setOpen] = useState(false);
  const [amount, setAmount] = useState("");
  const [channel, setChannel] = useState("");
  const [reference, setReference] = useState("");
  const [busy, run] = useBusy();
  const minor = parseMoney(amount, currency);
  const add = (): Promise<void> =>
    run(async () => {
      if (minor === null) return;
      const id = await client.newId();
      if (
        !(await apply({
          do: "add_payment",
          id,
          amount: minor,
          at: Date.now(),
          channel: channel.trim(),
          reference: reference.trim(),
          receipt: "",
        }))
      )
        return;
      setOpen(false);
      setAmount("");
      setReference("");
    });
  return (
    <section class="card-plain flex flex-col gap-3">
      <h2 class="section-title">{t("end/payments")}</h2>
      {view.payments.length === 0 && <p class="muted">{t("end/no_payments")}</p>}
      <ul class="flex flex-col gap-2">
        {view.payments.map((payment) => (
          <li key={payment.id}>
            <span class="font-semibold tabular-nums">{formatMoney(payment.amount, currency)}</span> ·{" "}
            {formatDateTime(payment.at)} · {payment.by} {payment.channel && `· ${payment.channel}`}
          </li>
        ))}
      </ul>
      {open ? (
        <div class="bg-base-200 rounded-field flex flex-col gap-3 p-3">
          <Amount label={t("talk_/amount", { currency })} value={amount} sound={minor !== null} onChange={setAmount} />
          <Field label={t("end/channel")}>
            {(id) => (
              <input
                id={id}
                class="input w-full"
                value={channel}
                onInput={(event) => setChannel(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field label={t("end/reference")}>
            {(id) => (
              <input
                id={id}
                class="input w-full"
                value={reference}
                onInput={(event) => setReference(event.currentTarget.value)}
              />
            )}
          </Field>
          <button
            type="button"
            class="btn btn-primary"
            disabled={minor === null || minor === 0 || busy}
            onClick={() => void add()}
          >
            {t("end/add_payment")}
          </button>
        </div>
      ) : (
        <button type="button" class="btn btn-outline" onClick={() => setOpen(true)}>
          {t("end/add_payment")}
        </button>
      )}
    </section>
  );
}

function Seal({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply } = record;
  const [asking, setAsking] = useState(false);
  const missing = view.steps.flatMap((step) => step.missing).filter((path) => path !== "seal");
  const sealNow = async (): Promise<void> => {
    if (await apply({ do: "seal", at: Date.now() })) setAsking(false);
  };
  return (
    <>
      <button type="button" class="btn btn-primary btn-lg" onClick={() => setAsking(true)}>
        {t("end/seal")}
      </button>
      {asking && (
        <Dialog
          title={t("end/seal_title")}
          onClose={() => setAsking(false)}
          actions={
            <>
              <button type="button" class="btn btn-ghost" onClick={() => setAsking(false)}>
                {t("app/cancel")}
              </button>
              <button
                type="button"
                class="btn btn-primary"
                disabled={view.talk.disposition === null}
                onClick={() => void sealNow()}
              >
                {t("end/seal_now")}
              </button>
            </>
          }
        >
          <p>{t("end/seal_text")}</p>
          {view.talk.disposition === null && <Alert tone="error">{t("end/needs_outcome")}</Alert>}
          {missing.length > 0 && (
            <Alert tone="warning">
              <p>{t("end/seal_missing")}</p>
              <ul class="list-disc pl-5">
                {missing.map((path) => (
                  <li key={path}>{fieldName(path)}</li>
                ))}
              </ul>
            </Alert>
          )}
        </Dialog>
      )}
    </>
  );
}

function Amendments({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply } = record;
  const [text, setText] = useState("");
  const [busy, run] = useBusy();
  const add = (): Promise<void> =>
    run(async () => {
      const id = await client.newId();
      if (await apply({ do: "amend", id, at: Date.now(), path: "", text: text.trim() })) setText("");
    });
  return (
    <section class="card-plain flex flex-col gap-3">
      {view.seal && (
        <p class="font-medium">{t("end/sealed_at", { by: view.seal.by, at: formatDateTime(view.seal.at) })}</p>
      )}
      <h2 class="section-title">{t("end/amendments")}</h2>
      <ul class="flex flex-col gap-2">
        {view.amendments.map((amendment) => (
          <li key={amendment.id} class="border-base-300 border-l-4 pl-3">
            <p class="whitespace-pre-line">{amendment.text}</p>
            <p class="muted text-sm">{t("app/by_at", { by: amendment.by, at: formatDateTime(amendment.at) })}</p>
          </li>
        ))}
      </ul>
      <Field label={t("end/amend_text")}>
        {(id) => (
          <textarea
            id={id}
            class="textarea w-full"
            rows={3}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <button type="button" class="btn btn-primary" disabled={text.trim() === "" || busy} onClick={() => void add()}>
        {t("end/amend")}
      </button>
    </section>
  );
}
