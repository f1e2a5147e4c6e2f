/**
 * The device's store: IndexedDB with strict durability (rules D1, D4, R5).
 *
 * Success of a write is the transaction completing, nothing earlier. The store is dumb: what is
 * written, and what it means, is the core's business.
 */
import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction } from "idb";
import type { Lender } from "../worker/office";
import type { Row, StoredRows, Table, Write } from "../../wasm/doorstep";
import type { LockRow } from "./pinLock";

/** Layout of the object stores; the rows carry a format version of their own. */
const LAYOUT = 2;
export const TABLES: readonly Table[] = ["meta", "records", "chunks", "outbox", "damaged"];

/** Why everything here was erased, until somebody signs in again. */
export interface EndedRow {
  kind: "ended";
  code: string;
}

/** The key that the device signs seals with. */
export interface KeyRow {
  /** The private half can be used and not read. */
  pair: CryptoKeyPair;
  /** The public half, hex. */
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

interface DeviceStore extends DBSchema {
  meta: { key: string; value: Uint8Array };
  records: { key: string; value: Uint8Array };
  chunks: { key: string; value: Uint8Array };
  outbox: { key: string; value: Uint8Array };
  damaged: { key: string; value: Uint8Array };
  /** `lock`: how the rows are locked; `session`: the last session's number. */
  device: { key: string; value: LockRow | EndedRow | KeyRow | ProofRow | Lender | number | CryptoKey };
}

/** Why a store cannot be used, in words that i18n knows. */
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

/** Why a database cannot be used, whatever was thrown. */
export function storageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const name = cause instanceof DOMException ? cause.name : "";
  if (name === "QuotaExceededError") return new StorageError("storage_full", cause);
  if (name === "VersionError") return new StorageError("newer_store", cause);
  return new StorageError("storage_failed", cause);
}

export class Storage {
  /** Transactions that are not finished. */
  private readonly pending = new Set<Promise<unknown>>();

  private constructor(
    private db: IDBPDatabase<DeviceStore>,
    private readonly name: string,
    /**
     * The session number that this worker last read from or committed to the store. While the
     * stored number is the same, no other worker has taken over the store.
     */
    private session: number,
  ) {}

  static async open(name: string): Promise<Storage> {
    const db = await connect(name);
    return new Storage(db, name, numberOf(await db.get("device", "session")));
  }

  close(): void {
    this.db.close();
  }

  /** Runs on a live handle: a browser may kill one in the background (WebKit does). */
  private async live<T>(work: (db: IDBPDatabase<DeviceStore>) => Promise<T>): Promise<T> {
    try {
      return await work(this.db);
    } catch (cause) {
      const dead =
        cause instanceof DOMException && (cause.name === "InvalidStateError" || cause.name === "UnknownError");
      if (!dead) throw storageError(cause);
    }
    try {
      this.db.close();
      this.db = await connect(this.name);
      return await work(this.db);
    } catch (cause) {
      throw storageError(cause);
    }
  }

  /**
   * The only way to write: one strict transaction that commits all of `work` or nothing. It is
   * refused, whatever the table, once another worker has taken over the store: it would undo the
   * other worker's writes, or add rows that the other worker has not read.
   */
  private commit<T>(tables: readonly (Table | "device")[], work: (tx: WriteTransaction) => Promise<T>): Promise<T> {
    const committed = this.live(async (db) => {
      const scope = [...new Set([...tables, "device" as const])];
      const tx: WriteTransaction = db.transaction(scope, "readwrite", { durability: "strict" });
      // Rejects with the reason of an abort; handled where it is awaited.
      const { done } = tx;
      done.catch(() => undefined);
      try {
        const last = numberOf(await tx.objectStore("device").get("session"));
        if (last !== this.session) throw new StorageError("taken_over");
        const result = await work(tx);
        await done;
        return result;
      } catch (cause) {
        abort(tx);
        throw cause;
      }
    });
    const ended = committed.finally(() => this.pending.delete(ended));
    this.pending.add(ended);
    return ended;
  }

  /** Resolves when every transaction that was begun before this call has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.pending]);
  }

  /** Commits all writes, or none. */
  write(writes: readonly Write[]): Promise<void> {
    return this.commit(
      writes.map(({ table }) => table),
      (tx) =>
        all(
          writes.map(async ({ table, key, value }) => {
            const store = tx.objectStore(table);
            if (value !== null) await store.put(value, key);
            else await store.delete(key.endsWith("/") ? IDBKeyRange.bound(key, `${key}\uffff`) : key);
          }),
        ),
    );
  }

  /** Replaces values that have not changed since they were read. */
  exchange(table: Table, values: readonly { key: string; was: Uint8Array; now: Uint8Array }[]): Promise<void> {
    return this.commit([table], async (tx) => {
      const store = tx.objectStore(table);
      const stored = await Promise.all(values.map(({ key }) => store.get(key)));
      const same = values.filter(({ was }, at) => equal(stored[at], was));
      await all(same.map(({ key, now }) => store.put(now, key)));
    });
  }

  /** At most `count` rows of a table in key order, starting after a key. */
  page(table: Table, after: string | undefined, count: number): Promise<Row[]> {
    const range = after === undefined ? undefined : IDBKeyRange.lowerBound(after, true);
    return this.live((db) => rows(db, table, range, count));
  }

  /** How many rows there are in all tables of the core. */
  async count(): Promise<number> {
    const counts = await Promise.all(TABLES.map((table) => this.live((db) => db.count(table))));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Every chunk of a record. */
  chunks(record: string): Promise<Row[]> {
    return this.live((db) => rows(db, "chunks", IDBKeyRange.bound(`${record}/`, `${record}/\uffff`)));
  }

  /** What the core starts from. */
  start(): Promise<StoredRows> {
    return this.live(async (db) => ({
      meta: await rows(db, "meta"),
      records: await rows(db, "records"),
      outbox: await rows(db, "outbox"),
    }));
  }

  /** How the rows are locked; nothing while nobody uses this store. */
  lock(): Promise<LockRow | undefined> {
    return this.live(async (db) => {
      return lockOf(await db.get("device", "lock"));
    });
  }

  ended(): Promise<EndedRow | undefined> {
    return this.live(async (db) => {
      const row = await db.get("device", "ended");
      return typeof row === "object" && "kind" in row ? row : undefined;
    });
  }

  /**
   * Changes the lock by what is stored of it, in one transaction; nothing leaves it as it is. Gives
   * the lock that is stored afterwards. The old one or the new one stands, whatever happens.
   */
  changeLock(change: (row: LockRow) => LockRow | undefined): Promise<LockRow | undefined> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      const row = lockOf(await device.get("lock"));
      const next = row && change(row);
      if (next) await device.put(next, "lock");
      return next ?? row;
    });
  }

  /** What the office last said of the lender. */
  lender(): Promise<Lender | undefined> {
    return this.live(async (db) => {
      const row = await db.get("device", "lender");
      return typeof row === "object" && "complaints" in row ? row : undefined;
    });
  }

  keepLender(lender: Lender): Promise<void> {
    return this.commit([], async (tx) => void (await tx.objectStore("device").put(lender, "lender")));
  }

  /** The proof of a device's enrolment; nothing where the phone is older than proofs. */
  proof(device: string): Promise<string | undefined> {
    return this.live(async (db) => {
      const row = await db.get("device", "proof");
      return typeof row === "object" && "proof" in row && row.device === device ? row.proof : undefined;
    });
  }

  keepProof(device: string, proof: string): Promise<void> {
    return this.commit([], async (tx) => void (await tx.objectStore("device").put({ device, proof }, "proof")));
  }

  key(): Promise<KeyRow | undefined> {
    return this.live(async (db) => keyOf(await db.get("device", "key")));
  }

  /** Keeps a key that was made, unless there is one; gives the one that is stored. */
  addKey(row: KeyRow): Promise<KeyRow> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      const known = keyOf(await device.get("key"));
      if (!known) await device.put(row, "key");
      return known ?? row;
    });
  }

  /** Notes of a key whether the office knows it; another one that is stored by now stays as it is. */
  markKey(key: string, enrolled: boolean): Promise<void> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      const row = keyOf(await device.get("key"));
      if (row?.key === key) await device.put({ ...row, enrolled }, "key");
    });
  }

  /** Empties the store for a user who is new on this phone, unless its lock is not `before` any more. */
  found(row: LockRow, before: LockRow | undefined): Promise<void> {
    return this.empty(async (device) => {
      // Another tab replaced the lock: the rows belong to its user.
      if (!sameLock(lockOf(await device.get("lock")), before)) throw new StorageError("taken_over");
      await all([device.put(row, "lock"), device.delete("ended")]);
    });
  }

  /** Keeps a key that the browser does not hand out, and gives it back as it is kept. */
  async tryKey(key: CryptoKey): Promise<CryptoKey> {
    try {
      await this.db.put("device", key, "probe");
      const kept = await this.db.get("device", "probe");
      await this.db.delete("device", "probe");
      if (kept instanceof CryptoKey && !kept.extractable) return kept;
    } catch (cause) {
      throw new StorageError("no_key_store", cause);
    }
    throw new StorageError("no_key_store");
  }

  /** Changes on this phone that the office has not confirmed, as their rows tell without a key. */
  unsent(): Promise<number> {
    return this.live((db) => db.count("outbox"));
  }

  /** Whether forms are begun and not handed in, as their rows tell without a key. */
  async begun(): Promise<boolean> {
    return (await this.live((db) => db.count("meta", IDBKeyRange.bound("draft/", "draft0", false, true)))) > 0;
  }

  /** Those changes, sealed, and the lock of the same moment: its escrow opens them. */
  rescue(): Promise<{ lock: LockRow | undefined; rows: Row[] }> {
    return this.live(async (db) => {
      const tx = db.transaction(["outbox", "device"]);
      const [lock, rows] = await Promise.all([tx.objectStore("device").get("lock"), rowsOf(tx.objectStore("outbox"))]);
      return { lock: lockOf(lock), rows };
    });
  }

  /** Takes over the store from any other worker; call it before reading rows. */
  takeOver(): Promise<number> {
    return this.nextSession(() => true);
  }

  /**
   * The next session number, of a worker that still has the store: given once, whatever crashes
   * (rule I1). Its low 31 bits are chance, so that a store that was restored from an older copy
   * does not give one that was given before.
   */
  nextSession(allowed = (last: number): boolean => last === this.session): Promise<number> {
    return this.live(async (db) => {
      const tx = db.transaction("device", "readwrite", { durability: "strict" });
      tx.done.catch(() => undefined);
      const last = numberOf(await tx.store.get("session"));
      if (!allowed(last)) throw new StorageError("taken_over");
      const next = last + 1;
      await Promise.all([tx.store.put(next, "session"), tx.done]);
      // Only after the commit: an uncommitted number would refuse every later write of this worker,
      // or let it write beside another worker that took the same number. A write queued behind this
      // transaction compares later: IndexedDB fires `complete` before any request of the next one.
      this.session = next;
      const chance = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      return next * 2 ** 31 + (chance >>> 1);
    });
  }

  /** Forgets everything but the session counter, which may never go back; may leave why. */
  clear(ended?: EndedRow): Promise<void> {
    return this.empty((device) =>
      all([device.delete("lock"), ended ? device.put(ended, "ended") : device.delete("ended")]),
    );
  }

  private empty(then: (device: DeviceTable) => Promise<unknown>): Promise<void> {
    return this.commit(TABLES, async (tx) => {
      const device = tx.objectStore("device");
      await then(device);
      const gone = ["key", "proof"].map((key) => device.delete(key));
      await all([...TABLES.map((table) => tx.objectStore(table).clear()), ...gone]);
    });
  }
}

type WriteTransaction = IDBPTransaction<DeviceStore, (Table | "device")[], "readwrite">;
type DeviceTable = IDBPObjectStore<DeviceStore, (Table | "device")[], "device", "readwrite">;

/** Whether two locks are the same one: whatever may change of a lock leaves its salt. */
export function sameLock(one: LockRow | undefined, other: LockRow | undefined): boolean {
  return one === undefined ? other === undefined : equal(other?.salt, one.salt);
}

function numberOf(stored: unknown): number {
  return typeof stored === "number" ? stored : 0;
}

function lockOf(stored: DeviceStore["device"]["value"] | undefined): LockRow | undefined {
  return typeof stored === "object" && "format" in stored ? stored : undefined;
}

function keyOf(stored: DeviceStore["device"]["value"] | undefined): KeyRow | undefined {
  return typeof stored === "object" && "pair" in stored ? stored : undefined;
}

export function equal(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Resolves when all requests of a transaction have been carried out. */
async function all(requests: readonly Promise<unknown>[]): Promise<void> {
  await Promise.all(requests);
}

function abort(tx: WriteTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has ended already.
  }
}

async function connect(name: string): Promise<IDBPDatabase<DeviceStore>> {
  if (!("indexedDB" in globalThis)) throw new StorageError("no_key_store");
  return new Promise((resolve, reject) => {
    openDB<DeviceStore>(name, LAYOUT, {
      upgrade(db, before, _to, tx) {
        if (before > 0) {
          // Rows of the first layout were not sealed: such a store is left as it is.
          tx.abort();
          reject(new StorageError("older_store"));
          return;
        }
        for (const table of TABLES) db.createObjectStore(table);
        db.createObjectStore("device");
      },
      blocked: () => reject(new StorageError("storage_blocked")),
      // A newer program in another tab wants to upgrade: let it; this handle reopens or refuses.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    }).then(resolve, (cause: unknown) => reject(storageError(cause)));
  });
}

function rows(db: IDBPDatabase<DeviceStore>, table: Table, range?: IDBKeyRange, count?: number): Promise<Row[]> {
  return rowsOf(db.transaction(table).store, range, count);
}

interface Readable {
  getAllKeys(range?: IDBKeyRange, count?: number): Promise<string[]>;
  getAll(range?: IDBKeyRange, count?: number): Promise<Uint8Array[]>;
}

async function rowsOf(table: Readable, range?: IDBKeyRange, count?: number): Promise<Row[]> {
  const [keys, values] = await Promise.all([table.getAllKeys(range, count), table.getAll(range, count)]);
  return keys.map((key, at) => ({ key, value: values[at] ?? new Uint8Array() }));
}
