/** What the field app's views may ask of the core, and what the core tells them. */
import type { LocalAttachment, Taking } from "./attachments/attachments";
import type { RecordingRow } from "./attachments/attachmentStore";
import type { Enrolled, Lender } from "./worker/office";
import type { Secret } from "./store/pinLock";
import type { RotationState } from "./store/rotation";
import type {
  Card,
  Command,
  ConductView,
  Draft,
  FirstSync,
  HistoryEntry,
  Moment,
  NewAmendment,
  Plan,
  RecordState,
  RefusedWork,
  SyncState,
  VisitSummary,
  VisitView,
} from "../wasm/doorstep";

export type StartState =
  | { kind: "signed_out" }
  /** A PIN is to be chosen; what is on this phone, if anything, stays. */
  | { kind: "choose_pin" }
  /** `ended` says why the office has shut this phone out, where what is left waits for the unlock. */
  | { kind: "locked"; secret: Secret; unsent: number; wait: number; ended: string | null }
  | { kind: "ready"; user: string; role: string }
  | { kind: "failed"; code: string }
  /** The office shut this phone out; it has handed over what it had and erased everything. */
  | { kind: "ended"; code: string };

export type { RotationState } from "./store/rotation";
export type { RecordState } from "../wasm/doorstep";

/** A row of the list: what the record says and where it stands. */
export interface ListRow extends VisitSummary {
  state: RecordState;
  unsent: number;
  /** A form about it is begun and not handed in. */
  begun: boolean;
  problem: string | null;
}

/** How far a page has read the list of one workspace. */
export interface ListMark {
  workspace: string;
  version: number;
}

/** What changed in the list since a mark, a piece at a time, so that no piece holds a page up. */
export interface ListPage {
  mark: ListMark;
  /** The mark was another workspace's: this is the list from its beginning. */
  fresh: boolean;
  /** The row by id, or null where the record is gone. */
  rows: [string, ListRow | null][];
  more: boolean;
}

export interface SyncStatus {
  state: SyncState;
  /** Changes that the office has not confirmed. */
  unsent: number;
  oldest_unsent_at: number | null;
  /** When both sides last proved to hold the same, ms. */
  in_step_at: number | null;
  first_sync: FirstSync | null;
  /** Stable word; the sentence for it is in i18n under `problem.`. */
  problem: string | null;
  /** Device clock minus office clock. */
  clock_skew_ms: number | null;
  repairs: number;
}

export interface SaveState {
  state: "saving" | "saved" | "failed";
  reason?: string;
}

export type CoreEvent =
  | { type: "status"; status: SyncStatus }
  | { type: "list" }
  | { type: "record"; id: string }
  /** Something about a record's attachments on this phone changed. */
  | { type: "attachments"; id: string }
  | { type: "save"; save: SaveState }
  /** How far rows are re-encrypted under a new data key. */
  | { type: "rotation"; rotation: RotationState }
  /** The core failed and was started anew from what is stored. */
  | { type: "restarted" }
  /** The office wants the person to sign in again; work goes on without it. */
  | { type: "signed_out" }
  /** Somebody signed in or out in another tab. */
  | { type: "session"; state: StartState }
  /** The app is about to be locked: pages save what is typed. */
  | { type: "locking" };

/** What a collector signs. */
export interface Reading {
  /** A UUIDv7: the same signature asked for again is given once. */
  id: string;
  /** ms */
  at: number;
  /** The state that was shown. */
  heads: string[];
  /** The text that was read back, as it was shown. */
  text: string;
}

export interface StorageState {
  persisted: boolean;
  usage: number;
  quota: number;
}

/** The core as views see it. Every promise rejects with a {@link ClientError}. */
export interface Client {
  start(): Promise<StartState>;
  /** Codes: wrong_password, too_many_attempts, offline, not_collector, unsent_of_other_user. */
  signIn(name: string, password: string): Promise<StartState>;
  /** Takes over the session that the browser has come back with from the identity provider. */
  cameBack(): Promise<StartState>;
  /** The device that this phone is enrolled as, for the way to the identity provider. */
  enrolled(): Promise<Enrolled | undefined>;
  /** Codes: `unsent` while work is on this phone only, `begun` while a form is not handed in. */
  signOut(): Promise<void>;
  /** After a sign-in. Codes: pin_short, pin_digits, pin_easy, no_key_store. */
  choosePin(secret: string, kind: Secret): Promise<StartState>;
  /** Unsent work as an encrypted file that the office imports; works locked and off line. */
  rescue(): Promise<Uint8Array>;
  /** Codes: wrong_pin, pin_wait. */
  unlock(secret: string): Promise<StartState>;
  /** What is being written is written first; then key and records leave the memory. */
  lock(): Promise<StartState>;
  /**
   * The old lock or the new one stands. With the password of the office's account the data key is
   * replaced too, and rows are re-encrypted afterwards. Codes: as unlock and choosePin; with a
   * password also those of signIn, and rotation_runs.
   */
  changePin(now: string, next: string, kind: Secret, password?: string): Promise<void>;
  /** How far rows are re-encrypted, or when they were; null where they never were. */
  rotation(): Promise<RotationState | null>;
  /** What changed since the mark; without one, from the beginning. */
  list(since: ListMark | null): Promise<ListPage>;
  /** What stays of own work that has left this phone, the last visit first. */
  pastWork(): Promise<Card[]>;
  /** Loads the document. Codes: unknown_record, damaged. */
  open(id: string): Promise<VisitView>;
  /** Reads a record that is open again. */
  view(id: string): Promise<VisitView>;
  close(id: string): Promise<void>;
  /**
   * Resolves only when the change is durable on this phone. A departure that rules of conduct stop
   * rejects with `conduct_stops` or `conduct_needs_reason`, the rules in `path`. A form that is
   * handed in with the command is emptied in the same transaction.
   */
  apply(id: string, command: Command, form?: string): Promise<VisitView>;
  /** Forms about a record that are begun and not handed in. */
  drafts(id: string): Promise<Draft[]>;
  /** Resolves when what stands in a form, or nothing, is durable on this phone. */
  keepDraft(id: string, form: string, text: string | null): Promise<void>;
  /**
   * Signs what was read back under a sealed record, with the key of this device. Codes: no_key,
   * key_not_enrolled, and those of `apply`.
   */
  sign(id: string, reading: Reading): Promise<VisitView>;
  history(id: string): Promise<HistoryEntry[]>;
  /** What the rules of conduct say of an open record, as if it were `at`, ms; now without. */
  conduct(id: string, moment: Moment, at?: number): Promise<ConductView>;
  /** What the office refused of an open record, beside what it has. Code: not_refused. */
  refusedWork(id: string): Promise<RefusedWork>;
  /** Takes the office's record, writes the named units of the refused work again and adds the amendments, durably. */
  settleRefused(id: string, units: string[], amendments: NewAmendment[]): Promise<VisitView>;
  /** Leaves the page that says why this phone was erased. */
  forget(): Promise<StartState>;
  syncNow(): Promise<void>;
  status(): Promise<SyncStatus>;
  storage(): Promise<StorageState>;
  /** What a repayment option comes to; `amount` in minor units. Codes: plan_amount, plan_too_many, … */
  plan(amount: number, instalments: number, firstDue: string): Promise<Plan>;
  /** How many attachments and recordings on this phone are not at the office. */
  attachmentsWaiting(): Promise<number>;
  /** Attachments of a record that were taken on this phone, and where each stands. */
  attachments(id: string): Promise<LocalAttachment[]>;
  /** Keeps a photo, made small, or a document. Codes: attachment_full, bad_picture, media_type, too_large. */
  attach(id: string, file: Blob, taking: Taking): Promise<void>;
  attachSignature(id: string, picture: Blob, caption: string): Promise<void>;
  /** A small picture, where this phone has one. */
  attachmentThumb(sha256: string): Promise<Uint8Array | null>;
  /** All bytes, from this phone or from the office. */
  attachmentBytes(sha256: string): Promise<Uint8Array>;
  /** Recordings of a record that are not finished. */
  recordings(id: string): Promise<RecordingRow[]>;
  /** Resolves when the piece, number `row.pieces` from 0, is on disk. */
  addPiece(row: RecordingRow, piece: Blob): Promise<void>;
  finishRecording(recording: string, caption: string): Promise<void>;
  dropRecording(recording: string): Promise<void>;
  /** What borrowers are told of the lender, as the office last said it. */
  lender(): Promise<Lender>;
  /** A UUIDv7. */
  newId(): Promise<string>;
  subscribe(listener: (event: CoreEvent) => void): () => void;
}

/** A refusal with a stable word; sentences for it are in i18n under `error.`. */
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
