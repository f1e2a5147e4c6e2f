/**
 * What the tabs of a browser say to each other over a BroadcastChannel.
 *
 * Two versions of the app may be open while an update is under way: kinds and fields keep their names.
 */
import type { CoreEvent } from "../api";
import type { UnlockPass } from "../store/pinLock";
import type { Refusal } from "../worker/messages";
import type { Methods } from "../worker/worker";

export type Message =
  /** Asks which tab leads; also a ping, which a live leader answers at once. */
  | { kind: "who"; tab: string }
  /** The sender leads, and its worker has opened the store. */
  | { kind: "lead"; tab: string; pass: UnlockPass | null }
  | { kind: "pass"; pass: UnlockPass | null }
  | Call
  | Answer
  /** `but` is a tab that knows of the event already. */
  | { kind: "event"; event: CoreEvent; but?: string };

/** A call of an operation; `call` numbers the calls of one tab. */
export interface Call {
  kind: "call";
  tab: string;
  call: number;
  method: keyof Methods;
  args: unknown[];
}

export interface Answer {
  kind: "answer";
  to: string;
  call: number;
  value?: unknown;
  refusal?: Refusal;
}
