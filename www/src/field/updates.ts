/** The service worker: "ready offline" and "update available" are states that a person sees. */
import { signal } from "@preact/signals";
import { registerSW } from "virtual:pwa-register";

export const offlineReady = signal(false);
export const updateReady = signal(false);

let update: ((reload?: boolean) => Promise<void>) | undefined;

/** A browser looks for a new version on its own only when a page is loaded; this app stays open for days. */
const LOOK_EVERY_MS = 3_600_000;

/** Good news needs no tap to go away, and covers what stands at the foot of a page meanwhile. */
const READY_SHOWN_MS = 10_000;

export function watchUpdates(): void {
  update = registerSW({
    immediate: true,
    onOfflineReady() {
      offlineReady.value = true;
      setTimeout(() => (offlineReady.value = false), READY_SHOWN_MS);
    },
    onNeedRefresh: () => (updateReady.value = true),
    onRegisteredSW(_url, registration) {
      let looked = Date.now();
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState !== "visible" || Date.now() - looked < LOOK_EVERY_MS) return;
        looked = Date.now();
        void registration?.update().catch(() => undefined);
      });
    },
  });
}

/** Reloads into the new version; only a person's tap calls it. */
export function updateNow(): void {
  void update?.(true);
}
