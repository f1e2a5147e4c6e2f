/** The list's filters: kept in the address, handed on to the office and to exports as they stand. */

export const STAGES = ["assigned", "contacted", "scheduled", "on_site", "recorded", "sealed", "reviewed"] as const;
export const REVIEWS = ["pending", "accepted", "returned"] as const;
export const FLAGS = [
  "dispute",
  "complaint",
  "attorney",
  "vulnerable",
  "cease_contact",
  "active_plan",
  "bankruptcy",
  "deceased",
  "bereavement",
] as const;
export const FORMATS = ["csv", "xlsx", "jsonl", "automerge"] as const;
export const SORTS = ["updated", "due", "case_no", "overdue"] as const;
export type Sort = (typeof SORTS)[number];
export type Direction = "asc" | "desc";

/** What narrows the list, order aside. */
const NARROWING = ["q", "stage", "collector", "review", "hold", "conflicts", "unassigned"] as const;

export const sortOf = (filters: URLSearchParams): Sort =>
  SORTS.find((sort) => sort === filters.get("sort")) ?? "updated";

/** Newest and largest first, days and numbers in their order, unless chosen otherwise. */
export function directionOf(filters: URLSearchParams): Direction {
  const chosen = filters.get("dir");
  if (chosen === "asc" || chosen === "desc") return chosen;
  const sort = sortOf(filters);
  return sort === "updated" || sort === "overdue" ? "desc" : "asc";
}

export const isNarrowed = (filters: URLSearchParams): boolean => NARROWING.some((key) => filters.get(key));

/** The office's query for an address: only what it knows, and an order that is said outright. */
export function officeQuery(search: string): URLSearchParams {
  const filters = new URLSearchParams(search);
  const query = new URLSearchParams();
  for (const key of NARROWING) {
    const value = filters.get(key)?.trim();
    if (value) query.set(key, value);
  }
  query.set("sort", sortOf(filters));
  query.set("dir", directionOf(filters));
  return query;
}

/** The address with one filter changed; an empty value takes it away. */
export function withFilter(search: string, key: string, value: string): string {
  const next = new URLSearchParams(search);
  if (value) next.set(key, value);
  else next.delete(key);
  // Another order starts from its own first direction.
  if (key === "sort") next.delete("dir");
  return next.toString();
}

/** The address with its order only. */
export function withoutFilters(search: string): string {
  const next = new URLSearchParams(search);
  for (const key of NARROWING) next.delete(key);
  return next.toString();
}
