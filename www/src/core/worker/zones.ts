/**
 * Time zones as data for the core, from the browser's zone database, so that the core needs no copy
 * of its own.
 */
import type { ZoneData, ZoneSpan } from "../../wasm/doorstep";

const DAY = 86_400_000;
/** Span of zone data in either direction: more than any rule needs. */
const REACH = 800 * DAY;

/** The zone around an instant, ms; without spans if the browser does not know the zone. */
export function zoneAround(name: string, at: number): ZoneData {
  const from = Math.floor(at / DAY) * DAY - REACH;
  const until = from + 2 * REACH;
  const offset = offsetOf(name);
  if (!offset) return { name, spans: [], until };
  const spans: ZoneSpan[] = [{ from, offset_s: offset(from) }];
  // No zone changes twice within a week.
  const step = 7 * DAY;
  for (let start = from; start < until; start += step) {
    const before = offset(start);
    const after = offset(start + step);
    if (before === after) continue;
    let low = start;
    let high = start + step;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    spans.push({ from: high, offset_s: after });
  }
  return { name, spans, until };
}

/** Seconds east of UTC at an instant. */
function offsetOf(name: string): ((at: number) => number) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  return (at) => {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - at) / 1000);
  };
}
