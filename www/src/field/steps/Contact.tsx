/** Step 1: calls and messages; every attempt is logged, none is ever changed. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Channel, ContactOutcome, TargetRole } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDateTime } from "../../ui/format";
import { Choices, Field, Select, useBusy } from "../../ui/parts";
import { client } from "../state";
import type { OpenRecord } from "../useRecord";

const CHANNELS: readonly Channel[] = ["call", "sms", "message", "email", "letter", "visit"];
const PERSONS: readonly TargetRole[] = ["borrower", "guarantor", "representative", "third_party", "nobody"];
const OUTCOMES: readonly ContactOutcome[] = [
  "reached",
  "no_answer",
  "busy",
  "invalid_number",
  "left_message",
  "refused",
  "sent",
];

export function ContactStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly } = record;
  return (
    <>
      {!readOnly && <LogContact record={record} />}
      <section class="card-plain flex flex-col gap-3">
        <h2 class="section-title">{t("con/past")}</h2>
        {view.contacts.length === 0 && <p class="muted">{t("con/none")}</p>}
        <ol class="flex flex-col gap-3">
          {[...view.contacts].reverse().map((contact) => (
            <li key={contact.id} class="border-base-300 border-l-4 pl-3">
              <p class="font-medium">
                {word("channel", contact.channel)} · {word("outcome", contact.outcome)} ·{" "}
                {word("person", contact.target_role)}
              </p>
              <p class="muted text-sm">
                {t("app/by_at", { by: contact.by, at: formatDateTime(contact.at, contact.zone) })}
              </p>
              {contact.note && <p class="text-sm whitespace-pre-line">{contact.note}</p>}
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}

function LogContact({ record }: { record: OpenRecord }): JSX.Element {
  const { phones } = record.view.case;
  const numbers = phones.map((_, at) => `phones.${at}`);
  const [channel, setChannel] = useState<Channel>("call");
  const [number, setNumber] = useState(numbers[0] ?? "");
  const [person, setPerson] = useState<TargetRole>("borrower");
  const [outcome, setOutcome] = useState<ContactOutcome | null>(null);
  const [note, setNote] = useState("");
  const [busy, run] = useBusy();
  const log = (): Promise<void> =>
    run(async () => {
      if (outcome === null) return;
      const id = await client.newId();
      const saved = await record.apply({
        do: "log_contact",
        id,
        at: Date.now(),
        channel,
        number_ref: number,
        target_role: person,
        outcome,
        note: note.trim(),
      });
      if (!saved) return;
      setOutcome(null);
      setNote("");
    });
  return (
    <section class="card-plain flex flex-col gap-4">
      <h2 class="section-title">{t("con/log")}</h2>
      <Choices<Channel>
        label={t("con/channel")}
        options={CHANNELS}
        value={channel}
        word={(option) => word("channel", option)}
        onChange={setChannel}
      />
      {numbers.length > 0 && (
        <Select
          label={t("con/number")}
          options={numbers}
          value={number}
          empty={t("con/other_number")}
          word={(option) => phones[Number(option.slice("phones.".length))] ?? option}
          onChange={setNumber}
        />
      )}
      <Choices<TargetRole>
        label={t("con/whom")}
        options={PERSONS}
        value={person}
        word={(option) => word("person", option)}
        onChange={setPerson}
      />
      <Choices<ContactOutcome>
        label={t("con/outcome")}
        options={OUTCOMES}
        value={outcome}
        word={(option) => word("outcome", option)}
        onChange={setOutcome}
      />
      <Field label={t("con/note")}>
        {(id) => (
          <textarea
            id={id}
            class="textarea w-full"
            rows={2}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        )}
      </Field>
      <button type="button" class="btn btn-primary" disabled={outcome === null || busy} onClick={() => void log()}>
        {t("con/save")}
      </button>
    </section>
  );
}
