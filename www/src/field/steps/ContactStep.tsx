/** Step 1: contacts. Every attempt is logged and cannot be changed later. */
import type { JSX } from "preact";
import type { Channel, ContactOutcome, TargetRole } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDateTime, phoneNumber } from "../../ui/format";
import { Choices, Select, TextField, useBusy } from "../../ui/components";
import { advance } from "../advance";
import { DraftNotice } from "../DraftNotices";
import { useForm } from "../useForm";
import { AgreedOnCall } from "./AgreedOnCall";
import { FieldAnchor } from "../MissingFields";
import { client, showToast } from "../state";
import type { OpenRecord } from "../useRecord";
import { CHANNELS, CONTACT_OUTCOMES, PERSONS } from "../formOptions";

/** Channels that use a phone number. */
const BY_NUMBER: readonly Channel[] = ["call", "sms", "message"];

export function ContactStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly } = record;
  return (
    <>
      {!readOnly && (
        <FieldAnchor paths={["contacts"]}>
          <ContactForm record={record} />
        </FieldAnchor>
      )}
      {!readOnly && <AgreedOnCall record={record} />}
      <section class="card-plain flex flex-col gap-3">
        <h3 class="section-title">{t("contact/past")}</h3>
        {view.contacts.length === 0 && <p class="muted">{t("contact/none")}</p>}
        <ol class="flex flex-col gap-4">
          {[...view.contacts].reverse().map((contact) => (
            <li key={contact.id} class="border-base-300 border-l-[3px] pl-3">
              <p class="font-medium">
                {word("channel", contact.channel)} · {word("outcome", contact.outcome)}
              </p>
              <p class="muted text-sm">
                {word("person", contact.target_role)} ·{" "}
                {t("app/by_at", { by: contact.by, at: formatDateTime(contact.at, contact.zone) })}
              </p>
              {contact.note && <p class="pt-1 whitespace-pre-line">{contact.note}</p>}
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}

function ContactForm({ record }: { record: OpenRecord }): JSX.Element {
  const { phones } = record.view.case;
  const numbers = phones.map((_, at) => `phones.${at}`);
  const form = useForm(record, "contact", {
    channel: "call" as Channel,
    number: numbers[0] ?? "",
    person: "borrower" as TargetRole,
    outcome: "" as ContactOutcome | "",
    note: "",
  });
  const { channel, number, person, outcome, note } = form.fields;
  const [busy, run] = useBusy();
  const byNumber = BY_NUMBER.includes(channel) && numbers.length > 0;
  const log = (): Promise<void> =>
    run(async () => {
      if (outcome === "") return;
      const logged = await form.submit({
        do: "log_contact",
        id: await client.newId(),
        at: Date.now(),
        channel,
        number_ref: byNumber ? number : "",
        target_role: person,
        outcome,
        note: note.trim(),
      });
      if (logged) showToast({ text: t("contact/logged") });
    });
  return (
    <section class="card-plain flex flex-col gap-5">
      <h3 class="section-title">{t("contact/log")}</h3>
      <Choices<Channel>
        label={t("contact/channel")}
        options={CHANNELS}
        word={(option) => word("channel", option)}
        {...form.bind("channel")}
      />
      {byNumber && (
        <Select
          label={t("contact/number")}
          options={numbers}
          empty={t("contact/other_number")}
          word={(option) => phoneNumber(option, phones)}
          {...form.bind("number")}
        />
      )}
      <Choices<TargetRole>
        label={t("contact/person")}
        options={PERSONS}
        word={(option) => word("person", option)}
        {...form.bind("person")}
      />
      <Choices<ContactOutcome>
        label={t("contact/outcome")}
        options={CONTACT_OUTCOMES}
        word={(option) => word("outcome", option)}
        {...form.bind("outcome")}
        onChange={(option, byTap) => {
          form.set({ outcome: option });
          if (byTap) advance("contact.outcome", "contact.note");
        }}
      />
      <TextField label={t("contact/note")} lines={2} {...form.bind("note")} />
      <button type="button" class="btn btn-primary" disabled={outcome === "" || busy} onClick={() => void log()}>
        {t("contact/save")}
      </button>
      <DraftNotice form={form} />
    </section>
  );
}
