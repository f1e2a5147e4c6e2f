/**
 * Attachments on the phone: a database of their own, so that bytes never stand in the way of
 * records. Bytes lie under the SHA-256 of what they are, and are written once.
 */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { AttachmentKind } from "../wasm/doorstep";

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

interface Attachments extends DBSchema {
  bytes: { key: string; value: Uint8Array };
  thumbs: { key: string; value: Uint8Array };
  rows: { key: string; value: AttachmentRow };
  recordings: { key: string; value: RecordingRow };
  pieces: { key: [string, number]; value: Uint8Array };
}

const STORES = ["bytes", "thumbs", "rows", "recordings", "pieces"] as const;

/**
 * What stands between bytes and the disk. `about` names what they are, so that no bytes can be put
 * in another's place.
 */
export interface Sealer {
  seal(bytes: Uint8Array, about: string): Uint8Array | Promise<Uint8Array>;
  open(bytes: Uint8Array, about: string): Uint8Array | Promise<Uint8Array>;
}

export class AttachmentStore {
  private constructor(
    private db: IDBPDatabase<Attachments>,
    private readonly name: string,
    private readonly sealer: Sealer,
  ) {}

  /** The attachments that belong to a device's store of a name. */
  static async open(store: string, sealer: Sealer): Promise<AttachmentStore> {
    const name = `${store}-attachments`;
    return new AttachmentStore(await connect(name), name, sealer);
  }

  close(): void {
    this.db.close();
  }

  rows(): Promise<AttachmentRow[]> {
    return this.live((db) => db.getAll("rows"));
  }

  recordings(): Promise<RecordingRow[]> {
    return this.live((db) => db.getAll("recordings"));
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
    const { sha256 } = row;
    const sealed = await this.sealer.seal(bytes, `bytes/${sha256}`);
    const small = thumb && (await this.sealer.seal(thumb, `thumbs/${sha256}`));
    await this.live(async (db) => {
      const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
      void tx.objectStore("bytes").put(sealed, sha256);
      if (small) void tx.objectStore("thumbs").put(small, sha256);
      void tx.objectStore("rows").put(row, sha256);
      if (recording) {
        void tx.objectStore("recordings").delete(recording);
        void tx.objectStore("pieces").delete(piecesOf(recording));
      }
      await tx.done;
    });
  }

  async put(row: AttachmentRow): Promise<void> {
    await this.live(async (db) => {
      const tx = db.transaction("rows", "readwrite", { durability: "strict" });
      await Promise.all([tx.store.put(row, row.sha256), tx.done]);
    });
  }

  /** Erases the bytes of an attachment; what it looks like small stays. */
  async erase(sha256: string): Promise<void> {
    await this.live((db) => db.delete("bytes", sha256));
  }

  /** Adds a piece to a recording: on disk before the next one is taken. */
  async addPiece(row: RecordingRow, piece: Uint8Array): Promise<void> {
    const sealed = await this.sealer.seal(piece, `pieces/${row.id}/${row.pieces}`);
    await this.live(async (db) => {
      const tx = db.transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
      void tx.objectStore("pieces").put(sealed, [row.id, row.pieces]);
      void tx.objectStore("recordings").put({ ...row, pieces: row.pieces + 1 }, row.id);
      await tx.done;
    });
  }

  /** Everything of a recording that is on disk, in order. */
  async pieces(id: string): Promise<Uint8Array[]> {
    const sealed = await this.live((db) => db.getAll("pieces", piecesOf(id)));
    return Promise.all(sealed.map(async (piece, at) => this.sealer.open(piece, `pieces/${id}/${at}`)));
  }

  async dropRecording(id: string): Promise<void> {
    await this.live(async (db) => {
      const tx = db.transaction(["recordings", "pieces"], "readwrite", { durability: "strict" });
      void tx.objectStore("recordings").delete(id);
      void tx.objectStore("pieces").delete(piecesOf(id));
      await tx.done;
    });
  }

  async clear(): Promise<void> {
    await this.live(async (db) => {
      const tx = db.transaction(STORES, "readwrite", { durability: "strict" });
      await Promise.all([...STORES.map((name) => tx.objectStore(name).clear()), tx.done]);
    });
  }

  private async read(store: "bytes" | "thumbs", sha256: string): Promise<Uint8Array | null> {
    const sealed = await this.live((db) => db.get(store, sha256));
    return sealed ? this.sealer.open(sealed, `${store}/${sha256}`) : null;
  }

  /** Runs on a live handle: a browser may kill one in the background. */
  private async live<T>(work: (db: IDBPDatabase<Attachments>) => Promise<T>): Promise<T> {
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

function piecesOf(recording: string): IDBKeyRange {
  return IDBKeyRange.bound([recording, 0], [recording, Number.MAX_SAFE_INTEGER]);
}

function connect(name: string): Promise<IDBPDatabase<Attachments>> {
  return openDB<Attachments>(name, 1, {
    upgrade(db) {
      for (const name of STORES) db.createObjectStore(name);
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}
