/** Locks the app on request and after a time without input. */
import { effect, signal } from "@preact/signals";
import { writePreference, readPreference } from "../ui/preferences";
import { client, enterSession, beginLocking, pendingEdits, session, unsavedFields } from "./state";

const IDLE_KEY = "doorstep.idle";
/** Minutes to choose from. */
export const IDLE_CHOICES = ["1", "2", "5", "10", "15"] as const;
export type Idle = (typeof IDLE_CHOICES)[number];
const DEFAULT: Idle = "5";
/** Interval of the check. Timers of hidden pages run late, so a page also checks when it is shown. */
const CHECK_MS = 5_000;
/** Typed text reaches the worker within this time; the worker waits for its own writes. */
const FLUSH_MS = 3_000;

function storedIdle(): Idle {
  const text = readPreference(IDLE_KEY);
  return IDLE_CHOICES.find((minutes) => minutes === text) ?? DEFAULT;
}

export const idleMinutes = signal<Idle>(storedIdle());

export function setIdleMinutes(next: Idle): void {
  writePreference(IDLE_KEY, next);
  idleMinutes.value = next;
}

/** Two clocks: one that cannot be set, and one that runs while the phone sleeps. */
const now = (): [number, number] => [performance.now(), Date.now()];
let lastInput = now();
const channel = new BroadcastChannel("doorstep-touched");
let lastBroadcast = 0;

/** Restarts the idle time: after input, and while a recording runs. */
export function resetIdleTimer(): void {
  if (isIdle()) return;
  lastInput = now();
  if (lastInput[0] - lastBroadcast < CHECK_MS) return;
  lastBroadcast = lastInput[0];
  channel.postMessage(null);
}

function isIdle(): boolean {
  const limit = Number(idleMinutes.value) * 60_000;
  return now().some((at, clock) => at - (lastInput[clock] ?? 0) >= limit);
}

/** Saves typed text, then locks every tab. */
export async function lockNow(): Promise<void> {
  if (session.value?.kind !== "ready") return;
  beginLocking();
  const until = performance.now() + FLUSH_MS;
  while ((pendingEdits.value > 0 || unsavedFields.value > 0) && performance.now() < until) {
    await new Promise((done) => setTimeout(done, 20));
  }
  await enterSession(await client.lock());
}

function lockIfIdle(): void {
  if (session.value?.kind === "ready" && isIdle()) void lockNow();
}

/** Starts watching for input. */
export function watchIdle(): void {
  for (const type of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(type, resetIdleTimer, { capture: true, passive: true });
  }
  channel.onmessage = () => (lastInput = now());
  setInterval(lockIfIdle, CHECK_MS);
  document.addEventListener("visibilitychange", lockIfIdle);
  addEventListener("pageshow", lockIfIdle);
  // Unlocking counts as input.
  effect(() => {
    if (session.value?.kind === "ready") lastInput = now();
  });
}
