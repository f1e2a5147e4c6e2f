/** Dialogs for entries about rules: reasons, consents, notices and unwanted times. Entries cannot be changed later. */
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

/** Default length of a consent: enough for most visits. */
const CONSENT_MS = 2 * 3_600_000;
const MINUTE_MS = 60_000;
/** A device captures neither consents nor notices, so `device_captured` is not offered. */
const GRADES: readonly Grade[] = ["attested", "counterparty_confirmed"];

function EntryDialog(props: {
  title: string;
  /** The rule, if the entry is about one. */
  subject: string;
  text: string;
  save: string;
  ready: boolean;
  form: Pick<Form<unknown>, "submit" | "discard">;
  command: (id: string) => Command;
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const [busy, run] = useBusy();
  const { form, onClose } = props;
  const save = (): Promise<void> =>
    run(async () => {
      if (await form.submit(props.command(await client.newId()))) onClose();
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
      {props.subject && <p class="font-medium">{props.subject}</p>}
      <p class="muted text-sm">{props.text}</p>
      {props.children}
    </Dialog>
  );
}

/** The reason for continuing despite a warning. */
export function ReasonDialog(props: Props): JSX.Element {
  const { rule } = props.answer;
  const form = useForm(props.record, `reason.${rule}`, { reason: "" });
  const { reason } = form.fields;
  return (
    <EntryDialog
      title={t("conduct/page/reason_title")}
      subject={ruleText(props.answer.rule, props.answer.title)}
      text={t("conduct/page/reason_text")}
      save={t("conduct/page/reason_save")}
      ready={reason.trim() !== ""}
      form={form}
      command={(id) => ({ do: "override_warning", id, rule, reason: reason.trim(), at: Date.now() })}
      onClose={props.onClose}
    >
      <TextField label={t("conduct/page/reason_label")} lines={3} {...form.bind("reason")} />
    </EntryDialog>
  );
}

/** The borrower's consent to something that a rule forbids, for a limited time. */
export function ConsentDialog(props: Props & { from: number }): JSX.Element {
  const { zone } = props.record.view.case;
  const begin = Math.floor(props.from / MINUTE_MS) * MINUTE_MS;
  const { rule } = props.answer;
  const form = useForm(props.record, `consent.${rule}`, {
    since: toLocalInput(begin, zone),
    until: toLocalInput(begin + CONSENT_MS, zone),
    grade: "attested" as Grade,
    note: "",
  });
  const { since, until, grade, note } = form.fields;
  const from = fromLocalInput(since, zone);
  const to = fromLocalInput(until, zone);
  const ordered = from !== null && to !== null && to > from;
  return (
    <EntryDialog
      title={t("conduct/page/consent_title")}
      subject={ruleText(props.answer.rule, props.answer.title)}
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
        {...form.bind("since")}
      />
      <TextField
        label={t("conduct/page/consent_until")}
        type="datetime-local"
        min={since}
        error={ordered ? undefined : t("appointment/end_before")}
        {...form.bind("until")}
      />
      <Evidence {...form.bind("grade")} />
      <TextField label={t("conduct/page/consent_note")} lines={2} {...form.bind("note")} />
    </EntryDialog>
  );
}

/** A notice that was given to the borrower. */
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
    <EntryDialog
      title={t("conduct/page/notice_title", { about: t(`conduct/about/${about ?? "visit"}`) })}
      subject={ruleText(props.answer.rule, props.answer.title)}
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
        {...form.bind("told")}
      />
      <Evidence {...form.bind("grade")} />
      <TextField label={t("conduct/page/notice_note")} lines={2} {...form.bind("note")} />
    </EntryDialog>
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
  // 00:00 as an end means the end of the day.
  const ends = minutes(until) === 0 ? DAY_MINUTES : minutes(until);
  const ordered = starts === null || ends === null || ends > starts;
  return (
    <EntryDialog
      title={t("conduct/page/wish_title")}
      subject=""
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
        {...form.bind("from")}
      />
      <TextField
        label={t("conduct/page/wish_until")}
        type="time"
        error={ordered ? undefined : t("appointment/end_before")}
        {...form.bind("until")}
      />
      <Select<PlaceType>
        label={t("conduct/page/wish_place")}
        options={PLACES}
        empty={t("conduct/page/wish_anywhere")}
        word={(one) => word("place", one)}
        {...form.bind("place")}
      />
      <TextField label={t("conduct/page/wish_note")} lines={2} {...form.bind("note")} />
    </EntryDialog>
  );
}

/** Minutes since midnight of `HH:mm`. */
function minutes(text: string): number | null {
  const [, hours, rest] = /^(\d\d):(\d\d)/.exec(text) ?? [];
  return hours === undefined || rest === undefined ? null : Number(hours) * 60 + Number(rest);
}

function Evidence(props: { control: string; value: Grade; onChange: (grade: Grade) => void }): JSX.Element {
  return (
    <Choices<Grade>
      label={t("conduct/page/evidence")}
      options={GRADES}
      word={(grade) => word("grade", grade)}
      {...props}
    />
  );
}
