/** What the core and its pages tell each other: states, events and refusals. The operations are in `tabs/operations.ts`. */
import type { SyncStatus } from "../wasm/doorstep";

export type { ListMark, ListPage, ListRow, RecordState, SyncStatus } from "../wasm/doorstep";

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
  | { type: "status"; status: SyncStatus }
  /** Bytes received of a large reply so far; null once it is whole. */
  | { type: "receiving"; bytes: number | null }
  | { type: "list" }
  | { type: "record"; id: string }
  /** Attachments of a record on this phone have changed. */
  | { type: "attachments"; id: string }
  | { type: "save"; save: SaveState }
  /** The watched visit has changed; null once it is over. */
  | { type: "safety"; safety: SafetyState | null }
  /** Progress of re-encryption under a new data key. */
  | { type: "rotation"; rotation: RotationState }
  /** The core failed and was restarted from the store. */
  | { type: "restarted" }
  /** The office requires a new sign-in; work continues without it. */
  | { type: "signed_out" }
  /** The session has changed in another tab. */
  | { type: "session"; state: StartState }
  /** The app is about to be locked: pages save typed text. */
  | { type: "locking" };

/** A visit that the office watches over. */
export interface SafetyState {
  /** A UUID. */
  id: string;
  record: string;
  /** When the check-out is due, ms. */
  due_at: number;
  /** When an alarm was raised, ms. */
  alarm_at: number | null;
  /** The collector has checked out. */
  ended: boolean;
  /** When the office confirmed this state, ms; null while it does not know it. */
  confirmed_at: number | null;
  /** Who at the office takes care of the alarm. */
  seen_by: string | null;
}

/** Where an alarm was raised, degrees. */
export interface SafetyPosition {
  lat: number;
  lon: number;
}

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

/** What the lender tells all phones; empty until the office has sent it. */
export interface Lender {
  name: string;
  /** How to complain. */
  complaints: string;
  /** How lists are sorted, most important rule first; earlier offices do not send it. */
  queue_order?: string[];
}

/** What a phone needs to subscribe to notices, and its subscription. */
export interface PushState {
  /** The office's public key, base64url. */
  key: string | null;
  subscription: { endpoint: string; from_minute: number; until_minute: number } | null;
}

/** A subscription to notices; hours in minutes after midnight of `zone`. */
export interface PushSubscriptionRequest {
  endpoint: string;
  p256dh: string;
  auth: string;
  zone: string;
  from_minute: number;
  until_minute: number;
}

/** What the office asks this phone for. */
export interface PendingSupport {
  request: SupportRequest | null;
}

/** A support bundle that the office asks for. */
export interface SupportRequest {
  id: string;
  /** Display name of the person who asked. */
  requested_by: string;
  requested_at: number;
}

/** The user's own figures, the newest month first. */
export interface OwnFigures {
  counted_at: number;
  months: OwnMonth[];
}

export interface OwnMonth {
  /** `YYYY-MM` */
  month: string;
  visits: number;
  /** Of the visits, those where a rule was not kept. */
  visits_failed: number;
  /** Of the others, those where an answer to a rule is missing. */
  visits_unknown: number;
  promises: number;
  promises_kept: number;
  promises_broken: number;
}

/** The device that a phone is enrolled as, with the office's proof if the phone has it. */
export interface EnrolledDevice {
  device: string;
  proof?: string | undefined;
}

export interface StorageState {
  /** Whether the browser promised not to delete the data, or has no means to promise that. */
  persistence: "granted" | "not_granted" | "unsupported";
  /** Bytes in use and at most, if the browser says. */
  room: { usage: number; quota: number } | null;
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
