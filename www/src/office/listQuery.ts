/** The list's filters and sort order in the address, in the office's query, and in exports. */

export const STAGES = ["assigned", "contacted", "scheduled", "on_site", "recorded", "sealed", "reviewed"] as const;
export const REVIEWS = ["pending", "accepted", "returned"] as const;
export const FORMATS = ["csv", "xlsx", "jsonl", "automerge"] as const;
export const SORTS = ["updated", "due", "case_no", "overdue"] as const;
export type Sort = (typeof SORTS)[number];
export type Direction = "asc" | "desc";

/** Filters, as opposed to the sort order. */
const FILTER_KEYS = [
  ...["q", "stage", "collector", "review", "hold", "conflicts", "unassigned"],
  // What the dashboard counts.
  ...["event", "from", "to", "zone", "visited", "met", "outcome", "reason", "dpd", "promise", "rule", "answer"],
] as const;

export const sortOf = (filters: URLSearchParams): Sort =>
  SORTS.find((sort) => sort === filters.get("sort")) ?? "updated";

/** By default newest or largest first; due dates and case numbers ascending. */
export function directionOf(filters: URLSearchParams): Direction {
  const chosen = filters.get("dir");
  if (chosen === "asc" || chosen === "desc") return chosen;
  const sort = sortOf(filters);
  return sort === "updated" || sort === "overdue" ? "desc" : "asc";
}

export const hasFilters = (filters: URLSearchParams): boolean => FILTER_KEYS.some((key) => filters.get(key));

/** The office's query for an address: known filters and an explicit order. */
export function officeQuery(search: string): URLSearchParams {
  const filters = new URLSearchParams(search);
  const query = new URLSearchParams();
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

/** The address without filters, which keeps the order. */
export function withoutFilters(search: string): string {
  const next = new URLSearchParams(search);
  for (const key of FILTER_KEYS) next.delete(key);
  return next.toString();
}
