/** The events of a visit in order, with the device's time and when the office heard of each. */
import type { VisitView } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatSpan, formatWindow } from "../../ui/format";
import type { ReceivedEntry } from "../api";
import { pathName } from "../fieldLabels";

/** Differences that say nothing: people do not press a button at the second. */
const NOISE_MS = 5 * 60_000;
/** A device's time after the office's: its clock is wrong. */
const AHEAD_MS = 60_000;

export interface TimelineEvent {
  /** The field, for marking; empty for the office's own events. */
  path: string;
  title: string;
  detail: string;
  by: string;
  /** By the device's clock, ms. */
  at: number;
  /** By the office's clock, ms; null if unknown. */
  received: number | null;
  /** Difference that is worth a look. */
  warnings: string[];
  /** Difference that is usual offline. */
  remark: string;
}

export function timelineOf(view: VisitView, history: readonly ReceivedEntry[]): TimelineEvent[] {
  const { visit, appointment, seal, review } = view;
  // The last entry of a path has the value that the record shows.
  const latest = new Map(history.map((entry) => [entry.path, entry]));
  const events: TimelineEvent[] = [];
  const add = (path: string, at: number | null | undefined, parts: Partial<TimelineEvent> = {}): void => {
    if (at === null || at === undefined) return;
    const entry = latest.get(path);
    const received = entry?.received_at ?? null;
    const event = {
      path,
      title: pathName(path),
      detail: "",
      by: entry?.by ?? "",
      at,
      received,
      warnings: [],
      remark: "",
    };
    events.push({ ...event, warnings: entry ? lateEntry(at, entry) : [], ...parts });
  };
  for (const contact of view.contacts) {
    add(`contacts.${contact.id}.at`, contact.at, {
      path: "contacts",
      title: `${word("channel", contact.channel)} · ${word("outcome", contact.outcome)}`,
      detail: [word("person", contact.target_role), contact.note].filter(Boolean).join(" · "),
      by: contact.by,
    });
  }
  const agreed = latest.get("appointment.status") ?? latest.get("appointment.starts_at");
  if (agreed && appointment.starts_at !== null) {
    add("appointment.status", agreed.at, {
      title: t("office/reading/appointment", {
        status: appointment.status ? word("appointment", appointment.status) : word("field", "appointment"),
      }),
      detail: formatWindow(appointment.starts_at, appointment.ends_at, view.case.zone),
      by: agreed.by,
      received: agreed.received_at ?? null,
      warnings: [],
    });
  }
  add("visit.departed_at", visit.departed_at);
  add("visit.arrived_at", visit.arrived_at, { detail: punctuality(view) });
  add("visit.talk_from", visit.talk_from);
  add("visit.talk_to", visit.talk_to);
  add("visit.asked_to_leave_at", visit.asked_to_leave_at);
  add("visit.left_at", visit.left_at);
  if (seal) {
    const entry = latest.get("seal.at");
    add("seal.at", seal.at, { path: "", title: t("office/reading/sealed"), by: seal.by });
    if (entry?.received_at) {
      add("", entry.received_at, { title: t("office/reading/receipt"), received: entry.received_at });
    }
  }
  if (review.at !== null && review.status !== "pending") {
    const title = t("office/reading/reviewed", { status: word("review", review.status) });
    add("review.at", review.at, { path: "", title, by: review.by, warnings: [] });
  }
  events.sort((a, b) => a.at - b.at);
  return events.map(withDelay);
}

/** A time that was typed in later than it says. */
function lateEntry(at: number, entry: ReceivedEntry): string[] {
  const later = entry.at - at;
  return Math.abs(later) < NOISE_MS
    ? []
    : [
        t(later > 0 ? "office/reading/entered_later" : "office/reading/entered_before", {
          span: formatSpan(Math.abs(later)),
        }),
      ];
}

function withDelay(event: TimelineEvent): TimelineEvent {
  if (event.received === null || event.path === "review.at") return event;
  const delay = event.received - event.at;
  if (delay < -AHEAD_MS) {
    const ahead = t("office/reading/clock_ahead", { span: formatSpan(-delay) });
    return { ...event, warnings: [...event.warnings, ahead] };
  }
  return delay > NOISE_MS
    ? { ...event, remark: t("office/reading/received_later", { span: formatSpan(delay) }) }
    : event;
}

/** Whether the arrival was inside the agreed window. */
function punctuality({ appointment, visit }: VisitView): string {
  const { starts_at, ends_at, status } = appointment;
  if (visit.arrived_at === null || starts_at === null || status !== "agreed") return "";
  const early = starts_at - visit.arrived_at;
  const late = visit.arrived_at - (ends_at ?? Infinity);
  if (early > 0) return t("office/reading/too_early", { span: formatSpan(early) });
  if (late > 0) return t("office/reading/too_late", { span: formatSpan(late) });
  return t("office/reading/on_time");
}

/** By how much the device's clock was ahead of the office's when it last evaluated conduct, ms; null if unknown. */
export function knownSkew(view: VisitView): number | null {
  const known = view.conduct.filter(({ kind, skew }) => kind === "evaluation" && skew !== null);
  return known.at(-1)?.skew ?? null;
}
