/**
 * Attachments, from the camera to the office.
 *
 * Bytes are on disk first, then the record names them, then they go up in pieces, apart from the
 * sync of records: a photo never holds up what was written. "At the office" is said only once the
 * office has put the whole together and found it to be what its name says; only then may the phone
 * erase bytes, and it asks once more before it does. Whatever ends this in between, the next start
 * goes on from the rows.
 */
import type { AttachmentKind, Command } from "../wasm/doorstep";
import { ClientError } from "./api";
import type { AttachmentRow, AttachmentStore, RecordingRow } from "./attachmentStore";
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
/** As the office has it (`MOST_BYTES` there). */
const MOST_BYTES = 32 * 1024 * 1024;
/** While these last, nothing else gets through either. */
const NOBODY = ["offline", "signed_out", "timeout"];

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
    private readonly records: Records,
    private readonly tell: (record: string) => void,
  ) {}

  /** Sends nothing more. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Ends it; what is under way comes to nothing, and goes on with the next start. */
  end(): void {
    this.stop();
    this.store.close();
  }

  /** Attachments of a record that were taken here. */
  async of(record: string): Promise<LocalAttachment[]> {
    const rows = (await this.store.rows()).filter((row) => row.record === record);
    return Promise.all(
      rows.map(async (row) => ({
        ...row,
        sent: row.at_office === null ? (this.sent.get(row.sha256) ?? 0) : row.size,
        here: await this.store.has(row.sha256),
      })),
    );
  }

  /** Keeps a photo or a file and names it in the record. Codes: attachment_full, bad_picture, media_type, too_large. */
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
    const bytes = await bytesOf(piece);
    await this.guarded(() => this.store.addPiece(row, bytes));
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
    if (bytes.length > MOST_BYTES) throw new ClientError("too_large");
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
    await this.guarded(() => this.store.keep(row, bytes, thumb, recording));
    await this.nameIt(row);
    void this.go();
  }

  private async nameIt(row: AttachmentRow): Promise<AttachmentRow> {
    const { sha256, media_type, size, taken_at, kind, caption } = row;
    try {
      await this.records.write(row.record, { do: "add_attachment", sha256, media_type, size, taken_at, kind, caption });
    } catch (cause) {
      // It stands in the record already: the same picture twice, or named before the last end.
      if (!(cause instanceof ClientError) || cause.code !== "written_once") throw cause;
    }
    const named = { ...row, named: true };
    await this.store.put(named);
    this.tell(row.record);
    return named;
  }

  /** Where there is no room, what the office has goes first, and then it is tried once more. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work().catch(async (cause: unknown) => {
        if (!isFull(cause) || !(await this.makeRoom())) throw cause;
        await work();
      });
    } catch (cause) {
      throw new ClientError(isFull(cause) ? "attachment_full" : "storage_failed");
    }
  }

  /** Erases bytes that the office has; gives whether there were any. */
  private async makeRoom(): Promise<boolean> {
    let made = false;
    for (const row of await this.store.rows()) {
      if (row.at_office === null || !(await this.store.has(row.sha256))) continue;
      made = (await this.eraseBytes(row).catch(() => false)) || made;
    }
    return made;
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
      while (await this.round());
    } catch {
      this.later();
    } finally {
      this.running = false;
    }
  }

  /** Goes on with each; gives whether something came up meanwhile. */
  private async round(): Promise<boolean> {
    this.again = false;
    let left = false;
    let least = 0;
    for (const row of await this.store.rows()) {
      if (this.stopped) return false;
      try {
        await this.goOn(row);
      } catch (cause) {
        // One that can't go never stands in the way of another.
        left = true;
        if (!(cause instanceof OfficeError)) continue;
        // An office that has no room now says how long to stay away.
        least = cause.waitMs ?? 0;
        if (least > 0 || NOBODY.includes(cause.code)) break;
      }
    }
    if (left) this.later(least);
    else this.wait = FIRST_WAIT_MS;
    return this.again;
  }

  private later(least = 0): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.go(), least + this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private async goOn(row: AttachmentRow): Promise<void> {
    const held = this.records.holds(row.record);
    // Where its record can't be written now the bytes stay until it can.
    const known = row.named || !held ? row : await this.nameIt(row).catch(() => null);
    if (!known) return;
    if (known.at_office === null && known.refused === null) await this.send(known);
    await this.goOnAfter(known, held);
  }

  /** What its record was taken away from this phone with goes too, once the office has it. */
  private async goOnAfter({ record, sha256 }: AttachmentRow, held: boolean): Promise<void> {
    const row = (await this.store.rows()).find((known) => known.record === record && known.sha256 === sha256);
    if (!row || row.at_office === null) return;
    if (!held) {
      await this.store.forget(row, !(await this.needed(row)));
      this.tell(record);
    } else if ((Date.now() - row.at_office > KEPT_MS || (await tight())) && (await this.store.has(sha256))) {
      await this.eraseBytes(row);
    }
  }

  /** Sends what waits, once; gives whether the office could be reached. What it refuses is lost with this phone. */
  async handOver(): Promise<boolean> {
    for (const row of await this.store.rows()) {
      if (row.at_office !== null || row.refused !== null) continue;
      try {
        await this.send(row);
      } catch (cause) {
        const away = cause instanceof OfficeError && (["offline", "timeout"].includes(cause.code) || cause.waitMs);
        if (away) return false;
      }
    }
    return true;
  }

  /** Another record's row stands on the same bytes. */
  private async needed({ record, sha256 }: AttachmentRow): Promise<boolean> {
    return (await this.store.rows()).some((row) => row.sha256 === sha256 && row.record !== record);
  }

  /** Erases the bytes on this phone, where the office says once more that it has them. */
  private async eraseBytes(row: AttachmentRow): Promise<boolean> {
    const { office } = this;
    const { sha256, media_type, size } = row;
    const others = (await this.store.rows()).some((other) => other.sha256 === sha256 && other.at_office === null);
    if (!office || others) return false;
    const { complete } = await office.putPiece(sha256, media_type, new Uint8Array(), size, 0, 0);
    if (complete) await this.store.erase(sha256);
    else await this.note({ ...row, at_office: null });
    return complete;
  }

  private async send(row: AttachmentRow): Promise<void> {
    const { office } = this;
    if (!office) return;
    const { sha256, media_type, size } = row;
    const bytes = await this.store.bytes(sha256).catch(() => null);
    if (!bytes || (await sha256Of(bytes)) !== sha256) {
      await this.note({ ...row, refused: "damaged_bytes" });
      return;
    }
    try {
      // How far it is, by the office's word; then what follows, piece by piece.
      let { received, complete } = await office.putPiece(sha256, media_type, bytes, size, 0, 0);
      while (!complete) {
        if (this.stopped) return;
        this.sent.set(sha256, received);
        this.tell(row.record);
        const from = received;
        const to = Math.min(from + PIECE, size);
        ({ received, complete } = await office.putPiece(sha256, media_type, bytes, size, from, to));
        if (received === from && !complete) throw new OfficeError("office_error");
      }
    } catch (cause) {
      const code = cause instanceof OfficeError ? cause.code : "failed";
      // Not this attachment's fault, or gone by itself: another try later.
      if (!["media_type", "too_large"].includes(code)) throw cause;
      await this.note({ ...row, refused: code });
      return;
    } finally {
      this.sent.delete(sha256);
    }
    await this.note({ ...row, at_office: Date.now() });
  }

  private async note(row: AttachmentRow): Promise<void> {
    await this.store.put(row);
    this.tell(row.record);
  }
}

/** What attachments need of the records on this phone. */
export interface Records {
  /** Writes a command into a record; resolves when that is durable. */
  write(record: string, command: Command): Promise<void>;
  /** Whether this phone holds it; it may have been taken away. */
  holds(record: string): boolean;
}

function isFull(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "QuotaExceededError";
}

async function tight(): Promise<boolean> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return quota > 0 && usage / quota > TIGHT;
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
