/**
 * Attachments on the phone, in a database of their own, so that large values never delay records.
 * Bytes are keyed by their SHA-256 and written once.
 *
 * Values are encrypted and bound to their places, and keys are keyed hashes. Only counting what is
 * not uploaded and erasing everything work without the cipher.
 */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { AttachmentKind } from "../../wasm/doorstep";
import { isDeadConnection, toStorageError } from "../store/database";

/** Layout of the object stores. */
const LAYOUT = 1;

/** An attachment that was made on this phone. */
export interface AttachmentRow {
  sha256: string;
  record: string;
  kind: AttachmentKind;
  caption: string;
  media_type: string;
  /** Bytes. */
  size: number;
  /** ms */
  taken_at: number;
  /** The record names it. */
  named: boolean;
  /** When the office had verified all of it, ms. */
  at_office: number | null;
  /** Code of why the office does not accept it. */
  refused: string | null;
}

/** A recording that is running or was interrupted. */
export interface RecordingRow {
  id: string;
  record: string;
  media_type: string;
  /** ms */
  begun_at: number;
  /** ms of sound on disk. */
  length: number;
  pieces: number;
  /** What was recorded and when it was interrupted so far; earlier versions did not store it. */
  caption?: string;
}

/** Encrypts values. A place is unique to a value, which can be decrypted only with it. */
interface Cipher {
  /** A keyed hash of a name, for keys. */
  name(text: string): string;
  encrypt(bytes: Uint8Array, place: string): Uint8Array;
  /** Undefined if the bytes are damaged or from another place. */
  decrypt(bytes: Uint8Array, place: string): Uint8Array | undefined;
  /** Frees the key's memory. */
  free(): void;
}

interface AttachmentSchema extends DBSchema {
  bytes: { key: string; value: Uint8Array[] };
  thumbs: { key: string; value: Uint8Array[] };
  rows: { key: string; value: Uint8Array };
  /** Keys of rows whose bytes the office does not have. */
  waiting: { key: string; value: true };
  recordings: { key: string; value: Uint8Array };
  pieces: { key: [string, number]; value: Uint8Array[] };
}

/** An encrypted value: bytes are in slices, a row is in one. */
export type Encrypted = Uint8Array | Uint8Array[];

/** The key of an encrypted value, and the place that it is bound to; slices are bound to their numbers too. */
export interface Place {
  store: (typeof STORES)[number];
  key: string | [string, number];
  place: string;
}

const STORES = ["bytes", "thumbs", "rows", "waiting", "recordings", "pieces"] as const;

/** Bytes that are encrypted at once: wasm memory grows and never shrinks. */
const SLICE = 1024 * 1024;

export const keyOf = ({ record, sha256 }: AttachmentRow): string => `${record}/${sha256}`;

export class AttachmentStore {
  private readonly pending = new Set<Promise<unknown>>();

  private constructor(
    private db: IDBPDatabase<AttachmentSchema>,
    private readonly name: string,
    private cipher: Cipher,
  ) {}

  /** Opens the attachments of a device's store. */
  static async open(store: string, cipher: Cipher): Promise<AttachmentStore> {
    const name = nameOf(store);
    return new AttachmentStore(await connect(name), name, cipher);
  }

  close(): void {
    this.db.close();
    this.cipher.free();
  }

  /** Switches to another cipher, which must be able to open what the last one encrypted. */
  rekey(cipher: Cipher): void {
    this.cipher.free();
    this.cipher = cipher;
  }

  // -- Re-encryption

  /** Resolves when every transaction that was started before this call has ended. */
  async drain(): Promise<void> {
    await Promise.allSettled([...this.pending]);
  }

  /**
   * The places of all encrypted values. Bytes and thumbs are keyed by keyed hashes of their
   * SHA-256s, so their places are found from the rows or, if a row is damaged, from `named`: the
   * attachments that records name. Values found by neither are stray: nothing can refer to them.
   */
  async places(named: () => Promise<Iterable<string>>): Promise<{ known: Place[]; stray: Omit<Place, "place">[] }> {
    // Keys first: an attachment added later is in the rows, and not among these keys.
    const [bytes, thumbs, rows, recordings, pieces] = await this.withConnection((db) => {
      const tx = db.transaction(STORES);
      const keys = <Name extends "bytes" | "thumbs" | "rows" | "recordings">(name: Name): Promise<string[]> =>
        tx.objectStore(name).getAllKeys();
      const pieces = tx.objectStore("pieces").getAllKeys();
      return Promise.all([keys("bytes"), keys("thumbs"), keys("rows"), keys("recordings"), pieces]);
    });
    const known: Place[] = [
      ...rows.map((key): Place => ({ store: "rows", key, place: `rows/${key}` })),
      ...recordings.map((key): Place => ({ store: "recordings", key, place: `recordings/${key}` })),
      ...pieces.map((key): Place => ({ store: "pieces", key, place: `pieces/${key[0]}/${key[1]}` })),
    ];
    const unknown = new Map<string, "bytes" | "thumbs">();
    for (const key of bytes) unknown.set(key, "bytes");
    for (const key of thumbs) unknown.set(key, "thumbs");
    const find = (sha256: string): void => {
      for (const store of ["bytes", "thumbs"] as const) {
        const key = this.cipher.name(`${store}/${sha256}`);
        if (unknown.delete(key)) known.push({ store, key, place: `${store}/${sha256}` });
      }
    };
    for (const { sha256 } of await this.rows()) find(sha256);
    if (unknown.size > 0) for (const sha256 of await named()) find(sha256);
    return { known, stray: [...unknown].map(([key, store]) => ({ store, key })) };
  }

  readEncrypted({ store, key }: Omit<Place, "place">): Promise<Encrypted | undefined> {
    return this.withConnection((db) => db.get(store, key as never) as Promise<Encrypted | undefined>);
  }

  /**
   * Replaces or erases an encrypted value unless it has changed. Comparing the first bytes is
   * enough: no two values share a nonce.
   */
  replace({ store, key }: Omit<Place, "place">, was: Encrypted, now: Encrypted | null): Promise<void> {
    const head = (value: Encrypted | undefined): string =>
      String((Array.isArray(value) ? value[0] : value)?.slice(0, 25));
    return this.withConnection(async (db) => {
      const tx = db.transaction(store, "readwrite", { durability: "strict" });
      const stored = (await tx.store.get(key as never)) as Encrypted | undefined;
      const same = stored !== undefined && head(stored) === head(was);
      if (same) void (now ? tx.store.put(now as never, key as never) : tx.store.delete(key as never));
      await tx.done;
    });
  }

  // -- Rows and bytes

  /** All rows that can be decrypted. */
  async rows(): Promise<AttachmentRow[]> {
    return (await this.all<AttachmentRow>("rows")).map(([, row]) => row);
  }

  async recordings(): Promise<RecordingRow[]> {
    return (await this.all<RecordingRow>("recordings")).map(([, row]) => row);
  }

  /** Whether the bytes of an attachment are here. */
  async has(sha256: string): Promise<boolean> {
    return (await this.withConnection((db) => db.count("bytes", this.cipher.name(`bytes/${sha256}`)))) > 0;
  }

  /** The bytes of an attachment; null if they were erased. */
  bytes(sha256: string): Promise<Uint8Array | null> {
    return this.read("bytes", sha256);
  }

  thumb(sha256: string): Promise<Uint8Array | null> {
    return this.read("thumbs", sha256);
  }

  /** Stores an attachment in one transaction, which also deletes the pieces of its recording. */
  async add(row: AttachmentRow, bytes: Uint8Array, thumb: Uint8Array | null, recording?: string): Promise<void> {
    const place = (store: string): string => `${store}/${row.sha256}`;
    const encrypted = this.encryptSlices(bytes, place("bytes"));
    const small = thumb && this.encryptSlices(thumb, place("thumbs"));
    const [key, value] = [this.cipher.name(keyOf(row)), this.encryptRow("rows", keyOf(row), row)];
    await this.withConnection(async (db) => {
      const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
      void tx.objectStore("bytes").put(encrypted, this.cipher.name(place("bytes")));
      if (small) void tx.objectStore("thumbs").put(small, this.cipher.name(place("thumbs")));
      void tx.objectStore("rows").put(value, key);
      void tx.objectStore("waiting").put(true, key);
      if (recording) {
        void tx.objectStore("recordings").delete(recording);
        void tx.objectStore("pieces").delete(piecesOf(recording));
      }
      await tx.done;
    });
  }

  async put(row: AttachmentRow): Promise<void> {
    const [key, value] = [this.cipher.name(keyOf(row)), this.encryptRow("rows", keyOf(row), row)];
    const pending = row.at_office === null && row.refused === null;
    await this.withConnection(async (db) => {
      const tx = db.transaction(["rows", "waiting"], "readwrite", { durability: "strict" });
      void tx.objectStore("rows").put(value, key);
      void (pending ? tx.objectStore("waiting").put(true, key) : tx.objectStore("waiting").delete(key));
      await tx.done;
    });
  }

  /** Erases the bytes of an attachment; the thumbnail stays. */
  async erase(sha256: string): Promise<void> {
    await this.withConnection((db) => db.delete("bytes", this.cipher.name(`bytes/${sha256}`)));
  }

  /** Deletes the row of an attachment, and its bytes if told. */
  async remove(row: AttachmentRow, bytes: boolean): Promise<void> {
    const key = this.cipher.name(keyOf(row));
    await this.withConnection(async (db) => {
      const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
      void tx.objectStore("rows").delete(key);
      void tx.objectStore("waiting").delete(key);
      if (bytes) {
        void tx.objectStore("bytes").delete(this.cipher.name(`bytes/${row.sha256}`));
        void tx.objectStore("thumbs").delete(this.cipher.name(`thumbs/${row.sha256}`));
      }
      await tx.done;
    });
  }

  /** Adds a piece to a recording; resolves when it is on disk. */
  async addPiece(row: RecordingRow, piece: Uint8Array): Promise<void> {
    const encrypted = this.encryptSlices(piece, `pieces/${row.id}/${row.pieces}`);
    const value = this.encryptRow("recordings", row.id, { ...row, pieces: row.pieces + 1 });
    await this.withConnection(async (db) => {
      const tx = db.transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
      void tx.objectStore("pieces").put(encrypted, [row.id, row.pieces]);
      void tx.objectStore("recordings").put(value, row.id);
      await tx.done;
    });
  }

  /** The pieces of a recording in order, without damaged ones. */
  async pieces(id: string): Promise<Uint8Array[]> {
    const encrypted = await this.withConnection((db) => db.getAll("pieces", piecesOf(id)));
    return encrypted.flatMap((piece, at) => {
      try {
        return [this.decryptSlices(piece, `pieces/${id}/${at}`)];
      } catch {
        return [];
      }
    });
  }

  async dropRecording(id: string): Promise<void> {
    await this.withConnection(async (db) => {
      const tx = db.transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
      void tx.objectStore("recordings").delete(id);
      void tx.objectStore("pieces").delete(piecesOf(id));
      await tx.done;
    });
  }

  private async all<T>(store: "rows" | "recordings"): Promise<[string, T][]> {
    const [keys, values] = await this.withConnection(async (db) => {
      const tx = db.transaction(store);
      return Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
    });
    return values.flatMap((value, at): [string, T][] => {
      const key = keys[at] ?? "";
      try {
        const text = new TextDecoder().decode(this.decrypt(value, `${store}/${key}`));
        return [[key, JSON.parse(text) as T]];
      } catch {
        // Damaged: skip it.
        return [];
      }
    });
  }

  private encryptRow(store: "rows" | "recordings", id: string, row: object): Uint8Array {
    const key = store === "rows" ? this.cipher.name(id) : id;
    return this.cipher.encrypt(new TextEncoder().encode(JSON.stringify(row)), `${store}/${key}`);
  }

  private async read(store: "bytes" | "thumbs", sha256: string): Promise<Uint8Array | null> {
    const place = `${store}/${sha256}`;
    const encrypted = await this.withConnection((db) => db.get(store, this.cipher.name(place)));
    return encrypted ? this.decryptSlices(encrypted, place) : null;
  }

  private encryptSlices(bytes: Uint8Array, place: string): Uint8Array[] {
    const count = Math.max(1, Math.ceil(bytes.length / SLICE));
    return Array.from({ length: count }, (_, at) =>
      this.cipher.encrypt(bytes.subarray(at * SLICE, (at + 1) * SLICE), `${place}/${at}of${count}`),
    );
  }

  private decrypt(bytes: Uint8Array, place: string): Uint8Array {
    const plain = this.cipher.decrypt(bytes, place);
    if (!plain) throw new Error("damaged");
    return plain;
  }

  private decryptSlices(slices: Uint8Array[], place: string): Uint8Array {
    const open = slices.map((slice, at) => this.decrypt(slice, `${place}/${at}of${slices.length}`));
    const whole = new Uint8Array(open.reduce((sum, slice) => sum + slice.length, 0));
    let at = 0;
    for (const slice of open) {
      whole.set(slice, at);
      at += slice.length;
    }
    return whole;
  }

  private withConnection<T>(work: (db: IDBPDatabase<AttachmentSchema>) => Promise<T>): Promise<T> {
    const ended = this.reconnecting(work).finally(() => this.pending.delete(ended));
    this.pending.add(ended);
    return ended;
  }

  /** Reconnects once if the browser has killed the connection. */
  private async reconnecting<T>(work: (db: IDBPDatabase<AttachmentSchema>) => Promise<T>): Promise<T> {
    try {
      return await work(this.db);
    } catch (cause) {
      if (!isDeadConnection(cause)) throw cause;
    }
    this.db.close();
    this.db = await connect(this.name);
    return work(this.db);
  }
}

/** The number of attachments and recordings of a store that are not uploaded. */
export function countPending(store: string): Promise<number> {
  return withDatabase(store, async (db) => (await db.count("waiting")) + (await db.count("recordings")));
}

/** Erases everything. */
export function clearAttachments(store: string): Promise<void> {
  return withDatabase(store, async (db) => {
    const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
    for (const name of STORES) void tx.objectStore(name).clear();
    await tx.done;
  });
}

async function withDatabase<T>(store: string, work: (db: IDBPDatabase<AttachmentSchema>) => Promise<T>): Promise<T> {
  const db = await connect(nameOf(store));
  try {
    return await work(db);
  } finally {
    db.close();
  }
}

const nameOf = (store: string): string => `${store}-attachments`;

function piecesOf(recording: string): IDBKeyRange {
  return IDBKeyRange.bound([recording, 0], [recording, Number.MAX_SAFE_INTEGER]);
}

function connect(name: string): Promise<IDBPDatabase<AttachmentSchema>> {
  const opening = openDB<AttachmentSchema>(name, LAYOUT, {
    upgrade(db) {
      for (const name of STORES) db.createObjectStore(name);
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return opening.catch((cause: unknown) => {
    throw toStorageError(cause);
  });
}
