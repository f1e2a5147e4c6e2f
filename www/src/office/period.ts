/** Periods of the dashboard, as dates `YYYY-MM-DD`. */
import { today } from "../ui/format";

export const PERIODS = ["today", "last_7", "last_30", "this_month", "last_month", "next_7"] as const;
export type PeriodName = (typeof PERIODS)[number];
export interface Period {
  from: string;
  to: string;
}

export function periodOf(name: PeriodName, now = today()): Period {
  const month = now.slice(0, 7);
  switch (name) {
    case "today":
      return { from: now, to: now };
    case "last_7":
      return { from: addDays(now, -6), to: now };
    case "last_30":
      return { from: addDays(now, -29), to: now };
    case "this_month":
      return monthOf(month);
    case "last_month":
      return monthOf(addDays(`${month}-01`, -1).slice(0, 7));
    case "next_7":
      return { from: now, to: addDays(now, 6) };
  }
}

/** The name of a period, if it has one today. */
export const nameOf = (period: Period): PeriodName | "" =>
  PERIODS.find((name) => {
    const { from, to } = periodOf(name);
    return from === period.from && to === period.to;
  }) ?? "";

function monthOf(month: string): Period {
  const [year = 0, number = 1] = month.split("-").map(Number);
  // Day 0 of the next month is the last one of this.
  const to = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
  return { from: `${month}-01`, to };
}

function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
