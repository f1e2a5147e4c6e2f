/** Step 2: the appointment, which is valid only once the borrower agreed. */
import { CalendarCheck2, CalendarClock, CalendarX2 } from "lucide-preact";
import type { JSX } from "preact";
import type {
  AppointmentPatch,
  AppointmentProposal,
  AppointmentStatus,
  AppointmentView,
  Command,
  ProposedBy,
} from "../../wasm/doorstep";
import { t, word, type TextKey } from "../../i18n";
import { formatDateTime, formatWindow, fromLocalInput, toLocalInput } from "../../ui/format";
import { Choices, TextField, useBusy } from "../../ui/components";
import { AutosaveText } from "../AutosaveText";
import { DraftNotice } from "../DraftNotices";
import { AppointmentCheck } from "../conduct/DepartureCheck";
import { Wishes } from "../conduct/Wishes";
import { useForm } from "../useForm";
import { FieldAnchor } from "../MissingFields";
import type { OpenRecord } from "../useRecord";
import { PROPOSERS } from "../formOptions";

/** Default length of an appointment. */
export const HOUR_MS = 3_600_000;

/** Clears what a proposal wrote, and the borrower's answer. */
export function proposalUndo(proposal: AppointmentProposal): Command {
  const paths = [...Object.keys(proposal), "status", "zone"].map((key) => `appointment.${key}`);
  return { do: "clear", paths };
}

export function AppointmentStep({ record }: { record: OpenRecord }): JSX.Element {
  return (
    <>
      <AppointmentSection record={record} />
      <Wishes record={record} />
    </>
  );
}

function AppointmentSection({ record }: { record: OpenRecord }): JSX.Element {
  return record.view.appointment.status === null && !record.readOnly ? (
    <FieldAnchor paths={["appointment.starts_at", "appointment.ends_at", "appointment.place", "appointment.status"]}>
      <ProposalForm record={record} />
    </FieldAnchor>
  ) : (
    <ProposedAppointment record={record} />
  );
}

function ProposalForm({ record }: { record: OpenRecord }): JSX.Element {
  const { zone, address } = record.view.case;
  const form = useForm(record, "appointment", {
    from: "",
    to: "",
    place: address,
    side: "collector" as ProposedBy,
    remark: "",
  });
  const { from, to, place, side, remark } = form.fields;
  const [busy, run] = useBusy();
  const starts_at = fromLocalInput(from, zone);
  const ends_at = fromLocalInput(to, zone);
  const ordered = starts_at === null || ends_at === null || ends_at > starts_at;
  const complete = starts_at !== null && ends_at !== null && ordered && place.trim() !== "";
  const choose = (text: string): void => {
    const start = fromLocalInput(text, zone);
    const needsEnd = start !== null && (ends_at === null || ends_at <= start);
    form.set(needsEnd ? { from: text, to: toLocalInput(start + HOUR_MS, zone) } : { from: text });
  };
  const propose = (agreed: boolean): Promise<void> =>
    run(async () => {
      if (starts_at === null || ends_at === null) return;
      const proposal = { starts_at, ends_at, place: place.trim(), proposed_by: side, borrower_remark: remark.trim() };
      const message = t("appointment/status", { status: word("appointment", "proposed") });
      const undo = { message, commands: [proposalUndo(proposal)] };
      if (!(await form.submit({ do: "propose_appointment", ...proposal }, undo)) || !agreed) return;
      await record.applyWithUndo({ do: "answer_appointment", status: "agreed" }, word("appointment", "agreed"), [
        { do: "answer_appointment", status: "proposed" },
      ]);
    });
  return (
    <section class="card-plain flex flex-col gap-5">
      <p class="muted">{t("appointment/not_proposed")}</p>
      <TextField
        label={t("appointment/date")}
        type="datetime-local"
        control="appointment.from"
        hint={t("appointment/zone", { zone })}
        value={from}
        onInput={choose}
      />
      <div role="group" aria-label={t("appointment/quick")} class="flex flex-wrap gap-2">
        {quickStarts(Date.now(), zone).map(([key, at]) => (
          <button
            key={key}
            type="button"
            class="btn btn-quiet rounded-full px-3.5"
            onClick={() => choose(toLocalInput(at, zone))}
          >
            {t(key)}
          </button>
        ))}
      </div>
      <TextField
        label={t("appointment/end")}
        type="datetime-local"
        min={from}
        error={ordered ? undefined : t("appointment/end_before")}
        {...form.bind("to")}
      />
      <TextField label={t("appointment/place")} {...form.bind("place")} />
      <Choices<ProposedBy>
        label={t("appointment/by")}
        options={PROPOSERS}
        look="segments"
        word={(option) => word("proposed", option)}
        {...form.bind("side")}
      />
      <TextField label={t("appointment/remark")} lines={2} {...form.bind("remark")} />
      <div class="choice-grid">
        <button type="button" class="btn btn-primary" disabled={!complete || busy} onClick={() => void propose(true)}>
          {t("appointment/propose_agreed")}
        </button>
        <button type="button" class="btn btn-quiet" disabled={!complete || busy} onClick={() => void propose(false)}>
          {t("appointment/propose")}
        </button>
      </div>
      <DraftNotice form={form} />
    </section>
  );
}

/** Usual starts in the borrower's time zone; those that are over are left out. */
function quickStarts(now: number, zone: string): [TextKey, number][] {
  const day = (offset: number, clock: string): number =>
    fromLocalInput(`${toLocalInput(now + offset * 24 * HOUR_MS, zone).slice(0, 10)}T${clock}`, zone) ?? 0;
  const all: [TextKey, number][] = [
    ["appointment/now", now],
    ["appointment/in_an_hour", now + HOUR_MS],
    ["appointment/today_evening", day(0, "18:00")],
    ["appointment/tomorrow_morning", day(1, "10:00")],
    ["appointment/tomorrow_evening", day(1, "18:00")],
  ];
  return all.filter(([, at]) => at >= now);
}

const ANSWERS: readonly [AppointmentStatus, TextKey, string][] = [
  ["agreed", "appointment/agree", "btn-primary col-span-full"],
  ["declined", "appointment/decline", "btn-quiet"],
  ["cancelled", "appointment/cancel", "btn-quiet"],
];

function ProposedAppointment({ record }: { record: OpenRecord }): JSX.Element {
  const { view, apply, applyWithUndo, readOnly } = record;
  const { appointment } = view;
  const { zone } = view.case;
  const edit = (patch: AppointmentPatch): ReturnType<typeof apply> => apply({ do: "edit_appointment", ...patch });
  const move = async (key: "starts_at" | "ends_at", text: string): ReturnType<typeof apply> => {
    const at = fromLocalInput(text, zone);
    return at === null ? null : edit(moved(appointment, key, at));
  };
  const answer = (status: AppointmentStatus): void => {
    const before = appointment.status;
    const undo: Command[] = before ? [{ do: "answer_appointment", status: before }] : [];
    void applyWithUndo({ do: "answer_appointment", status }, word("appointment", status), undo);
  };
  const time = (key: "starts_at" | "ends_at"): { value: string; shown: string } => {
    const at = appointment[key];
    return { value: toLocalInput(at, zone), shown: at === null ? "" : formatDateTime(at, zone) };
  };
  return (
    <>
      <FieldAnchor paths={["appointment.status"]}>
        <section class="card-plain flex flex-col gap-4">
          <Status appointment={appointment} zone={zone} />
          {!readOnly && (
            <div class="choice-grid">
              {ANSWERS.filter(([status]) => status !== appointment.status).map(([status, key, tone]) => (
                <button key={status} type="button" class={`btn ${tone}`} onClick={() => answer(status)}>
                  {t(key)}
                </button>
              ))}
            </div>
          )}
        </section>
      </FieldAnchor>
      <AppointmentCheck record={record} />
      <section class="card-plain flex flex-col gap-5">
        <FieldAnchor paths={["appointment.starts_at"]}>
          <AutosaveText
            label={t("appointment/date")}
            control="appointment.starts_at"
            type="datetime-local"
            hint={t("appointment/zone", { zone })}
            readOnly={readOnly}
            {...time("starts_at")}
            check={(text) => (fromLocalInput(text, zone) === null ? t("appointment/time_needed") : undefined)}
            onSave={(text) => move("starts_at", text)}
          />
        </FieldAnchor>
        <FieldAnchor paths={["appointment.ends_at"]}>
          <AutosaveText
            label={t("appointment/end")}
            control="appointment.ends_at"
            type="datetime-local"
            readOnly={readOnly}
            {...time("ends_at")}
            check={(text) => {
              const at = fromLocalInput(text, zone);
              if (at === null) return t("appointment/time_needed");
              return at <= (appointment.starts_at ?? 0) ? t("appointment/end_before") : undefined;
            }}
            onSave={(text) => move("ends_at", text)}
          />
        </FieldAnchor>
        <FieldAnchor paths={["appointment.place"]}>
          <AutosaveText
            label={t("appointment/place")}
            control="appointment.place"
            readOnly={readOnly}
            value={appointment.place}
            onSave={(place) => edit({ place })}
          />
        </FieldAnchor>
        <Choices<ProposedBy>
          label={t("appointment/by")}
          control="appointment.proposed_by"
          options={appointment.proposed_by === "office" ? [...PROPOSERS, "office"] : PROPOSERS}
          look="segments"
          value={appointment.proposed_by}
          readOnly={readOnly}
          word={(option) => word("proposed", option)}
          onChange={(proposed_by) => void edit({ proposed_by })}
        />
        <AutosaveText
          label={t("appointment/remark")}
          control="appointment.borrower_remark"
          lines={2}
          readOnly={readOnly}
          value={appointment.borrower_remark}
          onSave={(borrower_remark) => edit({ borrower_remark })}
        />
      </section>
    </>
  );
}

/** Status and time of the appointment. */
function Status({ appointment, zone }: { appointment: AppointmentView; zone: string }): JSX.Element {
  const { status, starts_at } = appointment;
  const off = status === "declined" || status === "cancelled";
  const look =
    status === "agreed"
      ? { tone: "text-success", Icon: CalendarCheck2 }
      : off
        ? { tone: "muted", Icon: CalendarX2 }
        : { tone: "text-accent", Icon: CalendarClock };
  return (
    <div class="flex items-start gap-3">
      <look.Icon class={`mt-0.5 size-7 shrink-0 ${look.tone}`} aria-hidden="true" />
      <div class="min-w-0">
        <h3 class="section-title">
          {status ? t("appointment/status", { status: word("appointment", status) }) : t("appointment/none")}
        </h3>
        {starts_at !== null && (
          <p class={`tabular-nums ${off ? "muted line-through" : ""}`}>
            {formatWindow(starts_at, appointment.ends_at, zone)}
          </p>
        )}
      </div>
    </div>
  );
}

/** Moves one end of the appointment; a start after the end moves the end too, keeping the length. */
function moved(appointment: AppointmentView, key: "starts_at" | "ends_at", at: number): AppointmentPatch {
  const { starts_at, ends_at } = appointment;
  if (key === "ends_at" || ends_at === null || at < ends_at) return { [key]: at };
  return { starts_at: at, ends_at: at + (starts_at === null ? HOUR_MS : ends_at - starts_at) };
}
