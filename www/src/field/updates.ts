/** The service worker: "ready offline" and "update available" are states that a person sees. */
import { signal } from "@preact/signals";
import { registerSW } from "virtual:pwa-register";

export const offlineReady = signal(false);
export const updateReady = signal(false);

let update: ((reload?: boolean) => Promise<void>) | undefined;

export function watchUpdates(): void {
  update = registerSW({
    immediate: true,
    onOfflineReady: () => (offlineReady.value = true),
    onNeedRefresh: () => (updateReady.value = true),
  });
}

/** Reloads into the new version; only a person's tap calls it. */
export function updateNow(): void {
  void update?.(true);
}
