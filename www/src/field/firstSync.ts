/** The steps of the first sync, and how long each has taken. */
import { computed, effect, signal } from "@preact/signals";
import type { SyncStatus } from "../core/api";
import { practising } from "./practiceMode";
import { rows, status } from "./state";

export const FIRST_SYNC_STEPS = ["contact", "download", "compare"] as const;
export type FirstSyncStep = (typeof FIRST_SYNC_STEPS)[number];

/** The current step; null once both sides have proved to hold the same, or if there is no office to reach. */
export const firstSyncStep = computed(() => (practising ? null : stepOf(status.value, rows.value?.length ?? 0)));

function stepOf(state: SyncStatus | null, held: number): FirstSyncStep | null {
  if (!state) return null;
  const { first_sync: progress } = state;
  if (progress) return progress.received < progress.total ? "download" : "compare";
  // Before the first reply there is nothing to show yet. Any other problem needs the pages of the app.
  const waiting = state.state === "syncing" || state.state === "offline";
  return waiting && state.in_step_at === null && held === 0 ? "contact" : null;
}

/** Duration of the steps that are over, ms. */
export const firstSyncTimes = signal<Partial<Record<FirstSyncStep, number>>>({});

let current: { step: FirstSyncStep; since: number } | null = null;

effect(() => {
  const step = firstSyncStep.value;
  if (step === (current?.step ?? null)) return;
  const now = performance.now();
  if (current) {
    const { step: ended, since } = current;
    firstSyncTimes.value = { ...firstSyncTimes.peek(), [ended]: Math.round(now - since) };
  }
  current = step && { step, since: now };
});
