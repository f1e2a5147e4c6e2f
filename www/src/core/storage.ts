/**
 * The device's store: IndexedDB with strict durability (rules D1, D4, R5).
 *
 * Success of a write is the transaction completing, nothing earlier. The store is dumb: what is
 * written, and what it means, is the core's business.
 */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Lender } from "./office";
import type { Row, StoredRows, Table, Write } from "../wasm/doorstep";
import type { LockRow } from "./lock";

/** Layout of the object stores; the rows carry a format version of their own. */
const LAYOUT = 2;
const TABLES: readonly Table[] = ["meta", "records", "chunks", "outbox", "damaged"];

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
  private constructor(
    private db: IDBPDatabase<DeviceStore>,
    private readonly name: string,
  ) {}

  /** The session that was taken last: while the stored one is the same, this store is ours. */
  private session = 0;

  static async open(name: string): Promise<Storage> {
    return new Storage(await connect(name), name);
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

  /** Commits all writes, or none. */
  write(writes: readonly Write[]): Promise<void> {
    return this.live(async (db) => {
      const tables = [...new Set(writes.map((write) => write.table))];
      const tx = db.transaction([...tables, "device"], "readwrite", { durability: "strict" });
      const done = tx.done;
      // A request that fails aborts the transaction; `done` tells, so its own promise may not.
      const quiet = (request: Promise<unknown>): void => void request.catch(() => undefined);
      try {
        for (const { table, key, value } of writes) {
          const store = tx.objectStore(table);
          if (value !== null) quiet(store.put(value, key));
          else if (key.endsWith("/")) quiet(store.delete(IDBKeyRange.bound(key, `${key}\uffff`)));
          else quiet(store.delete(key));
        }
      } catch (cause) {
        quiet(done);
        throw cause;
      }
      // Another tab has taken the store over and read it: what this one still wants to write would
      // be lost on it, or undo what it wrote. Where the transaction fails, `done` says why.
      const last = await tx
        .objectStore("device")
        .get("session")
        .catch(() => this.session);
      if (last !== this.session) {
        quiet(done);
        tx.abort();
        throw new StorageError("taken_over");
      }
      await done;
    });
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
      const row = await db.get("device", "lock");
      return typeof row === "object" && "format" in row ? row : undefined;
    });
  }

  ended(): Promise<EndedRow | undefined> {
    return this.live(async (db) => {
      const row = await db.get("device", "ended");
      return typeof row === "object" && "kind" in row ? row : undefined;
    });
  }

  /** Replaces the lock: the old one or the new one stands, whatever happens. */
  setLock(row: LockRow): Promise<void> {
    return this.live(async (db) => {
      const tx = db.transaction("device", "readwrite", { durability: "strict" });
      await Promise.all([tx.store.put(row, "lock"), tx.done]);
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
    return this.live(async (db) => void (await db.put("device", lender, "lender")));
  }

  /** The proof of a device's enrolment; nothing where the phone is older than proofs. */
  proof(device: string): Promise<string | undefined> {
    return this.live(async (db) => {
      const row = await db.get("device", "proof");
      return typeof row === "object" && "proof" in row && row.device === device ? row.proof : undefined;
    });
  }

  keepProof(device: string, proof: string): Promise<void> {
    return this.live(async (db) => {
      const tx = db.transaction("device", "readwrite", { durability: "strict" });
      await Promise.all([tx.store.put({ device, proof }, "proof"), tx.done]);
    });
  }

  key(): Promise<KeyRow | undefined> {
    return this.live(async (db) => {
      const row = await db.get("device", "key");
      return typeof row === "object" && "pair" in row ? row : undefined;
    });
  }

  keepKey(row: KeyRow): Promise<void> {
    return this.live(async (db) => {
      const tx = db.transaction("device", "readwrite", { durability: "strict" });
      await Promise.all([tx.store.put(row, "key"), tx.done]);
    });
  }

  /** Empties the store for a user who is new on this phone. */
  found(row: LockRow): Promise<void> {
    return this.empty((device) => Promise.all([device.put(row, "lock"), device.delete("ended")]));
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

  /** Those changes, sealed. */
  outbox(): Promise<Row[]> {
    return this.live((db) => rows(db, "outbox"));
  }

  /**
   * The next session number: given once, whatever crashes (rule I1). Its low 31 bits are chance,
   * so that a store that was restored from an older copy does not give one that was given before.
   */
  nextSession(): Promise<number> {
    return this.live(async (db) => {
      const tx = db.transaction("device", "readwrite", { durability: "strict" });
      const last = await tx.store.get("session");
      const next = (typeof last === "number" ? last : 0) + 1;
      // Before the transaction ends: a write that waits for it compares with the new one.
      this.session = next;
      await Promise.all([tx.store.put(next, "session"), tx.done]);
      const chance = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      return next * 2 ** 31 + (chance >>> 1);
    });
  }

  /** Forgets everything but the session counter, which may never go back; may leave why. */
  clear(ended?: EndedRow): Promise<void> {
    return this.empty(async (device) => {
      await Promise.all([device.delete("lock"), ended ? device.put(ended, "ended") : device.delete("ended")]);
    });
  }

  private empty(then: (device: Lockable) => Promise<unknown>): Promise<void> {
    return this.live(async (db) => {
      const tx = db.transaction([...TABLES, "device"], "readwrite", { durability: "strict" });
      const cleared = TABLES.map((table) => tx.objectStore(table).clear());
      const device = tx.objectStore("device");
      const gone = ["key", "proof"].map((key) => device.delete(key));
      await Promise.all([...cleared, ...gone, then(device), tx.done]);
    });
  }
}

interface Lockable {
  put(row: LockRow | EndedRow, key: string): Promise<unknown>;
  delete(key: string): Promise<unknown>;
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

async function rows(db: IDBPDatabase<DeviceStore>, table: Table, range?: IDBKeyRange): Promise<Row[]> {
  const tx = db.transaction(table);
  const [keys, values] = await Promise.all([tx.store.getAllKeys(range), tx.store.getAll(range)]);
  return keys.map((key, at) => ({ key, value: values[at] ?? new Uint8Array() }));
}
