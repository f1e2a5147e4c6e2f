/** Which visits a day's plan has, and how the phone's navigation app is opened. */
import type { ListRow } from "../core/api";
import type { DayStop } from "../wasm/doorstep";
import { isPlanned, type Day } from "./listSections";

/** As many as the core plans. */
export const MAX_STOPS = 40;

/**
 * Visits under way, agreed for today, or due by today: appointments first, then by the office's
 * order. What is done or on hold is none.
 */
export function visitsOf(list: readonly ListRow[], day: Day): ListRow[] {
  const isToday = (row: ListRow): boolean =>
    isPlanned(row) && row.starts_at !== null && row.starts_at >= day.from && row.starts_at < day.to;
  const isDue = (row: ListRow): boolean => row.due_by !== "" && row.due_by <= day.date && !row.starts_at;
  const isOpen = ({ work }: ListRow): boolean => work === "visit" || work === "arrange" || work === "contact";
  const rank = (row: ListRow): string => (isToday(row) ? "0" : "1") + row.order;
  return list
    .filter((row) => isOpen(row) && (row.stage === "on_site" || isToday(row) || isDue(row)))
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/**
 * Opens the phone's navigation app without a website in between: Apple's scheme on its devices, else
 * `geo:`. It gets the address, not the name.
 */
export function navigationLink(address: string, { lat, lon }: DayStop, agent = navigator.userAgent): string {
  const point = lat === null || lon === null ? "" : `${lat},${lon}`;
  const place = encodeURIComponent(address || point);
  const apple = /iPhone|iPad|Macintosh/.test(agent);
  return apple ? `maps://?daddr=${place}` : `geo:${point || "0,0"}?q=${place}`;
}
