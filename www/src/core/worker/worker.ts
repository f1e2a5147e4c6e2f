/** The leading tab's worker: one wasm workspace, its store, its link to the office. */
import * as Comlink from "comlink";
import { admission } from "./auth";
import { here } from "./state";
import { poisoned, syncNow } from "./startWorkspace";
import { named, subscribe, type Refusal } from "./messages";
import { records } from "./records";
import { StorageError } from "../store/deviceStore";

const methods = { ...admission, ...records, syncNow };

export type Methods = typeof methods;

/** A worker that is `poisoned` takes no more calls: the page replaces it before it passes the refusal on. */
export interface RunResult {
  value?: unknown;
  refusal?: Refusal;
  poisoned?: boolean;
}

const remote = {
  subscribe,
  async run(method: keyof Methods, args: unknown[]): Promise<RunResult> {
    try {
      const call = methods[method] as (...args: unknown[]) => unknown;
      return { value: await call(...args) };
    } catch (cause) {
      // Another worker took over the store; if this tab still leads, it starts a new one.
      if (cause instanceof StorageError && cause.code === "taken_over") poisoned(cause);
      return { refusal: named(cause), poisoned: here.poisoned };
    }
  },
};

export type Remote = typeof remote;

Comlink.expose(remote);
