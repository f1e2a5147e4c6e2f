/** What a worker sends to its page: events, and refusals of calls. */
import { ClientError, type CoreEvent } from "../api";
import { StorageError } from "../store/database";
import type { UnlockPass } from "../store/pinLock";
import { OfficeError } from "./office";

export type WorkerEvent = CoreEvent | { type: "poisoned" } | { type: "pass"; pass: UnlockPass | null };

/** A refusal in a form that can be posted to the page. */
export interface Refusal {
  code: string;
  path: string;
  message: string;
}

let listener: (event: WorkerEvent) => void = () => undefined;

/** Sends events to a listener from now on, and to no other. */
export function subscribe(next: (event: WorkerEvent) => void): void {
  listener = next;
}

export function emit(event: WorkerEvent): void {
  listener(event);
}

export function toRefusal(cause: unknown): Refusal {
  if (cause instanceof ClientError) return { code: cause.code, path: cause.path, message: cause.message };
  if (cause instanceof OfficeError || cause instanceof StorageError) {
    // After a takeover a new worker starts from the store (`remote.run`).
    const code = cause.code === "taken_over" ? "restarted" : cause.code;
    return { code, path: "", message: cause.message };
  }
  if (typeof cause === "object" && cause !== null && "code" in cause) return cause as Refusal;
  return { code: "failed", path: "", message: String(cause) };
}
