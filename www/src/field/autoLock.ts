/** When the app locks: on demand, and when nobody has touched it for a while. */
import { effect, signal } from "@preact/signals";
import { writePreference, readPreference } from "../ui/preferences";
import { client, enter, lockSoon, saving, session, typing } from "./state";

const KEPT = "doorstep.idle";
/** Choices, minutes. */
export const IDLE = ["1", "2", "5", "10", "15"] as const;
export type Idle = (typeof IDLE)[number];
const DEFAULT: Idle = "5";
/** How often it is looked at; timers of pages in the background run late, so a return looks too. */
const LOOK_MS = 5_000;
/** What is typed is on its way to the disk within this; the worker waits for the rest. */
const FLUSH_MS = 3_000;

function kept(): Idle {
  const text = readPreference(KEPT);
  return IDLE.find((minutes) => minutes === text) ?? DEFAULT;
}

export const idle = signal<Idle>(kept());

export function setIdle(next: Idle): void {
  writePreference(KEPT, next);
  idle.value = next;
}

/** By two clocks: one that nobody sets, and one that goes on while the phone sleeps. */
const now = (): [number, number] => [performance.now(), Date.now()];
let touched = now();
const others = new BroadcastChannel("doorstep-touched");
let told = 0;

/** A person is there; so is one who is being recorded. */
export function touch(): void {
  if (isIdle()) return;
  touched = now();
  if (touched[0] - told < LOOK_MS) return;
  told = touched[0];
  others.postMessage(null);
}

function isIdle(): boolean {
  const limit = Number(idle.value) * 60_000;
  return now().some((at, clock) => at - (touched[clock] ?? 0) >= limit);
}

/** Saves what is typed, then locks every tab. */
export async function lockNow(): Promise<void> {
  if (session.value?.kind !== "ready") return;
  lockSoon();
  const until = performance.now() + FLUSH_MS;
  while ((saving.value > 0 || typing.value > 0) && performance.now() < until) {
    await new Promise((done) => setTimeout(done, 20));
  }
  await enter(await client.lock());
}

function look(): void {
  if (session.value?.kind === "ready" && isIdle()) void lockNow();
}

/** Watches for a person. */
export function watchIdle(): void {
  for (const type of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(type, touch, { capture: true, passive: true });
  }
  others.onmessage = () => (touched = now());
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
  // Whoever has just unlocked is there.
  effect(() => {
    if (session.value?.kind === "ready") touched = now();
  });
}
