/** What goes from the worker to its page: events, and refusals of calls. */
import { ClientError, type CoreEvent } from "../api";
import type { UnlockPass } from "../store/pinLock";
import { OfficeError } from "./office";
import { StorageError } from "../store/deviceStore";

export type WorkerEvent = CoreEvent | { type: "poisoned" } | { type: "pass"; pass: UnlockPass | null };

/** A refusal as it crosses to the page. */
export interface Refusal {
  code: string;
  path: string;
  message: string;
}

let listener: (event: WorkerEvent) => void = () => undefined;

export function subscribe(heard: (event: WorkerEvent) => void): void {
  listener = heard;
}

export function tell(event: WorkerEvent): void {
  listener(event);
}

export function named(cause: unknown): Refusal {
  if (cause instanceof ClientError) return { code: cause.code, path: cause.path, message: cause.message };
  if (cause instanceof OfficeError || cause instanceof StorageError) {
    // A new worker starts from the store (`remote.run`).
    const code = cause.code === "taken_over" ? "restarted" : cause.code;
    return { code, path: "", message: cause.message };
  }
  if (typeof cause === "object" && cause !== null && "code" in cause) return cause as Refusal;
  return { code: "failed", path: "", message: String(cause) };
}
