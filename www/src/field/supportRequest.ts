/** The support bundle that the office asks this phone for. */
import { effect, signal } from "@preact/signals";
import type { SupportRequest } from "../core/api";
import { client, clock, session, status } from "./state";

export const supportRequest = signal<SupportRequest | null>(null);

const INTERVAL_MS = 30 * 60_000;
let asked = 0;

/** Asks the office; what was known stays if it can't be reached. */
export async function refreshSupportRequest(): Promise<void> {
  asked = Date.now();
  const pending = await client.pendingSupport().catch(() => null);
  if (pending && session.value?.kind === "ready") supportRequest.value = pending.request;
}

/** Asks at the start and every half hour while the app is open. */
export function watchSupportRequests(): void {
  effect(() => {
    const reachable = status.value && status.value.state !== "offline" && status.value.state !== "syncing";
    if (session.value?.kind !== "ready") supportRequest.value = null;
    else if (reachable && clock.value - asked >= INTERVAL_MS) void refreshSupportRequest();
  });
}
