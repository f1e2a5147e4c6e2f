/** The list's filters and sort order in the address, in the office's query, and in exports. */
import { today } from "../../ui/format";

export const STAGES = ["assigned", "contacted", "scheduled", "on_site", "recorded", "sealed", "reviewed"] as const;
export const REVIEWS = ["pending", "accepted", "returned"] as const;
export const FORMATS = ["csv", "xlsx", "jsonl", "automerge"] as const;
export const SORTS = ["updated", "due", "case_no", "overdue", "queue"] as const;
export type Sort = (typeof SORTS)[number];
export type Direction = "asc" | "desc";

/** Queues of records, in the order of the sidebar. */
export const QUEUES = [
  "unassigned",
  "due_today",
  "overdue",
  "returned",
  "to_review",
  "to_audit",
  "in_conflict",
  "conduct_failed",
  "conduct_unknown",
  "holds",
  "complaints",
  "promises_due",
  "promises_broken",
] as const;
export type Queue = (typeof QUEUES)[number];

/** Filters, as opposed to the queue and the sort order. */
const CHOSEN_KEYS = ["q", "stage", "collector", "review", "hold", "conflicts", "unassigned"] as const;
export type FilterKey = (typeof CHOSEN_KEYS)[number];
const FILTER_KEYS = [
  ...CHOSEN_KEYS,
  // What the dashboard counts.
  ...["event", "from", "to", "zone", "visited", "met", "outcome", "reason", "dpd", "promise", "rule", "answer"],
];

export const queueOf = (filters: URLSearchParams): Queue | undefined =>
  QUEUES.find((queue) => queue === filters.get("queue"));

/** A queue is sorted as phones sort it; all records by their last change. */
export const sortOf = (filters: URLSearchParams): Sort =>
  SORTS.find((sort) => sort === filters.get("sort")) ?? (queueOf(filters) ? "queue" : "updated");

/** By default newest or largest first; everything else ascending. */
export function directionOf(filters: URLSearchParams): Direction {
  const chosen = filters.get("dir");
  if (chosen === "asc" || chosen === "desc") return chosen;
  const sort = sortOf(filters);
  return sort === "updated" || sort === "overdue" ? "desc" : "asc";
}

/** The filters that are set, apart from the search. */
export const activeFilters = (filters: URLSearchParams): FilterKey[] =>
  CHOSEN_KEYS.filter((key) => key !== "q" && filters.get(key));

export const isNarrowed = (filters: URLSearchParams): boolean =>
  queueOf(filters) !== undefined || FILTER_KEYS.some((key) => filters.get(key));

/** The office's query for an address: known filters and an explicit order. */
export function officeQuery(search: string): URLSearchParams {
  const filters = new URLSearchParams(search);
  const query = new URLSearchParams();
  const queue = queueOf(filters);
  if (queue) {
    query.set("queue", queue);
    query.set("today", today());
  }
  for (const key of FILTER_KEYS) {
    const value = filters.get(key)?.trim();
    if (value) query.set(key, value);
  }
  query.set("sort", sortOf(filters));
  query.set("dir", directionOf(filters));
  return query;
}

/** The address with one filter changed; an empty value removes it. */
export function withFilter(search: string, key: string, value: string): string {
  const next = new URLSearchParams(search);
  if (value) next.set(key, value);
  else next.delete(key);
  // Every sort order has its own default direction.
  if (key === "sort") next.delete("dir");
  return next.toString();
}

/** The address sorted by a column; a second time in the other direction. */
export function sortedBy(search: string, sort: Sort): string {
  const filters = new URLSearchParams(search);
  if (sortOf(filters) !== sort) return withFilter(search, "sort", sort);
  return withFilter(search, "dir", directionOf(filters) === "asc" ? "desc" : "asc");
}

/** The address without filters, which keeps the queue and the order. */
export function withoutFilters(search: string): string {
  const next = new URLSearchParams(search);
  for (const key of FILTER_KEYS) next.delete(key);
  return next.toString();
}

/** The address of a queue, or of all records. */
export const queueAddress = (queue: Queue | ""): string => (queue ? `/?queue=${queue}` : "/");
