/** What the leading tab's worker has open: at most one of each. */
import type { Keyring } from "../../wasm/doorstep";
import { ClientError } from "../api";
import type { Attachments } from "../attachments/attachments";
import { countPending } from "../attachments/attachmentStore";
import type { LockRow } from "../store/database";
import type { DeviceStore } from "../store/deviceStore";
import type { KeyRotation } from "../store/keyRotation";
import type { Escrows, PinLock } from "../store/pinLock";
import type { Driver } from "./driver";
import { Listing } from "./listing";
import { Office } from "./office";
import type { Signer } from "./signer";

/** The name of this worker's store (`spawnWorker`). */
export const STORE = self.name;

/** The office for signing in and out: its requests name no workspace. */
export const signInOffice = new Office();

/** A user who has signed in and has no PIN yet. */
interface NewUser {
  device: string;
  proof: string;
  keyring: Keyring;
  escrows: Escrows;
  /** The lock at the time of the sign-in. */
  before: LockRow | undefined;
  /** The data on this phone is theirs. */
  ownsData: boolean;
}

interface WorkerState {
  store?: DeviceStore | undefined;
  /** Undefined until a user has set a PIN. */
  pinLock?: PinLock | undefined;
  /** The office for the workspace of this store, once the workspace was started. */
  office?: Office | undefined;
  /** While the app is unlocked. */
  keyring?: Keyring | undefined;
  driver?: Driver | undefined;
  /** The driver of an app that was just locked, until everything is on disk. */
  closing?: { driver: Driver } | undefined;
  /** Why the office has revoked this device; it erases itself after the unlock. */
  revoked?: string | undefined;
  newUser?: NewUser | undefined;
  signer?: Signer | undefined;
  attachments?: Attachments | undefined;
  /** While rows are re-encrypted. */
  rotation?: KeyRotation | undefined;
  listing: Listing;
  /** The core failed: the page is about to terminate this worker. */
  poisoned: boolean;
}

export const workerState: WorkerState = { listing: new Listing(), poisoned: false };

export function requireStore(): DeviceStore {
  if (!workerState.store) throw new ClientError("storage_failed");
  return workerState.store;
}

export function requireOffice(): Office {
  return workerState.office ?? missing();
}

export function requireDriver(): Driver {
  return workerState.driver ?? missing();
}

/** The driver for edits, which may still arrive just after the app was locked. */
export function requireWriter(): Driver {
  return workerState.closing?.driver ?? requireDriver();
}

export function requireAttachments(): Attachments {
  return workerState.attachments ?? missing();
}

function missing(): never {
  throw new ClientError(workerState.pinLock ? "locked" : "signed_out");
}

/** The number of changes, attachments and recordings that the office does not have. */
export async function countUnsent(): Promise<number> {
  if (!workerState.driver) return unsentOnDisk();
  const changes = workerState.driver.call((workspace) => Number(workspace.status().unsent));
  return changes + (await countPending(STORE));
}

/** `countUnsent` of what is on disk; needs no key. */
export async function unsentOnDisk(): Promise<number> {
  return (await requireStore().countUnsent()) + (await countPending(STORE));
}

/** Whether this phone has drafts of forms. */
export async function hasDrafts(): Promise<boolean> {
  const { driver } = workerState;
  return driver ? driver.call((workspace) => workspace.hasDrafts()) : requireStore().hasDrafts();
}

/** Whether work would be lost with the store. */
export async function hasUnsavedWork(): Promise<boolean> {
  return (await countUnsent()) > 0 || (await hasDrafts());
}
