/**
 * Groups the list into the sections of a day, and searches it.
 *
 * Lists hold thousands of rows. A row is the same object until it changes, so what sorting and
 * searching need is computed once per row object.
 */
import type { ListRow } from "../core/api";
import { deviceZone, fromLocalInput, today } from "../ui/format";

/** Records due within this many days are in the section "Due soon". */
const SOON_DAYS = 3;
const DAY_MS = 86_400_000;

/** A calendar day in the phone's time zone: start inclusive, end exclusive, in ms. */
interface Day {
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

const ORDER = ["list/attention", "list/today", "list/due", "list/returned", "list/rest", "list/done"] as const;
/** The text key of a section's title. */
type SectionTitle = (typeof ORDER)[number];

interface Section {
  title: SectionTitle;
  rows: ListRow[];
}

/** Non-empty sections by urgency; a row is in the first section that applies to it. */
export function groupRows(list: readonly ListRow[], day: Day): Section[] {
  const sections = new Map<SectionTitle, ListRow[]>(ORDER.map((title) => [title, []]));
  for (const row of list) sections.get(sectionOf(row, day))?.push(row);
  sections.get("list/today")?.sort((a, b) => (a.starts_at ?? 0) - (b.starts_at ?? 0));
  sections.get("list/due")?.sort((a, b) => compare(a.due_by, b.due_by) || byUrgency(a, b));
  for (const title of ["list/attention", "list/returned", "list/rest", "list/done"] as const) {
    sections.get(title)?.sort(byUrgency);
  }
  return [...sections].filter(([, rows]) => rows.length > 0).map(([title, rows]) => ({ title, rows }));
}

function sectionOf(row: ListRow, day: Day): SectionTitle {
  if (row.state === "attention") return "list/attention";
  if (row.state === "returned") return "list/returned";
  if (row.stage === "sealed" || row.stage === "reviewed") return "list/done";
  const isOff = row.appointment_status === "cancelled" || row.appointment_status === "declined";
  const at = row.starts_at;
  if (at !== null && at >= day.from && at < day.to && !isOff) return "list/today";
  return row.due_by !== "" && row.due_by <= day.soon ? "list/due" : "list/rest";
}

/** Rows that pass the filter and contain the query in their name, case number or address; the order stays. */
export function search(sections: readonly Section[], query: string, passes: (row: ListRow) => boolean): Section[] {
  const needle = normalize(query.trim());
  return sections
    .map(({ title, rows }) => ({
      title,
      rows: rows.filter((row) => passes(row) && precompute(row).text.includes(needle)),
    }))
    .filter(({ rows }) => rows.length > 0);
}

interface RowIndex {
  /** The text that a search looks through. */
  text: string;
  /** Sorts by priority, then due date, then case number. */
  urgency: string;
}

const indexes = new WeakMap<ListRow, RowIndex>();

/** Computes what sorting and searching need; called as rows arrive, to spread the work. */
export function precompute(row: ListRow): RowIndex {
  const known = indexes.get(row);
  if (known) return known;
  const index = {
    text: normalize(`${row.borrower_name}\n${row.case_no}\n${row.address}`),
    urgency: `${row.priority}${row.due_by || "9"} ${row.case_no}`,
  };
  indexes.set(row, index);
  return index;
}

function byUrgency(a: ListRow, b: ListRow): number {
  return compare(precompute(a).urgency, precompute(b).urgency);
}

/** Full-width digits and letters match their plain forms. */
function normalize(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** By code unit: dates and case numbers need no locale, and `localeCompare` is far slower. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
