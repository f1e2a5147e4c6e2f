/** The core as pages see it: the operations of the worker, wherever it runs, and its events. */
import type { CoreEvent, StartState, StorageState } from "../api";
import { requestPersistence, storageState } from "../store/quota";
import { callsOver, OPERATIONS, type Calls } from "./operations";
import { Router } from "./router";
import { spawnWorker, WorkerHost } from "./workerHost";

interface Client extends Calls {
  storage(): Promise<StorageState>;
  /** Calls back for every event; returns what ends that. */
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

/** Connects a page to the core over a store: the phone's own, or the one of the practice mode. */
export function connect(store: string): Client {
  const router = new Router({
    store,
    tab: crypto.randomUUID(),
    channel: new BroadcastChannel(store),
    locks: navigator.locks,
    timers: { set: (callback, ms) => window.setTimeout(callback, ms), clear: (timer) => window.clearTimeout(timer) },
    startHost: (context) => new WorkerHost(() => spawnWorker(store), context),
  });
  let persistRequested = false;
  const calls = callsOver((method, args) => {
    if (OPERATIONS[method].persist && !persistRequested) {
      persistRequested = true;
      // Not awaited: a save must not wait for the browser's answer.
      void requestPersistence();
    }
    return router.run(method, args);
  });

  // The browser's `online` is a hint: only a round shows whether the office can be reached.
  const hint = (): void => void calls.syncNow().catch(() => undefined);
  addEventListener("online", hint);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") hint();
  });

  return {
    ...calls,
    async lock(): Promise<StartState> {
      // The pages of every tab save typed text before the key is dropped.
      router.broadcast({ type: "locking" });
      await new Promise((done) => setTimeout(done, 0));
      return calls.lock();
    },
    storage: storageState,
    subscribe: (listener) => router.subscribe(listener),
  };
}
