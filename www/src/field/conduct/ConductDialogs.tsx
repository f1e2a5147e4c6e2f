/** What is written down about a rule; every entry is written once and stays. */
import type { ComponentChildren, JSX } from "preact";
import type { Command, Grade, NoticeAbout, PlaceType, RuleAnswer } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { ruleText, weekdays } from "../../ui/conduct";
import { fromLocalInput, toLocalInput } from "../../ui/format";
import { Choices, Dialog, Select, TextField, useBusy } from "../../ui/components";
import { useForm, type Form } from "../useForm";
import { client } from "../state";
import type { OpenRecord } from "../useRecord";
import { PLACES } from "../formOptions";

interface Props {
  answer: RuleAnswer;
  record: OpenRecord;
  onClose: () => void;
}

/** For how long the borrower agrees, unless said otherwise: what most visits need. */
const HOURS_MS = 2 * 3_600_000;
const MINUTE_MS = 60_000;
/** A device records neither of the two by itself. */
const GRADES: readonly Grade[] = ["attested", "counterparty_confirmed"];

function Entry(props: {
  title: string;
  /** What it is about. */
  about: string;
  text: string;
  save: string;
  ready: boolean;
  form: Pick<Form<unknown>, "handIn" | "discard">;
  command: (id: string) => Command;
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const [busy, run] = useBusy();
  const { form, onClose } = props;
  const save = (): Promise<void> =>
    run(async () => {
      if (await form.handIn(props.command(await client.newId()))) onClose();
    });
  return (
    <Dialog
      title={props.title}
      onClose={onClose}
      actions={
        <>
          <button type="button" class="btn btn-ghost" onClick={() => (form.discard(), onClose())}>
            {t("app/cancel")}
          </button>
          <button type="button" class="btn btn-primary" disabled={!props.ready || busy} onClick={() => void save()}>
            {props.save}
          </button>
        </>
      }
    >
      {props.about && <p class="font-medium">{props.about}</p>}
      <p class="muted text-sm">{props.text}</p>
      {props.children}
    </Dialog>
  );
}

/** Why somebody goes on in spite of a warning. */
export function ReasonDialog(props: Props): JSX.Element {
  const { rule } = props.answer;
  const form = useForm(props.record, `reason.${rule}`, { reason: "" });
  const { reason } = form.fields;
  return (
    <Entry
      title={t("conduct/page/reason_title")}
      about={ruleText(props.answer.rule, props.answer.title)}
      text={t("conduct/page/reason_text")}
      save={t("conduct/page/reason_save")}
      ready={reason.trim() !== ""}
      form={form}
      command={(id) => ({ do: "override_warning", id, rule, reason: reason.trim(), at: Date.now() })}
      onClose={props.onClose}
    >
      <TextField label={t("conduct/page/reason_label")} lines={3} value={reason} onInput={form.into("reason")} />
    </Entry>
  );
}

/** That the borrower agrees to what a rule forbids, for a time. */
export function ConsentDialog(props: Props & { from: number }): JSX.Element {
  const { zone } = props.record.view.case;
  const begin = Math.floor(props.from / MINUTE_MS) * MINUTE_MS;
  const { rule } = props.answer;
  const form = useForm(props.record, `consent.${rule}`, {
    since: toLocalInput(begin, zone),
    until: toLocalInput(begin + HOURS_MS, zone),
    grade: "attested" as Grade,
    note: "",
  });
  const { since, until, grade, note } = form.fields;
  const from = fromLocalInput(since, zone);
  const to = fromLocalInput(until, zone);
  const ordered = from !== null && to !== null && to > from;
  return (
    <Entry
      title={t("conduct/page/consent_title")}
      about={ruleText(props.answer.rule, props.answer.title)}
      text={t("conduct/page/consent_text")}
      save={t("conduct/page/consent_save")}
      ready={ordered && note.trim() !== ""}
      form={form}
      command={(id) => ({
        do: "give_consent",
        id,
        rule,
        from: from ?? 0,
        until: to ?? 0,
        grade,
        note: note.trim(),
        at: Date.now(),
      })}
      onClose={props.onClose}
    >
      <TextField
        label={t("conduct/page/consent_from")}
        type="datetime-local"
        hint={t("appointment/zone", { zone })}
        value={since}
        onInput={form.into("since")}
      />
      <TextField
        label={t("conduct/page/consent_until")}
        type="datetime-local"
        min={since}
        value={until}
        error={ordered ? undefined : t("appointment/end_before")}
        onInput={form.into("until")}
      />
      <Evidence value={grade} onChange={form.into("grade")} />
      <TextField label={t("conduct/page/consent_note")} lines={2} value={note} onInput={form.into("note")} />
    </Entry>
  );
}

/** What the borrower was told, and when. */
export function NoticeDialog(props: Props): JSX.Element {
  const { zone } = props.record.view.case;
  const { params } = props.answer;
  const about = (params instanceof Map ? params.get("about") : undefined) as NoticeAbout | undefined;
  const form = useForm(props.record, `notice.${props.answer.rule}`, {
    told: "",
    grade: "attested" as Grade,
    note: "",
  });
  const { told, grade, note } = form.fields;
  const at = fromLocalInput(told, zone);
  return (
    <Entry
      title={t("conduct/page/notice_title", { about: t(`conduct/about/${about ?? "visit"}`) })}
      about={ruleText(props.answer.rule, props.answer.title)}
      text={t("conduct/page/notice_text")}
      save={t("conduct/page/notice_save")}
      ready={at !== null}
      form={form}
      command={(id) => ({
        do: "record_notice",
        id,
        about: about ?? "visit",
        at: at ?? 0,
        grade,
        note: note.trim(),
      })}
      onClose={props.onClose}
    >
      <TextField
        label={t("conduct/page/notice_at")}
        type="datetime-local"
        hint={t("appointment/zone", { zone })}
        value={told}
        onInput={form.into("told")}
      />
      <Evidence value={grade} onChange={form.into("grade")} />
      <TextField label={t("conduct/page/notice_note")} lines={2} value={note} onInput={form.into("note")} />
    </Entry>
  );
}

const ALL_DAYS = 127;
const DAY_MINUTES = 1440;

/** A time that the borrower does not want. */
export function WishDialog(props: Pick<Props, "record" | "onClose">): JSX.Element {
  const form = useForm(props.record, "wish", {
    days: String(ALL_DAYS),
    from: "",
    until: "",
    place: "" as PlaceType | "",
    note: "",
  });
  const { from, until, place, note } = form.fields;
  const days = Number(form.fields.days);
  const starts = minutes(from);
  // Midnight ends a day.
  const ends = minutes(until) === 0 ? DAY_MINUTES : minutes(until);
  const ordered = starts === null || ends === null || ends > starts;
  return (
    <Entry
      title={t("conduct/page/wish_title")}
      about=""
      text={t("conduct/page/wish_text")}
      save={t("conduct/page/wish_save")}
      ready={starts !== null && ends !== null && ordered && days > 0}
      form={form}
      command={(id) => ({
        do: "record_wish",
        id,
        days,
        starts: starts ?? 0,
        ends: ends ?? 0,
        place: place === "" ? null : place,
        note: note.trim(),
        at: Date.now(),
      })}
      onClose={props.onClose}
    >
      <fieldset class="flex flex-col gap-2">
        <legend class="label-text pb-2">{t("conduct/page/wish_days")}</legend>
        <div class="flex flex-wrap gap-x-4">
          {weekdays().map((name, day) => (
            <label key={name} class="flex min-h-11 items-center gap-2">
              <input
                type="checkbox"
                class="checkbox min-h-0"
                checked={(days & (1 << day)) !== 0}
                onChange={() => form.set({ days: String(days ^ (1 << day)) })}
              />
              {name}
            </label>
          ))}
        </div>
      </fieldset>
      <TextField
        label={t("conduct/page/wish_from")}
        type="time"
        hint={t("appointment/zone", { zone: props.record.view.case.zone })}
        value={from}
        onInput={form.into("from")}
      />
      <TextField
        label={t("conduct/page/wish_until")}
        type="time"
        value={until}
        error={ordered ? undefined : t("appointment/end_before")}
        onInput={form.into("until")}
      />
      <Select<PlaceType>
        label={t("conduct/page/wish_place")}
        options={PLACES}
        value={place}
        empty={t("conduct/page/wish_anywhere")}
        word={(one) => word("place", one)}
        onChange={form.into("place")}
      />
      <TextField label={t("conduct/page/wish_note")} lines={2} value={note} onInput={form.into("note")} />
    </Entry>
  );
}

/** Minutes since midnight of `HH:mm`. */
function minutes(text: string): number | null {
  const [, hours, rest] = /^(\d\d):(\d\d)/.exec(text) ?? [];
  return hours === undefined || rest === undefined ? null : Number(hours) * 60 + Number(rest);
}

function Evidence(props: { value: Grade; onChange: (grade: Grade) => void }): JSX.Element {
  return (
    <Choices<Grade>
      label={t("conduct/page/evidence")}
      options={GRADES}
      value={props.value}
      word={(grade) => word("grade", grade)}
      onChange={props.onChange}
    />
  );
}
