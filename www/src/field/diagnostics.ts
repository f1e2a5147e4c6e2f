/**
 * The support bundle: technical facts for the support team, which the user reads before sharing
 * them. It names no person, case, address or record, and has no text that anybody typed: every
 * value is a number, a yes or no, or one of the program's own words.
 */
import { effect } from "@preact/signals";
import { lang } from "../i18n";
import { textSize, theme } from "../ui/theme";
import { firstSyncTimes } from "./firstSync";
import { installMethod } from "./installPrompt";
import { missingFiles } from "./missingFiles";
import { practising } from "./practiceMode";
import { recording } from "./recording";
import { safetyState } from "./safety";
import { client, clock, expired, rows, saveState, session, status } from "./state";
import { offlineReady } from "./updates";

export const VERSION = __VERSION__;

/** Sync states that are remembered, in memory. */
const MAX_EVENTS = 60;
interface SyncEvent {
  at: string;
  state: string;
  problem: string | null;
  unsent: number;
}
const events: SyncEvent[] = [];

/** Remembers how syncing went since the app was opened. */
export function watchSyncStates(): void {
  effect(() => {
    const now = status.value;
    if (!now) return;
    const last = events.at(-1);
    const event = { state: ownWord(now.state), problem: now.problem && ownWord(now.problem), unsent: now.unsent };
    if (last && last.state === event.state && last.problem === event.problem && last.unsent === event.unsent) return;
    events.push({ at: new Date().toISOString(), ...event });
    if (events.length > MAX_EVENTS) events.shift();
  });
}

/** The program's words are lower case; whatever else gets here is not shown. */
function ownWord(value: unknown): string {
  return typeof value === "string" && /^[a-z][a-z0-9_-]{0,30}$/.test(value) ? value : "?";
}

export async function diagnostics(): Promise<string> {
  const [storage, attachmentsWaiting] = await Promise.all([
    client.storage().catch(() => null),
    client.attachmentsWaiting().catch(() => null),
  ]);
  const facts = {
    version: VERSION,
    at: new Date().toISOString(),
    browser: navigator.userAgent,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: `${innerWidth} × ${innerHeight} @ ${devicePixelRatio}`,
    settings: { language: lang.value, theme: theme.value, text: textSize.value },
    installed: installMethod() === "installed",
    offline_ready: offlineReady.value,
    first_sync_ms: firstSyncTimes.value,
    online: navigator.onLine,
    practice: practising,
    session: { state: ownWord(session.value?.kind), expired: expired.value },
    features: features(),
    permissions: await permissions(),
    storage,
    saving: saveState.value && {
      state: ownWord(saveState.value.state),
      reason: ownWord(saveState.value.reason ?? "none"),
    },
    sync: status.value,
    sync_events: events,
    records: records(),
    unsent: unsent(),
    attachments: {
      waiting: attachmentsWaiting,
      records_with_missing: missingFiles.value.size,
      recording: recording.value && { length_ms: recording.value.length, gaps: recording.value.gaps.length },
    },
    check_out: safetyState.value && {
      confirmed: safetyState.value.confirmed_at !== null,
      alarm: safetyState.value.alarm_at !== null,
      ended: safetyState.value.ended,
    },
  };
  return JSON.stringify(facts, null, 2);
}

/** How many records are in each state. */
function records(): Record<string, Record<string, number>> {
  const counts: Record<string, Record<string, number>> = { states: {}, problems: {}, stages: {}, work: {} };
  const count = (kind: string, value: string): void => {
    const group = (counts[kind] ??= {});
    group[ownWord(value)] = (group[ownWord(value)] ?? 0) + 1;
  };
  for (const row of rows.value ?? []) {
    count("states", row.state);
    count("stages", row.stage);
    count("work", row.work);
    if (row.problem) count("problems", row.problem);
  }
  return counts;
}

/** Records with unsent work, the oldest first, without their names or ids. */
function unsent(): object[] {
  const waiting = (rows.value ?? []).filter((row) => row.unsent > 0 || row.problem !== null);
  const age = ({ unsent_since: since }: { unsent_since: number | null }): number | null =>
    since === null ? null : Math.round((clock.value - since) / 60_000);
  return waiting
    .sort((a, b) => (a.unsent_since ?? 0) - (b.unsent_since ?? 0))
    .slice(0, MAX_EVENTS)
    .map((row) => ({
      changes: row.unsent,
      age_min: age(row),
      state: ownWord(row.state),
      stage: ownWord(row.stage),
      problem: row.problem && ownWord(row.problem),
      draft: row.has_draft,
      files_missing: missingFiles.value.get(row.id) ?? 0,
    }));
}

/** What the browser offers of all that the app uses where it can. */
function features(): Record<string, boolean> {
  return {
    wake_lock: "wakeLock" in navigator,
    share: "share" in navigator,
    persist: typeof navigator.storage?.persist === "function",
    locks: "locks" in navigator,
    geolocation: "geolocation" in navigator,
    microphone: Boolean(navigator.mediaDevices) && typeof MediaRecorder !== "undefined",
    service_worker: Boolean(navigator.serviceWorker?.controller),
    vibrate: "vibrate" in navigator,
  };
}

async function permissions(): Promise<Record<string, string>> {
  const names = ["geolocation", "microphone", "notifications"] as const;
  const asked = names.map(async (name) => {
    const state = await navigator.permissions.query({ name: name as PermissionName }).catch(() => null);
    return [name, ownWord(state?.state ?? "unknown")] as const;
  });
  return Object.fromEntries(await Promise.all(asked));
}
