/** What the core and its pages tell each other: states, events and refusals. The operations are in `tabs/operations.ts`. */
import type { RecordState, Status, VisitSummary } from "../wasm/doorstep";

export type { RecordState, Status as SyncStatus } from "../wasm/doorstep";

/** How the user unlocks the app: a PIN of digits, or a passphrase. */
export type Secret = "pin" | "phrase";

export type StartState =
  | { kind: "signed_out" }
  /** A PIN has to be chosen; data on this phone stays. */
  | { kind: "choose_pin" }
  /** `unsent` changes; `wait` ms until the next PIN; `ended` is why the office has revoked this device, which erases itself after the unlock. */
  | { kind: "locked"; secret: Secret; unsent: number; wait: number; ended: string | null }
  | { kind: "ready"; user: string; role: string }
  | { kind: "failed"; code: string }
  /** The office has revoked this device; it has uploaded its work and erased everything. */
  | { kind: "ended"; code: string };

/** A row of the list: a summary of the record and its state between phone and office. */
export interface ListRow extends VisitSummary {
  state: RecordState;
  unsent: number;
  /** It has a draft of a form. */
  begun: boolean;
  problem: string | null;
}

/** How far a page has read the list of one workspace. */
export interface ListMark {
  workspace: string;
  version: number;
}

/** Changes of the list since a mark, in pages, so that a long list does not block drawing. */
export interface ListPage {
  mark: ListMark;
  /** The mark is of another workspace: this is the list from its beginning. */
  fresh: boolean;
  /** Rows by record id; null where the record is gone. */
  rows: [string, ListRow | null][];
  more: boolean;
}

/** Progress of re-encryption: values done, of all; `at` in ms. */
export type RotationState =
  | { state: "running"; done: number; total: number }
  /** A pass failed and will be retried. */
  | { state: "waiting"; code: string }
  | { state: "finished"; at: number };

export interface SaveState {
  state: "saving" | "saved" | "failed";
  reason?: string;
}

export type CoreEvent =
  | { type: "status"; status: Status }
  | { type: "list" }
  | { type: "record"; id: string }
  /** Attachments of a record on this phone have changed. */
  | { type: "attachments"; id: string }
  | { type: "save"; save: SaveState }
  /** Progress of re-encryption under a new data key. */
  | { type: "rotation"; rotation: RotationState }
  /** The core failed and was restarted from the store. */
  | { type: "restarted" }
  /** The office requires a new sign-in; work continues without it. */
  | { type: "signed_out" }
  /** The session has changed in another tab. */
  | { type: "session"; state: StartState }
  /** The app is about to be locked: pages save what is typed. */
  | { type: "locking" };

/** What a collector signs. */
export interface Reading {
  /** A UUIDv7. A repeated request with the same id adds no second signature. */
  id: string;
  /** ms */
  at: number;
  /** Heads of the state that was shown. */
  heads: string[];
  /** The text that was read back, as it was shown. */
  text: string;
}

/** Details of the lender; empty until the office has given them. */
export interface Lender {
  name: string;
  /** How to complain. */
  complaints: string;
}

/** The device that a phone is enrolled as, with the office's proof if the phone has it. */
export interface EnrolledDevice {
  device: string;
  proof?: string | undefined;
}

export interface StorageState {
  persisted: boolean;
  usage: number;
  quota: number;
}

/** A refusal with a stable code; the sentences are in i18n under `error`. */
export class ClientError extends Error {
  constructor(
    readonly code: string,
    readonly path = "",
    message = code,
  ) {
    super(message);
    this.name = "ClientError";
  }
}
