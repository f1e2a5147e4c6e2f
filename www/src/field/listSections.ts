/**
 * Groups the list into sections, by day, area or kind of work, and searches it.
 *
 * Lists hold thousands of rows. A row is the same object until it changes, so what searching
 * needs is computed once per row object.
 */
import type { ListRow } from "../core/api";
import type { Work } from "../wasm/doorstep";
import type { TextKey } from "../i18n";
import { deviceZone, fromLocalInput, today } from "../ui/format";

/** Records due within this many days are in the section "Due soon". */
const SOON_DAYS = 3;
const DAY_MS = 86_400_000;

/** A calendar day in the phone's time zone: start inclusive, end exclusive, in ms. */
export interface Day {
  from: number;
  to: number;
  /** `YYYY-MM-DD`. */
  date: string;
  /** The last date that counts as soon, `YYYY-MM-DD`. */
  soon: string;
}

/** The day of a date `YYYY-MM-DD`. */
export function dayOf(date: string): Day {
  const zone = deviceZone();
  const start = (day: string): number => fromLocalInput(`${day}T00:00`, zone) ?? 0;
  const noon = start(date) + DAY_MS / 2;
  return {
    from: start(date),
    to: start(today(zone, noon + DAY_MS)),
    date,
    soon: today(zone, noon + SOON_DAYS * DAY_MS),
  };
}

export const GROUPINGS = ["day", "area", "work"] as const;
export type Grouping = (typeof GROUPINGS)[number];

interface Section {
  key: string;
  /** The text key of its title; an area has a name instead. */
  title: TextKey | null;
  name: string;
  rows: ListRow[];
  /** Rows begin with the time of their appointment. */
  byTime: boolean;
}

/** Sections of a day, in this order. */
const DAY_SECTIONS = ["list/today", "list/overdue", "list/due", "list/returned", "list/planned", "list/rest"] as const;
const BY_TIME: readonly string[] = ["list/today", "list/planned"];

/** Kinds of work, what can be done at once first. */
const WORK: readonly Work[] = ["correct", "visit", "arrange", "contact", "finish", "follow_up", "hold"];

/**
 * Non-empty sections. What needs attention comes first and what is submitted last, however the rest
 * is grouped. A row is in the first section that applies to it.
 */
export function groupRows(list: readonly ListRow[], day: Day, grouping: Grouping): Section[] {
  const sections = new Map<string, Section>();
  const add = (key: string, row: ListRow, name = ""): void => {
    const title = name === "" ? (key as TextKey) : null;
    const section = sections.get(key) ?? { key, title, name, rows: [], byTime: key === "list/today" };
    section.rows.push(row);
    sections.set(key, section);
  };
  for (const row of list) {
    if (row.state === "attention") add("list/attention", row);
    else if (row.work === "done") add("list/done", row);
    else if (grouping === "day") add(daySection(row, day), row);
    else if (grouping === "work") add(`work/${row.work}`, row);
    else if (row.area === "") add("list/no_area", row);
    else add(`area/${row.area}`, row, row.area);
  }
  for (const { key, rows } of sections.values()) rows.sort(BY_TIME.includes(key) ? byStart : byOrder);
  const inner = [...sections.values()].filter(({ key }) => !OUTER.includes(key));
  if (grouping === "area") inner.sort(byFirstRow);
  else inner.sort((a, b) => rank(a.key) - rank(b.key));
  const found = (key: string): Section[] => [...sections.values()].filter((section) => section.key === key);
  return [...found("list/attention"), ...inner, ...found("list/no_area"), ...found("list/done")];
}

const OUTER: readonly string[] = ["list/attention", "list/no_area", "list/done"];
const RANKS: readonly string[] = [...DAY_SECTIONS, ...WORK.map((work) => `work/${work}`)];
const rank = (key: string): number => RANKS.indexOf(key);

function daySection(row: ListRow, day: Day): (typeof DAY_SECTIONS)[number] {
  const at = isPlanned(row) ? row.starts_at : null;
  if (at !== null && at >= day.from && at < day.to) return "list/today";
  const due = earliest(row.due_by, row.promise?.due_date ?? "");
  if (due !== "" && due < day.date) return "list/overdue";
  if (due !== "" && due <= day.soon) return "list/due";
  if (row.state === "returned") return "list/returned";
  return at !== null && at >= day.to ? "list/planned" : "list/rest";
}

/** Whether the appointment stands. */
export function isPlanned({ appointment_status: status }: ListRow): boolean {
  return status !== "cancelled" && status !== "declined";
}

function earliest(one: string, other: string): string {
  return one === "" || (other !== "" && other < one) ? other : one;
}

function byStart(a: ListRow, b: ListRow): number {
  return (a.starts_at ?? 0) - (b.starts_at ?? 0);
}

/** By the office's rules, see `record/queue.rs`. */
function byOrder(a: ListRow, b: ListRow): number {
  return compare(a.order, b.order);
}

/** The area with the most urgent record first. */
function byFirstRow(a: Section, b: Section): number {
  return compare(a.rows[0]?.order ?? "", b.rows[0]?.order ?? "");
}

/** Rows that pass the filter and contain the query in their name, case number or address; the order stays. */
export function search(sections: readonly Section[], query: string, passes: (row: ListRow) => boolean): Section[] {
  const needle = normalize(query.trim());
  return sections
    .map((section) => ({
      ...section,
      rows: section.rows.filter((row) => passes(row) && precompute(row).text.includes(needle)),
    }))
    .filter(({ rows }) => rows.length > 0);
}

interface RowIndex {
  /** The text that a search looks through. */
  text: string;
}

const indexes = new WeakMap<ListRow, RowIndex>();

/** Computes what searching needs; called as rows arrive, to spread the work. */
export function precompute(row: ListRow): RowIndex {
  const known = indexes.get(row);
  if (known) return known;
  const index = {
    text: normalize(`${row.borrower_name}\n${row.case_no}\n${row.address}`),
  };
  indexes.set(row, index);
  return index;
}

/** Full-width digits and letters match their plain forms. */
function normalize(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** By code unit: dates and case numbers need no locale, and `localeCompare` is far slower. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
