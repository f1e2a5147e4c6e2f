/**
 * What a day asks for, in its order, and the search over all of it.
 *
 * Lists hold thousands: what is worked out of a row is kept with the row, which stays the same
 * object until it changes.
 */
import type { ListRow } from "../core/api";
import { deviceZone, fromLocalInput, today } from "../ui/format";

/** Records due within so many days stand before the rest. */
const SOON_DAYS = 3;
const DAY_MS = 86_400_000;

/** A day where the phone is. */
export interface Day {
  from: number;
  to: number;
  /** The last date that counts as soon, `YYYY-MM-DD`. */
  soon: string;
}

/** The day of a date `YYYY-MM-DD`. */
export function dayOf(date: string): Day {
  const zone = deviceZone();
  const start = (day: string): number => fromLocalInput(`${day}T00:00`, zone) ?? 0;
  const noon = start(date) + DAY_MS / 2;
  return { from: start(date), to: start(today(zone, noon + DAY_MS)), soon: today(zone, noon + SOON_DAYS * DAY_MS) };
}

export interface Section {
  title: SectionTitle;
  rows: ListRow[];
}

const ORDER = ["list/attention", "list/today", "list/due", "list/returned", "list/rest", "list/done"] as const;
export type SectionTitle = (typeof ORDER)[number];

/** Sections in the order in which a day needs them; a record stands in the first that fits. */
export function arrange(list: readonly ListRow[], day: Day): Section[] {
  const sections = new Map<SectionTitle, ListRow[]>(ORDER.map((title) => [title, []]));
  for (const row of list) sections.get(section(row, day))?.push(row);
  sections.get("list/today")?.sort((a, b) => (a.starts_at ?? 0) - (b.starts_at ?? 0));
  sections.get("list/due")?.sort((a, b) => order(a.due_by, b.due_by) || order(facts(a).use, facts(b).use));
  for (const title of ["list/attention", "list/returned", "list/rest", "list/done"] as const) {
    sections.get(title)?.sort((a, b) => order(facts(a).use, facts(b).use));
  }
  return [...sections].filter(([, rows]) => rows.length > 0).map(([title, rows]) => ({ title, rows }));
}

function section(row: ListRow, day: Day): SectionTitle {
  if (row.state === "attention") return "list/attention";
  if (row.state === "returned") return "list/returned";
  if (row.stage === "sealed" || row.stage === "reviewed") return "list/done";
  const calledOff = row.appointment_status === "cancelled" || row.appointment_status === "declined";
  const at = row.starts_at;
  if (at !== null && at >= day.from && at < day.to && !calledOff) return "list/today";
  return row.due_by !== "" && row.due_by <= day.soon ? "list/due" : "list/rest";
}

/** What of sections passes and holds what is wanted in name, case number or address; the order stays. */
export function search(sections: readonly Section[], wanted: string, passes: (row: ListRow) => boolean): Section[] {
  const part = plain(wanted.trim());
  return sections
    .map(({ title, rows }) => ({ title, rows: rows.filter((row) => passes(row) && facts(row).text.includes(part)) }))
    .filter(({ rows }) => rows.length > 0);
}

interface Facts {
  /** What is searched. */
  text: string;
  /** Sorts by urgency, then by the last day for the visit, then by case number. */
  use: string;
}

const kept = new WeakMap<ListRow, Facts>();

function facts(row: ListRow): Facts {
  const known = kept.get(row);
  if (known) return known;
  const fresh = {
    text: plain(`${row.borrower_name}\n${row.case_no}\n${row.address}`),
    use: `${row.priority}${row.due_by || "9"} ${row.case_no}`,
  };
  kept.set(row, fresh);
  return fresh;
}

/** Works out beforehand what arranging and searching need: as rows arrive, a piece at a time. */
export function prepare(row: ListRow): void {
  facts(row);
}

/** Full-width digits and letters count as their plain ones. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Dates and case numbers need no language's rules, which cost far more. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
