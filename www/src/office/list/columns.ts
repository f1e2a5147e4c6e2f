/** The columns of the list: what they show, and what this browser remembers of them. */
import { signal } from "@preact/signals";
import { t, word, type TextKey } from "../../i18n";
import { formatDate, formatDateTime, formatMoney, formatWindow } from "../../ui/format";
import { readPreference, writePreference } from "../../ui/preferences";
import type { OfficeRow } from "../api";
import type { Sort } from "./query";

export interface Column {
  key: string;
  title: TextKey;
  /** Initial width, in pixels. */
  width: number;
  sort?: Sort;
  /** Numbers are aligned to the right. */
  end?: boolean;
  /** One line of text, for the screen and for copies. */
  text: (row: OfficeRow) => string;
}

export const COLUMNS: readonly Column[] = [
  { key: "case_no", title: "office/case_no", width: 128, sort: "case_no", text: (row) => row.case_no },
  { key: "borrower", title: "office/column/borrower", width: 104, text: (row) => row.borrower_name },
  {
    key: "overdue",
    title: "office/overdue",
    width: 120,
    sort: "overdue",
    end: true,
    text: (row) => formatMoney(row.overdue, row.currency),
  },
  { key: "dpd", title: "office/column/dpd", width: 64, end: true, text: (row) => String(row.days_past_due) },
  { key: "stage", title: "office/stage", width: 164, text: (row) => word("stage", row.stage) },
  { key: "collectors", title: "office/collector", width: 112, text: (row) => row.collectors.join(", ") },
  { key: "due_by", title: "office/due_by", width: 108, sort: "due", text: (row) => dateOf(row.due_by) },
  { key: "marks", title: "office/column/marks", width: 132, text: (row) => marks(row).join(", ") },
  { key: "appointment", title: "office/appointment", width: 176, text: appointment },
  {
    key: "outcome",
    title: "office/outcome",
    width: 128,
    text: (row) => (row.disposition ? word("disposition", row.disposition) : ""),
  },
  {
    key: "promise",
    title: "office/column/promise",
    width: 168,
    text: (row) => row.promise_due && `${dateOf(row.promise_due)} · ${formatMoney(row.promise_amount, row.currency)}`,
  },
  {
    key: "priority",
    title: "office/column/priority",
    width: 88,
    text: (row) => word("priority", String(row.priority)),
  },
  { key: "review", title: "office/review", width: 96, text: (row) => word("review", row.review_status) },
  { key: "address", title: "office/column/address", width: 260, text: (row) => row.address },
  {
    key: "updated",
    title: "office/updated",
    width: 140,
    sort: "updated",
    text: (row) => formatDateTime(row.updated_at),
  },
];

const dateOf = (date: string): string => (date ? formatDate(date) : "");

function appointment(row: OfficeRow): string {
  if (row.starts_at === null) return "";
  return formatWindow(row.starts_at, row.ends_at);
}

/** Flags: urgent, held, in conflict. */
export function marks(row: OfficeRow): string[] {
  const found = row.holds.map((hold) => word("flag", hold));
  if (row.conflicts > 0) found.push(t("list/conflict_badge"));
  if (row.priority === 1) found.push(word("priority", "1"));
  return found;
}

/** Shown columns in their order, and changed widths. */
interface Layout {
  shown: string[];
  widths: Record<string, number>;
}

const STORED = "doorstep.office.columns";
const HIDDEN_AT_FIRST = ["appointment", "priority", "review", "address"];
const MIN_WIDTH = 48;
const MAX_WIDTH = 640;

const defaults = (): Layout => ({
  shown: COLUMNS.map(({ key }) => key).filter((key) => !HIDDEN_AT_FIRST.includes(key)),
  widths: {},
});

/** What is stored may be of another version, or damaged. */
function stored(): Layout {
  try {
    const found = JSON.parse(readPreference(STORED) ?? "") as Partial<Layout>;
    const known = (found.shown ?? []).filter((key) => COLUMNS.some((column) => column.key === key));
    if (known.length === 0) return defaults();
    const widths = Object.entries(found.widths ?? {}).filter(([, width]) => Number.isFinite(width));
    return { shown: [...new Set(known)], widths: Object.fromEntries(widths) };
  } catch {
    return defaults();
  }
}

const layout = signal<Layout>(stored());

function change(next: Layout): void {
  layout.value = next;
  writePreference(STORED, JSON.stringify(next));
}

export const shownColumns = (): Column[] =>
  layout.value.shown.flatMap((key) => COLUMNS.find((column) => column.key === key) ?? []);

export const widthOf = (column: Column): number => layout.value.widths[column.key] ?? column.width;

export function resize(column: Column, width: number): void {
  const bounded = Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)));
  change({ ...layout.value, widths: { ...layout.value.widths, [column.key]: bounded } });
}

/** The last column cannot be hidden. */
export function toggleColumn(key: string): void {
  const { shown } = layout.value;
  const next = shown.includes(key) ? shown.filter((other) => other !== key) : [...shown, key];
  if (next.length > 0) change({ ...layout.value, shown: next });
}

/** Moves a column one place to the left. */
export function moveColumnLeft(key: string): void {
  const shown = [...layout.value.shown];
  const at = shown.indexOf(key);
  if (at < 1) return;
  shown.splice(at, 1);
  shown.splice(at - 1, 0, key);
  change({ ...layout.value, shown });
}

export const resetColumns = (): void => change(defaults());
