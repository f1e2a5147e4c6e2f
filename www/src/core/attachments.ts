/**
 * Attachments, from the camera to the office.
 *
 * Bytes are on disk first, then the record names them, then they go up in pieces, apart from the
 * sync of records: a photo never holds up what was written. "At the office" is said only once the
 * office has put the whole together and found it to be what its name says; only then may the phone
 * erase bytes. Whatever ends this in between, the next start goes on from the rows.
 */
import type { AttachmentKind, Command } from "../wasm/doorstep";
import { ClientError } from "./api";
import type { AttachmentStore, AttachmentRow, RecordingRow } from "./attachmentStore";
import { OfficeError, type Office } from "./office";
import { bytesOf, small } from "./photo";

/** Bytes of a piece: seconds on a slow link. */
const PIECE = 256 * 1024;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Bytes stay on the phone for so long after the office has them: to look at without a network. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Above this share of the browser's quota, bytes that the office has go at once. */
const TIGHT = 0.8;

/** What a page shows of an attachment that was taken on this phone. */
export interface LocalAttachment extends AttachmentRow {
  /** Bytes that the office has, while it goes up. */
  sent: number;
  /** The bytes are on this phone. */
  here: boolean;
}

export interface Taking {
  kind: AttachmentKind;
  caption: string;
  /** ms */
  taken_at: number;
}

export class Attachments {
  private readonly sent = new Map<string, number>();
  private running = false;
  private again = false;
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly store: AttachmentStore,
    /** None in practice: nothing leaves the phone. */
    private readonly office: Office | null,
    private readonly name: (record: string, command: Command) => Promise<void>,
    private readonly tell: (record: string) => void,
  ) {}

  /** Forgets everything, once nothing waits. */
  async clear(): Promise<void> {
    this.stop();
    await this.store.clear();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Attachments of a record that were taken here. */
  async of(record: string): Promise<LocalAttachment[]> {
    const rows = (await this.store.rows()).filter((row) => row.record === record);
    return Promise.all(
      rows.map(async (row) => ({
        ...row,
        sent: row.at_office === null ? (this.sent.get(row.sha256) ?? 0) : row.size,
        here: (await this.store.bytes(row.sha256).catch(() => null)) !== null,
      })),
    );
  }

  /** How many are not at the office. */
  async waiting(): Promise<number> {
    const [rows, recordings] = await Promise.all([this.store.rows(), this.store.recordings()]);
    return rows.filter((row) => row.at_office === null).length + recordings.length;
  }

  /** Keeps a photo or a file and names it in the record. Codes: storage_full, bad_picture, media_type, too_large. */
  async add(record: string, file: Blob, taking: Taking): Promise<void> {
    const image = file.type.startsWith("image/");
    if (!image && file.type !== "application/pdf") throw new ClientError("media_type");
    const drawn = image ? await small(file).catch(() => null) : { bytes: await bytesOf(file), thumb: null };
    if (!drawn) throw new ClientError("bad_picture");
    await this.keep(record, drawn.bytes, drawn.thumb, image ? "image/jpeg" : file.type, taking);
  }

  /** The picture of a signature, as it was drawn. */
  async addSignature(record: string, picture: Blob, caption: string): Promise<void> {
    const { thumb } = await small(picture);
    const taking = { kind: "signature", caption, taken_at: Date.now() } as const;
    await this.keep(record, await bytesOf(picture), thumb, "image/png", taking);
  }

  // -- recordings

  async recordings(record: string): Promise<RecordingRow[]> {
    return (await this.store.recordings()).filter((row) => row.record === record);
  }

  /** Resolves when the piece is on disk. */
  async addPiece(row: RecordingRow, piece: Blob): Promise<void> {
    await this.guarded(this.store.addPiece(row, await bytesOf(piece)));
  }

  /** Makes an attachment of all that is on disk of a recording. */
  async finishRecording(id: string, caption: string): Promise<void> {
    const row = (await this.store.recordings()).find((known) => known.id === id);
    if (!row) throw new ClientError("not_there");
    const bytes = await bytesOf(new Blob((await this.store.pieces(id)) as BlobPart[]));
    const taking = { kind: "audio", caption, taken_at: row.begun_at } as const;
    await this.keep(row.record, bytes, null, row.media_type.split(";")[0] ?? "", taking, id);
  }

  async dropRecording(id: string): Promise<void> {
    await this.store.dropRecording(id);
  }

  // -- looking

  thumb(sha256: string): Promise<Uint8Array | null> {
    return this.store.thumb(sha256).catch(() => null);
  }

  /** The bytes, from this phone or from the office. Codes: offline, not_found, damaged_bytes. */
  async bytes(sha256: string): Promise<Uint8Array> {
    const here = await this.store.bytes(sha256).catch(() => null);
    const bytes = here ?? (await this.office?.blob(sha256));
    if (!bytes) throw new ClientError("unknown_blob");
    if ((await sha256Of(bytes)) !== sha256) throw new ClientError("damaged_bytes");
    return bytes;
  }

  // -- keeping and sending

  private async keep(
    record: string,
    bytes: Uint8Array,
    thumb: Uint8Array | null,
    media_type: string,
    taking: Taking,
    recording?: string,
  ): Promise<void> {
    if (bytes.length === 0) throw new ClientError("bad_picture");
    if (bytes.length > 32 * 1024 * 1024) throw new ClientError("too_large");
    const sha256 = await sha256Of(bytes);
    const row: AttachmentRow = {
      ...taking,
      sha256,
      record,
      media_type,
      size: bytes.length,
      named: false,
      at_office: null,
      refused: null,
    };
    await this.guarded(this.store.keep(row, bytes, thumb, recording));
    await this.nameIt(row);
    void this.go();
  }

  private async nameIt(row: AttachmentRow): Promise<AttachmentRow> {
    const { sha256, media_type, size, taken_at, kind, caption } = row;
    try {
      await this.name(row.record, { do: "add_attachment", sha256, media_type, size, taken_at, kind, caption });
    } catch (cause) {
      // It stands in the record already: the same picture twice, or named before the last end.
      if (!(cause instanceof ClientError) || cause.code !== "written_once") throw cause;
    }
    const named = { ...row, named: true };
    await this.store.put(named);
    this.tell(row.record);
    return named;
  }

  private async guarded(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (cause) {
      const full = cause instanceof DOMException && cause.name === "QuotaExceededError";
      throw new ClientError(full ? "attachment_full" : "storage_failed");
    }
  }

  /** Goes on with whatever is not done: names, sends, erases. At a start, and whenever a network may be there. */
  async go(): Promise<void> {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    clearTimeout(this.timer);
    try {
      do {
        this.again = false;
        for (const row of await this.store.rows()) {
          if (this.stopped) return;
          await this.goOn(row);
        }
      } while (this.again);
      this.wait = FIRST_WAIT_MS;
    } catch {
      this.timer = setTimeout(() => void this.go(), this.wait * (0.5 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    } finally {
      this.running = false;
    }
  }

  private async goOn(row: AttachmentRow): Promise<void> {
    const known = row.named ? row : await this.nameIt(row).catch(() => null);
    // Its record can't be written now: the bytes stay until it can.
    if (!known) return;
    if (known.at_office === null && known.refused === null) await this.send(known);
    else if (known.at_office !== null && (Date.now() - known.at_office > KEPT_MS || (await tight()))) {
      await this.store.erase(known.sha256);
    }
  }

  private async send(row: AttachmentRow): Promise<void> {
    const { office } = this;
    if (!office) return;
    const bytes = await this.store.bytes(row.sha256);
    if (!bytes || (await sha256Of(bytes)) !== row.sha256) {
      await this.note({ ...row, refused: "damaged_bytes" });
      return;
    }
    try {
      // How far it is, by the office's word; then what follows, piece by piece.
      let { received, complete } = await office.putPiece(row.sha256, row.media_type, bytes, 0, 0);
      while (!complete) {
        if (this.stopped) return;
        this.sent.set(row.sha256, received);
        this.tell(row.record);
        const last = Math.min(received + PIECE, bytes.length);
        ({ received, complete } = await office.putPiece(row.sha256, row.media_type, bytes, received, last));
      }
    } catch (cause) {
      const code = cause instanceof OfficeError ? cause.code : "failed";
      // Not this attachment's fault, or gone by itself: another try later.
      if (!["media_type", "too_large"].includes(code)) throw cause;
      await this.note({ ...row, refused: code });
      return;
    }
    this.sent.delete(row.sha256);
    await this.note({ ...row, at_office: Date.now() });
  }

  private async note(row: AttachmentRow): Promise<void> {
    await this.store.put(row);
    this.tell(row.record);
  }
}

async function tight(): Promise<boolean> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return quota > 0 && usage / quota > TIGHT;
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
