/**
 * Attachments on the phone: a database of their own, so that bytes never stand in the way of
 * records. Bytes lie under the SHA-256 of what they are, and are written once.
 *
 * Nothing in it can be read without the sealer: values are sealed, bound to their places, and keys
 * are keyed hashes. What waits for the office can be counted, and everything erased, without it.
 */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { AttachmentKind } from "../../wasm/doorstep";
import { storageError } from "../store/deviceStore";

/** Layout of the object stores. */
const LAYOUT = 1;

/** What the phone knows of an attachment that was taken here. */
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
  /** When the office had it whole and verified, ms. */
  at_office: number | null;
  /** Why the office does not take it: a stable word. */
  refused: string | null;
}

/** A recording that is under way, or was cut off. */
export interface RecordingRow {
  id: string;
  record: string;
  media_type: string;
  /** ms */
  begun_at: number;
  /** ms of sound on disk. */
  length: number;
  pieces: number;
}

/** What stands between bytes and the disk; a place is that of the bytes, and of no others. */
export interface Sealer {
  /** What stands for a name where keys are in the clear. */
  name(text: string): string;
  seal(bytes: Uint8Array, place: string): Uint8Array;
  /** None where the bytes are damaged, or were put there from elsewhere. */
  open(bytes: Uint8Array, place: string): Uint8Array | undefined;
  /** It leaves the memory. */
  free(): void;
}

interface Attachments extends DBSchema {
  bytes: { key: string; value: Uint8Array[] };
  thumbs: { key: string; value: Uint8Array[] };
  rows: { key: string; value: Uint8Array };
  /** Keys of rows whose bytes the office does not have. */
  waiting: { key: string; value: true };
  recordings: { key: string; value: Uint8Array };
  pieces: { key: [string, number]; value: Uint8Array[] };
}

/** A sealed value: in slices where it is bytes, in one piece where it is a row. */
export type Sealed = Uint8Array | Uint8Array[];

/** Where a sealed value lies, and what it is bound to; slices are bound to their numbers too. */
export interface Place {
  store: (typeof STORES)[number];
  key: string | [string, number];
  place: string;
}

const STORES = ["bytes", "thumbs", "rows", "waiting", "recordings", "pieces"] as const;

/** Bytes that are sealed at once: the core's memory grows to what it is given, and stays. */
const SLICE = 1024 * 1024;

const keyOf = ({ record, sha256 }: AttachmentRow): string => `${record}/${sha256}`;

export class AttachmentStore {
  /** Transactions that are not finished. */
  private readonly pending = new Set<Promise<unknown>>();

  private constructor(
    private db: IDBPDatabase<Attachments>,
    private readonly name: string,
    private sealer: Sealer,
  ) {}

  /** The attachments that belong to a device's store of a name. */
  static async open(store: string, sealer: Sealer): Promise<AttachmentStore> {
    const name = nameOf(store);
    return new AttachmentStore(await connect(name), name, sealer);
  }

  close(): void {
    this.db.close();
    this.sealer.free();
  }

  /** Seals with another sealer from now on, which opens all that the one before opened. */
  rekey(sealer: Sealer): void {
    this.sealer.free();
    this.sealer = sealer;
  }

  // -- re-encryption

  /** Resolves when every transaction that was begun before this call has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.pending]);
  }

  /**
   * The places of all sealed values. Bytes and thumbs are keyed by keyed hashes of their SHA-256s,
   * so their places are known from the rows or, where a row is damaged, from `named`: the
   * attachments that records name. Values that neither names are stray: nothing can refer to them.
   */
  async places(named: () => Promise<Iterable<string>>): Promise<{ known: Place[]; stray: Omit<Place, "place">[] }> {
    // Keys first: an attachment added later is in the rows, and not among these keys.
    const [bytes, thumbs, rows, recordings, pieces] = await this.live((db) => {
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
        const key = this.sealer.name(`${store}/${sha256}`);
        if (unknown.delete(key)) known.push({ store, key, place: `${store}/${sha256}` });
      }
    };
    for (const { sha256 } of await this.rows()) find(sha256);
    if (unknown.size > 0) for (const sha256 of await named()) find(sha256);
    return { known, stray: [...unknown].map(([key, store]) => ({ store, key })) };
  }

  sealedAt({ store, key }: Omit<Place, "place">): Promise<Sealed | undefined> {
    return this.live((db) => db.get(store, key as never) as Promise<Sealed | undefined>);
  }

  /**
   * Replaces or erases a sealed value unless it has changed. Comparing the heads is enough: no two
   * values share a nonce.
   */
  exchange({ store, key }: Omit<Place, "place">, was: Sealed, now: Sealed | null): Promise<void> {
    const head = (value: Sealed | undefined): string => String((Array.isArray(value) ? value[0] : value)?.slice(0, 25));
    return this.live(async (db) => {
      const tx = db.transaction(store, "readwrite", { durability: "strict" });
      const stored = (await tx.store.get(key as never)) as Sealed | undefined;
      const same = stored !== undefined && head(stored) === head(was);
      if (same) void (now ? tx.store.put(now as never, key as never) : tx.store.delete(key as never));
      await tx.done;
    });
  }

  // -- rows and bytes

  /** All rows that can be read. */
  async rows(): Promise<AttachmentRow[]> {
    return (await this.all<AttachmentRow>("rows")).map(([, row]) => row);
  }

  async recordings(): Promise<RecordingRow[]> {
    return (await this.all<RecordingRow>("recordings")).map(([, row]) => row);
  }

  /** Whether the bytes of an attachment are here. */
  async has(sha256: string): Promise<boolean> {
    return (await this.live((db) => db.count("bytes", this.sealer.name(`bytes/${sha256}`)))) > 0;
  }

  /** The bytes of an attachment, where they are still here. */
  bytes(sha256: string): Promise<Uint8Array | null> {
    return this.read("bytes", sha256);
  }

  thumb(sha256: string): Promise<Uint8Array | null> {
    return this.read("thumbs", sha256);
  }

  /** Keeps an attachment whole, in one transaction; the pieces of its recording go with it. */
  async keep(row: AttachmentRow, bytes: Uint8Array, thumb: Uint8Array | null, recording?: string): Promise<void> {
    const place = (store: string): string => `${store}/${row.sha256}`;
    const sealed = this.slices(bytes, place("bytes"));
    const small = thumb && this.slices(thumb, place("thumbs"));
    const [key, value] = [this.sealer.name(keyOf(row)), this.sealed("rows", keyOf(row), row)];
    await this.live(async (db) => {
      const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
      void tx.objectStore("bytes").put(sealed, this.sealer.name(place("bytes")));
      if (small) void tx.objectStore("thumbs").put(small, this.sealer.name(place("thumbs")));
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
    const [key, value] = [this.sealer.name(keyOf(row)), this.sealed("rows", keyOf(row), row)];
    const waits = row.at_office === null && row.refused === null;
    await this.live(async (db) => {
      const tx = db.transaction(["rows", "waiting"], "readwrite", { durability: "strict" });
      void tx.objectStore("rows").put(value, key);
      void (waits ? tx.objectStore("waiting").put(true, key) : tx.objectStore("waiting").delete(key));
      await tx.done;
    });
  }

  /** Erases the bytes of an attachment; what it looks like small stays. */
  async erase(sha256: string): Promise<void> {
    await this.live((db) => db.delete("bytes", this.sealer.name(`bytes/${sha256}`)));
  }

  /** Erases all that is here of an attachment; its bytes only where no other row needs them. */
  async forget(row: AttachmentRow, bytes: boolean): Promise<void> {
    const key = this.sealer.name(keyOf(row));
    await this.live(async (db) => {
      const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
      void tx.objectStore("rows").delete(key);
      void tx.objectStore("waiting").delete(key);
      if (bytes) {
        void tx.objectStore("bytes").delete(this.sealer.name(`bytes/${row.sha256}`));
        void tx.objectStore("thumbs").delete(this.sealer.name(`thumbs/${row.sha256}`));
      }
      await tx.done;
    });
  }

  /** Adds a piece to a recording: on disk before the next one is taken. */
  async addPiece(row: RecordingRow, piece: Uint8Array): Promise<void> {
    const sealed = this.slices(piece, `pieces/${row.id}/${row.pieces}`);
    const value = this.sealed("recordings", row.id, { ...row, pieces: row.pieces + 1 });
    await this.live(async (db) => {
      const tx = db.transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
      void tx.objectStore("pieces").put(sealed, [row.id, row.pieces]);
      void tx.objectStore("recordings").put(value, row.id);
      await tx.done;
    });
  }

  /** Everything of a recording that is on disk and can be read, in order: one bad piece costs no other. */
  async pieces(id: string): Promise<Uint8Array[]> {
    const sealed = await this.live((db) => db.getAll("pieces", piecesOf(id)));
    return sealed.flatMap((piece, at) => {
      try {
        return [this.whole(piece, `pieces/${id}/${at}`)];
      } catch {
        return [];
      }
    });
  }

  async dropRecording(id: string): Promise<void> {
    await this.live(async (db) => {
      const tx = db.transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
      void tx.objectStore("recordings").delete(id);
      void tx.objectStore("pieces").delete(piecesOf(id));
      await tx.done;
    });
  }

  private async all<T>(store: "rows" | "recordings"): Promise<[string, T][]> {
    const [keys, values] = await this.live(async (db) => {
      const tx = db.transaction(store);
      return Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
    });
    return values.flatMap((value, at): [string, T][] => {
      const key = keys[at] ?? "";
      try {
        const text = new TextDecoder().decode(this.opened(value, `${store}/${key}`));
        return [[key, JSON.parse(text) as T]];
      } catch {
        // Damaged: nothing can be said of it, and the others are fine.
        return [];
      }
    });
  }

  private sealed(store: "rows" | "recordings", id: string, row: object): Uint8Array {
    const key = store === "rows" ? this.sealer.name(id) : id;
    return this.sealer.seal(new TextEncoder().encode(JSON.stringify(row)), `${store}/${key}`);
  }

  private async read(store: "bytes" | "thumbs", sha256: string): Promise<Uint8Array | null> {
    const place = `${store}/${sha256}`;
    const sealed = await this.live((db) => db.get(store, this.sealer.name(place)));
    return sealed ? this.whole(sealed, place) : null;
  }

  private slices(bytes: Uint8Array, place: string): Uint8Array[] {
    const count = Math.max(1, Math.ceil(bytes.length / SLICE));
    return Array.from({ length: count }, (_, at) =>
      this.sealer.seal(bytes.subarray(at * SLICE, (at + 1) * SLICE), `${place}/${at}of${count}`),
    );
  }

  private opened(bytes: Uint8Array, place: string): Uint8Array {
    const plain = this.sealer.open(bytes, place);
    if (!plain) throw new Error("damaged");
    return plain;
  }

  private whole(slices: Uint8Array[], place: string): Uint8Array {
    const open = slices.map((slice, at) => this.opened(slice, `${place}/${at}of${slices.length}`));
    const whole = new Uint8Array(open.reduce((sum, slice) => sum + slice.length, 0));
    let at = 0;
    for (const slice of open) {
      whole.set(slice, at);
      at += slice.length;
    }
    return whole;
  }

  private live<T>(work: (db: IDBPDatabase<Attachments>) => Promise<T>): Promise<T> {
    const ended = this.onLiveHandle(work).finally(() => this.pending.delete(ended));
    this.pending.add(ended);
    return ended;
  }

  /** A browser may kill a handle in the background. */
  private async onLiveHandle<T>(work: (db: IDBPDatabase<Attachments>) => Promise<T>): Promise<T> {
    try {
      return await work(this.db);
    } catch (cause) {
      const dead = cause instanceof DOMException && ["InvalidStateError", "UnknownError"].includes(cause.name);
      if (!dead) throw cause;
    }
    this.db.close();
    this.db = await connect(this.name);
    return work(this.db);
  }
}

/** How many attachments and recordings of a store are not at the office. */
export function countWaiting(store: string): Promise<number> {
  return once(store, async (db) => (await db.count("waiting")) + (await db.count("recordings")));
}

/** Erases everything. */
export function clearAttachments(store: string): Promise<void> {
  return once(store, async (db) => {
    const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
    for (const name of STORES) void tx.objectStore(name).clear();
    await tx.done;
  });
}

async function once<T>(store: string, work: (db: IDBPDatabase<Attachments>) => Promise<T>): Promise<T> {
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

function connect(name: string): Promise<IDBPDatabase<Attachments>> {
  const opening = openDB<Attachments>(name, LAYOUT, {
    upgrade(db) {
      for (const name of STORES) db.createObjectStore(name);
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return opening.catch((cause: unknown) => {
    throw storageError(cause);
  });
}
