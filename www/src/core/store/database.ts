/** The device's IndexedDB database: its layout, its errors, and what its values are. */
import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction } from "idb";
import type { Lender, SafetyState, Secret } from "../api";
import type { Row, Table } from "../../wasm/doorstep";

/** Layout of the object stores; the rows carry a format version of their own. */
const LAYOUT = 2;
export const TABLES: readonly Table[] = ["meta", "records", "chunks", "outbox", "damaged"];

/** The keyring, wrapped twice. */
interface Wraps {
  /** By the PIN and the device's key. */
  wrapped: Uint8Array;
  /** By a key that the office can compute. */
  escrow: Uint8Array;
}

/** How the rows of a store are locked. Nothing in it names their user. */
export interface LockRow extends Wraps {
  /** Version of the rows. */
  format: number;
  /** The enrolled device, 32 hex digits. */
  device: string;
  secret: Secret;
  /** Random for each new lock, so it also identifies the lock. */
  salt: Uint8Array;
  /**
   * During a key rotation (`KeyRotation`): wraps of the keyring without the previous data key. They
   * replace the others at its end, which therefore needs neither the PIN nor the office.
   */
  next?: Wraps;
  /** When rows were last re-encrypted under a new data key, ms. */
  rotated_at?: number;
  /** The device's key. */
  key: CryptoKey;
  /** Consecutive wrong PINs. */
  wrong: number;
  /** How long the next PIN must wait, ms of a phone that is awake. */
  wait: number;
}

/** Why the store was erased; kept until the next sign-in. */
export interface EndedRow {
  kind: "ended";
  code: string;
}

/** The device's key for signatures. */
export interface KeyRow {
  /** The private key is not extractable. */
  pair: CryptoKeyPair;
  /** The public key, hex. */
  key: string;
  /** The office knows it. */
  enrolled: boolean;
}

/** The office's proof that it enrolled a device for its user. */
interface ProofRow {
  device: string;
  /** Hex. */
  proof: string;
}

interface DeviceSchema extends DBSchema {
  meta: { key: string; value: Uint8Array };
  records: { key: string; value: Uint8Array };
  chunks: { key: string; value: Uint8Array };
  outbox: { key: string; value: Uint8Array };
  damaged: { key: string; value: Uint8Array };
  /** `lock`: how the rows are locked; `session`: the last session's number. */
  device: { key: string; value: DeviceValue };
}

/** The watched visit, with the number of its last change. */
export interface SafetyRow extends SafetyState {
  revision: number;
}

type DeviceValue = LockRow | EndedRow | KeyRow | ProofRow | Lender | SafetyRow | Uint8Array | number | CryptoKey;

export type Database = IDBPDatabase<DeviceSchema>;
export type StoreName = Table | "device";
export type WriteTransaction = IDBPTransaction<DeviceSchema, StoreName[], "readwrite">;
export type DeviceTable = IDBPObjectStore<DeviceSchema, StoreName[], "device", "readwrite">;

/** Why a store cannot be used; the sentences are in i18n. */
export class StorageError extends Error {
  constructor(
    readonly code:
      | "storage_full"
      | "storage_failed"
      | "older_store"
      | "newer_store"
      | "storage_blocked"
      | "no_key_store"
      | "taken_over",
    cause?: unknown,
  ) {
    super(code, { cause });
    this.name = "StorageError";
  }
}

export function toStorageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const name = cause instanceof DOMException ? cause.name : "";
  if (name === "QuotaExceededError") return new StorageError("storage_full", cause);
  if (name === "VersionError") return new StorageError("newer_store", cause);
  return new StorageError("storage_failed", cause);
}

/** Whether the browser has killed a connection, as WebKit does in the background. */
export function isDeadConnection(cause: unknown): boolean {
  return cause instanceof DOMException && (cause.name === "InvalidStateError" || cause.name === "UnknownError");
}

export async function connect(name: string): Promise<Database> {
  if (!("indexedDB" in globalThis)) throw new StorageError("no_key_store");
  return new Promise((resolve, reject) => {
    openDB<DeviceSchema>(name, LAYOUT, {
      upgrade(db, before, _to, tx) {
        if (before > 0) {
          // Rows of layout 1 were not encrypted: leave such a store unchanged.
          tx.abort();
          reject(new StorageError("older_store"));
          return;
        }
        for (const table of TABLES) db.createObjectStore(table);
        db.createObjectStore("device");
      },
      blocked: () => reject(new StorageError("storage_blocked")),
      // A newer version in another tab wants to upgrade: let it. This connection is then reopened or refused.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    }).then(resolve, (cause: unknown) => reject(toStorageError(cause)));
  });
}

interface Readable {
  getAllKeys(range?: IDBKeyRange, count?: number): Promise<string[]>;
  getAll(range?: IDBKeyRange, count?: number): Promise<Uint8Array[]>;
}

export async function readRows(table: Readable, range?: IDBKeyRange, count?: number): Promise<Row[]> {
  const [keys, values] = await Promise.all([table.getAllKeys(range, count), table.getAll(range, count)]);
  return keys.map((key, at) => ({ key, value: values[at] ?? new Uint8Array() }));
}

// -- Values of the table `device`

export function numberOf(stored: unknown): number {
  return typeof stored === "number" ? stored : 0;
}

export function lockOf(stored: DeviceValue | undefined): LockRow | undefined {
  return typeof stored === "object" && "format" in stored ? stored : undefined;
}

export function keyOf(stored: DeviceValue | undefined): KeyRow | undefined {
  return typeof stored === "object" && "pair" in stored ? stored : undefined;
}

export function endedOf(stored: DeviceValue | undefined): EndedRow | undefined {
  return typeof stored === "object" && "kind" in stored ? stored : undefined;
}

export function lenderOf(stored: DeviceValue | undefined): Lender | undefined {
  return typeof stored === "object" && "complaints" in stored ? stored : undefined;
}

export function safetyOf(stored: DeviceValue | undefined): SafetyRow | undefined {
  return typeof stored === "object" && "revision" in stored ? stored : undefined;
}

export function proofOf(stored: DeviceValue | undefined, device: string): string | undefined {
  return typeof stored === "object" && "proof" in stored && stored.device === device ? stored.proof : undefined;
}

/** Whether two locks are the same: changes of a lock leave its salt. */
export function isSameLock(one: LockRow | undefined, other: LockRow | undefined): boolean {
  return one === undefined ? other === undefined : bytesEqual(other?.salt, one.salt);
}

export function bytesEqual(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && one.every((byte, at) => byte === other[at]);
}
