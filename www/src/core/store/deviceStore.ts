/**
 * The device's store: IndexedDB with strict durability (rules D1, D4, R5).
 *
 * A write has succeeded when its transaction has completed, not earlier. The store does not
 * interpret rows; the core decides what is written.
 */
import type { Lender } from "../api";
import type { Row, StoredRows, Table, Write } from "../../wasm/doorstep";
import {
  bytesEqual,
  connect,
  endedOf,
  isDeadConnection,
  isSameLock,
  keyOf,
  lenderOf,
  lockOf,
  numberOf,
  proofOf,
  readRows,
  safetyOf,
  StorageError,
  TABLES,
  toStorageError,
  type Database,
  type DeviceTable,
  type EndedRow,
  type KeyRow,
  type LockRow,
  type SafetyRow,
  type StoreName,
  type WriteTransaction,
} from "./database";

export class DeviceStore {
  private readonly pending = new Set<Promise<unknown>>();

  private constructor(
    private db: Database,
    private readonly name: string,
    /**
     * The session number that this worker last read from or committed to the store. While the
     * stored number is the same, no other worker has taken over the store.
     */
    private session: number,
  ) {}

  static async open(name: string): Promise<DeviceStore> {
    const db = await connect(name);
    return new DeviceStore(db, name, numberOf(await db.get("device", "session")));
  }

  close(): void {
    this.db.close();
  }

  /** Reconnects once if the browser has killed the connection. */
  private async withConnection<T>(work: (db: Database) => Promise<T>): Promise<T> {
    try {
      return await work(this.db);
    } catch (cause) {
      if (!isDeadConnection(cause)) throw toStorageError(cause);
    }
    try {
      this.db.close();
      this.db = await connect(this.name);
      return await work(this.db);
    } catch (cause) {
      throw toStorageError(cause);
    }
  }

  /**
   * The only way to write: one strict transaction that commits all of `work` or nothing. Every
   * write is refused once another worker has taken over the store: it would undo the other worker's
   * writes, or add rows that the other worker has not read.
   */
  private commit<T>(tables: readonly StoreName[], work: (tx: WriteTransaction) => Promise<T>): Promise<T> {
    const committed = this.withConnection(async (db) => {
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

  /** Resolves when every write that was started before this call has ended. */
  async drain(): Promise<void> {
    await Promise.allSettled([...this.pending]);
  }

  // -- Rows of the core

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
  replace(table: Table, values: readonly { key: string; was: Uint8Array; now: Uint8Array }[]): Promise<void> {
    return this.commit([table], async (tx) => {
      const store = tx.objectStore(table);
      const stored = await Promise.all(values.map(({ key }) => store.get(key)));
      const same = values.filter(({ was }, at) => bytesEqual(stored[at], was));
      await all(same.map(({ key, now }) => store.put(now, key)));
    });
  }

  /** At most `count` rows of a table in key order, starting after a key. */
  page(table: Table, after: string | undefined, count: number): Promise<Row[]> {
    const range = after === undefined ? undefined : IDBKeyRange.lowerBound(after, true);
    return this.withConnection((db) => readRows(db.transaction(table).store, range, count));
  }

  /** The number of rows in all tables of the core. */
  async count(): Promise<number> {
    const counts = await Promise.all(TABLES.map((table) => this.withConnection((db) => db.count(table))));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The row of a record, if it has one, and all of its chunks. */
  record(record: string): Promise<{ row: Row | undefined; chunks: Row[] }> {
    const range = IDBKeyRange.bound(`${record}/`, `${record}/\uffff`);
    return this.withConnection(async (db) => {
      const tx = db.transaction(["records", "chunks"]);
      const [rows, chunks] = await Promise.all([
        readRows(tx.objectStore("records"), IDBKeyRange.only(record)),
        readRows(tx.objectStore("chunks"), range),
      ]);
      return { row: rows[0], chunks };
    });
  }

  /** The rows that a workspace starts from: of `records` those with rows in the outbox (rule D8). */
  startRows(): Promise<StoredRows> {
    return this.withConnection(async (db) => {
      const tx = db.transaction(["meta", "records", "outbox"]);
      const [meta, outbox] = await Promise.all([readRows(tx.objectStore("meta")), readRows(tx.objectStore("outbox"))]);
      const unsent = [...new Set(outbox.map(({ key }) => key.split("/")[0] ?? ""))];
      const rows = unsent.map((key) => readRows(tx.objectStore("records"), IDBKeyRange.only(key)));
      return { meta, records: (await Promise.all(rows)).flat(), outbox };
    });
  }

  /** The number of changes that the office has not confirmed; needs no key. */
  countUnsent(): Promise<number> {
    return this.withConnection((db) => db.count("outbox"));
  }

  /** Whether there are drafts of forms; needs no key. */
  async hasDrafts(): Promise<boolean> {
    const range = IDBKeyRange.bound("draft/", "draft0", false, true);
    return (await this.withConnection((db) => db.count("meta", range))) > 0;
  }

  /** The unsent changes, encrypted, with the lock of the same moment: its escrow opens them. */
  rescueRows(): Promise<{ lock: LockRow | undefined; rows: Row[] }> {
    return this.withConnection(async (db) => {
      const tx = db.transaction(["outbox", "device"]);
      const [lock, rows] = await Promise.all([
        tx.objectStore("device").get("lock"),
        readRows(tx.objectStore("outbox")),
      ]);
      return { lock: lockOf(lock), rows };
    });
  }

  // -- The lock

  /** How the rows are locked; undefined while the store has no user. */
  lock(): Promise<LockRow | undefined> {
    return this.withConnection(async (db) => lockOf(await db.get("device", "lock")));
  }

  /**
   * Changes the stored lock in one transaction; `change` returns undefined to leave it as it is.
   * Returns the lock that is stored afterwards: the old one or the new one, whatever happens.
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

  /** Stores a non-extractable key and returns it as it was stored. Code: no_key_store. */
  async probeKeyStore(key: CryptoKey): Promise<CryptoKey> {
    try {
      await this.db.put("device", key, "probe");
      const stored = await this.db.get("device", "probe");
      await this.db.delete("device", "probe");
      if (stored instanceof CryptoKey && !stored.extractable) return stored;
    } catch (cause) {
      throw new StorageError("no_key_store", cause);
    }
    throw new StorageError("no_key_store");
  }

  // -- What the office told this device

  lender(): Promise<Lender | undefined> {
    return this.withConnection(async (db) => lenderOf(await db.get("device", "lender")));
  }

  saveLender(lender: Lender): Promise<void> {
    return this.commit([], async (tx) => void (await tx.objectStore("device").put(lender, "lender")));
  }

  /** The user's own figures, encrypted. */
  async figures(): Promise<Uint8Array | undefined> {
    const stored = await this.withConnection((db) => db.get("device", "figures"));
    return stored instanceof Uint8Array ? stored : undefined;
  }

  saveFigures(encrypted: Uint8Array | null): Promise<void> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      if (encrypted) await device.put(encrypted, "figures");
      else await device.delete("figures");
    });
  }

  /** The visit that the office watches over. */
  safety(): Promise<SafetyRow | undefined> {
    return this.withConnection(async (db) => safetyOf(await db.get("device", "safety")));
  }

  saveSafety(row: SafetyRow | null): Promise<void> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      if (row) await device.put(row, "safety");
      else await device.delete("safety");
    });
  }

  /** The proof of a device's enrolment; undefined if this phone was enrolled before there were proofs. */
  proof(device: string): Promise<string | undefined> {
    return this.withConnection(async (db) => proofOf(await db.get("device", "proof"), device));
  }

  saveProof(device: string, proof: string): Promise<void> {
    return this.commit([], async (tx) => void (await tx.objectStore("device").put({ device, proof }, "proof")));
  }

  // -- The device's key for signatures

  key(): Promise<KeyRow | undefined> {
    return this.withConnection(async (db) => keyOf(await db.get("device", "key")));
  }

  /** Stores a new key unless there is one; returns the stored one. */
  addKey(row: KeyRow): Promise<KeyRow> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      const known = keyOf(await device.get("key"));
      if (!known) await device.put(row, "key");
      return known ?? row;
    });
  }

  /** Records whether the office knows a key, unless another key is stored by now. */
  markKey(key: string, enrolled: boolean): Promise<void> {
    return this.commit([], async (tx) => {
      const device = tx.objectStore("device");
      const row = keyOf(await device.get("key"));
      if (row?.key === key) await device.put({ ...row, enrolled }, "key");
    });
  }

  // -- Life cycle

  /** Takes over the store from any other worker; call it before reading rows. */
  takeOver(): Promise<number> {
    return this.nextSession(() => true);
  }

  /**
   * The next session number, of a worker that still has the store: given once, whatever crashes
   * (rule I1). Its low 31 bits are random, so that a store that was restored from an older copy
   * does not repeat a number.
   */
  nextSession(allowed = (last: number): boolean => last === this.session): Promise<number> {
    return this.withConnection(async (db) => {
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
      const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      return next * 2 ** 31 + (random >>> 1);
    });
  }

  /** Empties the store for a new user, unless another tab has replaced the lock `before`. Code: taken_over. */
  init(row: LockRow, before: LockRow | undefined): Promise<void> {
    return this.reset(async (device) => {
      // The rows belong to the user of the other lock.
      if (!isSameLock(lockOf(await device.get("lock")), before)) throw new StorageError("taken_over");
      await all([device.put(row, "lock"), device.delete("ended")]);
    });
  }

  /** Why the store was erased, until the next sign-in. */
  ended(): Promise<EndedRow | undefined> {
    return this.withConnection(async (db) => endedOf(await db.get("device", "ended")));
  }

  /** Erases everything but the session counter, which must never go back, and stores why if told. */
  clear(ended?: EndedRow): Promise<void> {
    return this.reset((device) =>
      all([device.delete("lock"), ended ? device.put(ended, "ended") : device.delete("ended")]),
    );
  }

  private reset(then: (device: DeviceTable) => Promise<unknown>): Promise<void> {
    return this.commit(TABLES, async (tx) => {
      const device = tx.objectStore("device");
      await then(device);
      const keys = ["key", "proof"].map((key) => device.delete(key));
      await all([...TABLES.map((table) => tx.objectStore(table).clear()), ...keys]);
    });
  }
}

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
