/** Entry point of the leading tab's worker: one wasm workspace, its store, its link to the office. */
import * as Comlink from "comlink";
import { StorageError } from "../store/database";
import { auth } from "./auth";
import { subscribe, toRefusal, type Refusal } from "./messages";
import { officeReports } from "./officeReports";
import { records } from "./records";
import { safety } from "./safety";
import { poison, syncNow } from "./startWorkspace";
import { workerState } from "./state";

/** How each is delivered is declared in `tabs/operations.ts`. */
const methods = { ...auth, ...records, ...safety, ...officeReports, syncNow };

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
      if (cause instanceof StorageError && cause.code === "taken_over") poison(cause);
      return { refusal: toRefusal(cause), poisoned: workerState.poisoned };
    }
  },
};

export type Remote = typeof remote;

Comlink.expose(remote);
