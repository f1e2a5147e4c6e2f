/** The steps of the first sync, and how long each has taken. */
import { computed, effect, signal } from "@preact/signals";
import type { SyncStatus } from "../core/api";
import { practising } from "./practiceMode";
import { receiving, rows, status } from "./state";

export const FIRST_SYNC_STEPS = ["contact", "download", "store"] as const;
export type FirstSyncStep = (typeof FIRST_SYNC_STEPS)[number];

/** A reply has come, or most of one. */
const answered = signal(false);
effect(() => void (receiving.value !== null && (answered.value = true)));

/** The current step; null once both sides have proved to hold the same, or if there is no office to reach. */
export const firstSyncStep = computed(() => {
  if (practising || !isFirst(status.value, rows.value?.length ?? 0)) return null;
  const progress = status.value?.first_sync;
  if (receiving.value !== null || (progress && progress.received < progress.total)) return "download";
  return progress || answered.value ? "store" : "contact";
});

function isFirst(state: SyncStatus | null, held: number): boolean {
  if (!state) return false;
  if (state.first_sync) return true;
  // Before the first reply there is nothing to show yet. Any other problem needs the pages of the app.
  const waiting = state.state === "syncing" || state.state === "offline";
  return waiting && state.in_step_at === null && held === 0;
}

/** Duration of the steps, ms; a step that comes again adds to it. */
export const firstSyncTimes = signal<Partial<Record<FirstSyncStep, number>>>({});

let current: { step: FirstSyncStep; since: number } | null = null;

effect(() => {
  const step = firstSyncStep.value;
  if (step === (current?.step ?? null)) return;
  const now = performance.now();
  if (current) {
    const times = firstSyncTimes.peek();
    const took = (times[current.step] ?? 0) + Math.round(now - current.since);
    firstSyncTimes.value = { ...times, [current.step]: took };
  }
  current = step && { step, since: now };
});
