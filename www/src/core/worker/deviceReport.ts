/**
 * Tells the office how this phone is: unsent changes, storage, clock, failed rounds. No location and
 * nothing of a record. At most once an hour, or a few minutes after something changed.
 */
import type { SyncStatus } from "../../wasm/doorstep";
import { workerState } from "./state";

/** A pause after a round, which matters more. */
const PAUSE_MS = 5_000;
const CHANGED_MS = 5 * 60_000;
const UNCHANGED_MS = 60 * 60_000;

let timer: ReturnType<typeof setTimeout> | undefined;
/** When the last report was tried, and what it said that matters. */
let last: { at: number; said: string } | undefined;

/** Plans the next report after a change of the status; only while the office seems to be in reach. */
export function planDeviceReport(status: SyncStatus): void {
  if (status.state === "offline" || status.state === "syncing") return;
  const wait = !last ? 0 : last.at + (last.said === gist(status) ? UNCHANGED_MS : CHANGED_MS) - Date.now();
  clearTimeout(timer);
  timer = setTimeout(() => void send(), Math.max(wait, PAUSE_MS));
}

/** What is worth a report before the hour is over. */
function gist({ unsent, problem, clock_skew_ms }: SyncStatus): string {
  return JSON.stringify([unsent > 0, problem, Math.round((clock_skew_ms ?? 0) / 60_000)]);
}

async function send(): Promise<void> {
  const { office, driver } = workerState;
  if (!office || !driver || driver.isStopped) return;
  const status = driver.call((workspace) => workspace.status());
  last = { at: Date.now(), said: gist(status) };
  const { unsent, oldest_unsent_at, clock_skew_ms } = status;
  try {
    await office.reportDevice({
      unsent,
      oldest_unsent_age_ms: oldest_unsent_at === null ? null : Math.max(0, Date.now() - oldest_unsent_at),
      persisted: await isPersisted(),
      clock_skew_ms,
    });
  } catch {
    // The failures stay counted; the next change of the status, or the hour, tries again.
  }
}

/** Null where the browser does not say. */
async function isPersisted(): Promise<boolean | null> {
  const storage = navigator.storage as Partial<StorageManager> | undefined;
  return (await storage?.persisted?.().catch(() => null)) ?? null;
}
