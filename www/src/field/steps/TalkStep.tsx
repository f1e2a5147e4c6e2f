/** Step 4: the conversation: reason for the delay, willingness, repayment options and promise. */
import { MessageCircle, MessageCircleOff } from "lucide-preact";
import type { JSX } from "preact";
import type { Command, OverdueReason, Willingness } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDateTime, fromLocalInput, toLocalInput } from "../../ui/format";
import { Choices } from "../../ui/components";
import { advance } from "../advance";
import { AutosaveText } from "../AutosaveText";
import { FieldAnchor } from "../MissingFields";
import { undoCommands } from "../undoCommands";
import type { OpenRecord } from "../useRecord";
import { REASONS, WILLINGNESS } from "../formOptions";
import { RepaymentOptions } from "./RepaymentOptions";
import { PromiseSection } from "./PromiseToPay";

export function TalkStep({ record }: { record: OpenRecord }): JSX.Element {
  const { view, readOnly, apply, applyWithUndo } = record;
  const { talk } = view;
  const choose = (key: "overdue_reason" | "willingness", value: string, message: string): void => {
    if (talk[key] === value) return;
    const patch = { do: "edit_talk", [key]: value } as Command;
    void applyWithUndo(patch, message, undoCommands("talk", { [key]: talk[key] }));
  };
  const clear = (key: "overdue_reason" | "willingness"): void =>
    void applyWithUndo(
      { do: "clear", paths: [`talk.${key}`] },
      t("app/undone", { what: word("field", `talk.${key}`) }),
      undoCommands("talk", { [key]: talk[key] }),
    );
  const choice = <T extends string>(
    key: "overdue_reason" | "willingness",
    options: readonly T[],
    value: T | null,
    text: (option: T) => string,
  ): JSX.Element => (
    <FieldAnchor paths={[`talk.${key}`]}>
      <Choices<T>
        label={word("field", `talk.${key}`)}
        control={`talk.${key}`}
        options={options}
        value={value}
        readOnly={readOnly}
        word={text}
        onChange={(next, byTap) => {
          choose(key, next, text(next));
          if (byTap) advance(`talk.${key}`);
        }}
        onClear={() => clear(key)}
      />
    </FieldAnchor>
  );
  return (
    <>
      <section class="card-plain grid gap-3 sm:grid-cols-2">
        <TalkTime record={record} field="talk_from" />
        <TalkTime record={record} field="talk_to" />
      </section>
      <section class="card-plain flex flex-col gap-5">
        {choice<OverdueReason>("overdue_reason", REASONS, talk.overdue_reason, (option) => word("reason", option))}
        {choice<Willingness>("willingness", WILLINGNESS, talk.willingness, (option) => word("willingness", option))}
        <AutosaveText
          label={word("field", "talk.overdue_reason_text")}
          control="talk.overdue_reason_text"
          lines={3}
          readOnly={readOnly}
          value={talk.overdue_reason_text}
          onSave={(overdue_reason_text) => apply({ do: "edit_talk", overdue_reason_text })}
        />
      </section>
      <RepaymentOptions record={record} />
      <PromiseSection record={record} />
    </>
  );
}

/** Start or end of the conversation: a button that records the current time, then a field to correct it. */
function TalkTime({ record, field }: { record: OpenRecord; field: "talk_from" | "talk_to" }): JSX.Element {
  const { view, readOnly, apply, applyWithUndo } = record;
  const at = view.visit[field];
  const zone = view.visit.zone || view.case.zone;
  if (at === null && !readOnly) {
    const Icon = field === "talk_from" ? MessageCircle : MessageCircleOff;
    return (
      <button
        type="button"
        class={`btn ${field === "talk_from" ? "btn-tonal" : "btn-quiet"}`}
        onClick={() =>
          void applyWithUndo(
            { do: "edit_visit", [field]: Date.now() },
            t(`talk/${field}_done`),
            undoCommands("visit", { [field]: null }),
          )
        }
      >
        <Icon class="size-5" aria-hidden="true" />
        {t(`talk/${field}`)}
      </button>
    );
  }
  return (
    <AutosaveText
      label={word("field", `visit.${field}`)}
      control={`visit.${field}`}
      type="datetime-local"
      readOnly={readOnly}
      value={toLocalInput(at, zone)}
      shown={at === null ? "" : formatDateTime(at, zone)}
      check={(text) => (fromLocalInput(text, zone) === null ? t("appointment/time_needed") : undefined)}
      onSave={async (text) => {
        const ms = fromLocalInput(text, zone);
        return ms === null ? null : apply({ do: "edit_visit", [field]: ms });
      }}
    />
  );
}
