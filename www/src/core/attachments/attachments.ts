/**
 * Attachments, from the camera to the office.
 *
 * Bytes are stored first, then named in the record, then uploaded in pieces, apart from the sync of
 * records: a photo never delays text. An attachment counts as uploaded when the office has verified
 * its SHA-256. Only then may the phone erase the bytes, after asking again. Any step that is
 * interrupted is continued from the stored rows at the next start.
 */
import type { AttachmentKind } from "../../wasm/doorstep";
import { ClientError } from "../api";
import type { AttachmentRecords } from "./attachmentRecords";
import type { AttachmentRow, AttachmentStore, RecordingRow } from "./attachmentStore";
import { recordingLock } from "../store/names";
import { storageState } from "../store/quota";
import type { Office } from "../worker/office";
import { bytesOf, reducePhoto } from "./photo";
import { UnnamedAttachments } from "./unnamed";
import { backoffOf, sha256Of, Upload } from "./upload";

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** How long bytes stay on the phone after the upload, for viewing without a network. */
const RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
/** Above this share of the browser's quota, uploaded bytes are erased at once. */
const QUOTA_LIMIT = 0.8;
/** The office's limit. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Temporary refusals of an edit; any other is permanent. */
const TRANSIENT = ["damaged", "locked", "not_open", "restarted", "signed_out", "storage_failed"];

/** An attachment that was made on this phone, for pages. */
export interface LocalAttachment extends AttachmentRow {
  /** Bytes that the office has. */
  sent: number;
  /** The bytes are on this phone. */
  onPhone: boolean;
}

/** When, how and as what an attachment was made. */
export interface CaptureInfo {
  kind: AttachmentKind;
  caption: string;
  /** ms */
  taken_at: number;
}

export class Attachments {
  private readonly upload: Upload;
  private readonly unnamed: UnnamedAttachments;
  private running = false;
  private runAgain = false;
  private wait = FIRST_WAIT_MS;
  /** Recordings whose end it waits for. */
  private readonly awaited = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    readonly store: AttachmentStore,
    /** Null in practice mode: nothing is uploaded. */
    private readonly office: Office | null,
    private readonly records: AttachmentRecords,
    private readonly emitChange: (record: string) => void,
  ) {
    this.upload = new Upload(store, office, emitChange);
    this.unnamed = new UnnamedAttachments(store, (ids) => records.retain(ids));
  }

  /** Continues from the stored rows. */
  async start(): Promise<void> {
    await this.unnamed.count().catch(() => undefined);
    await this.run();
  }

  /** Stops uploads. */
  stop(): void {
    this.stopped = true;
    this.upload.stop();
    clearTimeout(this.timer);
  }

  /** Stops, and closes the store; interrupted work continues at the next start. */
  close(): void {
    this.stop();
    this.store.close();
  }

  /** Attachments of a record that were made on this phone. */
  async of(record: string): Promise<LocalAttachment[]> {
    const rows = (await this.store.rows()).filter((row) => row.record === record);
    return Promise.all(
      rows.map(async (row) => ({
        ...row,
        sent: row.at_office === null ? (this.upload.sent.get(row.sha256) ?? 0) : row.size,
        onPhone: await this.store.has(row.sha256),
      })),
    );
  }

  /** Stores a photo or a document and names it in the record. Codes: attachment_full, bad_picture, media_type, too_large. */
  async add(record: string, file: Blob, info: CaptureInfo): Promise<void> {
    const image = file.type.startsWith("image/");
    if (!image && file.type !== "application/pdf") throw new ClientError("media_type");
    const content = image ? await reducePhoto(file).catch(() => null) : { bytes: await bytesOf(file), thumb: null };
    if (!content) throw new ClientError("bad_picture");
    await this.addAttachment(record, content.bytes, content.thumb, image ? "image/jpeg" : file.type, info);
  }

  /** Stores the picture of a signature, as it was drawn. */
  async addSignature(record: string, picture: Blob, caption: string): Promise<void> {
    const { thumb } = await reducePhoto(picture);
    const info = { kind: "signature", caption, taken_at: Date.now() } as const;
    await this.addAttachment(record, await bytesOf(picture), thumb, "image/png", info);
  }

  // -- Recordings

  async recordings(record: string): Promise<RecordingRow[]> {
    return (await this.store.recordings()).filter((row) => row.record === record);
  }

  /** Resolves when the piece is on disk; fails then if the record is being withdrawn, so that the page stops. */
  async addPiece(row: RecordingRow, piece: Blob): Promise<void> {
    const bytes = await bytesOf(piece);
    const write = (): Promise<void> => this.withRoom(() => this.store.addPiece(row, bytes));
    await (this.unnamed.has(row.record) ? write() : this.unnamed.during(row.record, write));
    if (!this.records.holds(row.record) || this.records.isLeaving(row.record)) throw new ClientError("unknown_record");
  }

  /** Makes an attachment of the stored pieces of a recording. */
  async finishRecording(id: string, caption: string): Promise<void> {
    const row = (await this.store.recordings()).find((known) => known.id === id);
    if (!row) throw new ClientError("not_there");
    const bytes = await bytesOf(new Blob((await this.store.pieces(id)) as BlobPart[]));
    const info = { kind: "audio", caption, taken_at: row.begun_at } as const;
    await this.addAttachment(row.record, bytes, null, row.media_type.split(";")[0] ?? "", info, id);
  }

  async dropRecording(id: string): Promise<void> {
    await this.store.dropRecording(id);
    await this.unnamed.count();
  }

  /**
   * Finishes recordings of withdrawn records unless a page still records; returns whether none is
   * left. No page can open such a record any more, and the recording is evidence.
   */
  private async finishWithdrawn(): Promise<boolean> {
    let none = true;
    for (const { id, record } of await this.store.recordings()) {
      if (this.records.holds(record) && !this.records.isLeaving(record)) continue;
      if (await isRunning(id)) {
        none = false;
        this.continueAfter(id);
      } else if ((await this.store.pieces(id)).length === 0) await this.dropRecording(id);
      else await this.finishRecording(id, "").catch(() => (none = false));
    }
    return none;
  }

  /** Continues once no page records this any more. */
  private continueAfter(recording: string): void {
    if (this.awaited.has(recording)) return;
    this.awaited.add(recording);
    const ended = navigator.locks.request(recordingLock(recording), () => void this.awaited.delete(recording));
    void ended.then(() => this.run());
  }

  /** After a change of a record, or of the status (null): continues if a record is being withdrawn, or is gone. */
  onChange(record: string | null): void {
    if (this.stopped) return;
    const gone = record !== null && !this.records.holds(record);
    if (gone || this.unnamed.some((id) => this.records.isLeaving(id))) void this.run();
  }

  // -- Reading

  thumb(sha256: string): Promise<Uint8Array | null> {
    return this.store.thumb(sha256).catch(() => null);
  }

  /** The bytes, from this phone or from the office. Codes: offline, unknown_blob, damaged_bytes. */
  async bytes(sha256: string): Promise<Uint8Array> {
    const local = await this.store.bytes(sha256).catch(() => null);
    const bytes = local ?? (await this.office?.blob(sha256));
    if (!bytes) throw new ClientError("unknown_blob");
    if ((await sha256Of(bytes)) !== sha256) throw new ClientError("damaged_bytes");
    return bytes;
  }

  // -- Storing

  private async addAttachment(
    record: string,
    bytes: Uint8Array,
    thumb: Uint8Array | null,
    media_type: string,
    info: CaptureInfo,
    recording?: string,
  ): Promise<void> {
    if (bytes.length === 0) throw new ClientError("bad_picture");
    if (bytes.length > MAX_BYTES) throw new ClientError("too_large");
    const held = this.records.holds(record);
    // The pieces of an interrupted recording are the only copy; the page has all other attachments.
    if (!held && recording === undefined) throw new ClientError("unknown_record");
    const sha256 = await sha256Of(bytes);
    const row: AttachmentRow = {
      ...info,
      sha256,
      record,
      media_type,
      size: bytes.length,
      named: false,
      at_office: null,
      refused: null,
    };
    await this.unnamed.during(record, async () => {
      await this.withRoom(() => this.store.add(row, bytes, thumb, recording));
      if (held) await this.addToRecord(row);
    });
    void this.run();
  }

  private async addToRecord(row: AttachmentRow): Promise<AttachmentRow> {
    const { sha256, media_type, size, taken_at, kind, caption } = row;
    try {
      await this.records.write(row.record, { do: "add_attachment", sha256, media_type, size, taken_at, kind, caption });
    } catch (cause) {
      if (!(cause instanceof ClientError)) throw cause;
      if (![...TRANSIENT, "written_once"].includes(cause.code)) this.unnamed.refuse(row);
      // The record names it already: the same picture twice, or named before an interruption.
      if (cause.code !== "written_once") throw cause;
    }
    const named = { ...row, named: true };
    await this.store.put(named);
    this.emitChange(row.record);
    return named;
  }

  /** If the disk is full, erases uploaded bytes and tries once more. */
  private async withRoom(work: () => Promise<void>): Promise<void> {
    try {
      await work().catch(async (cause: unknown) => {
        if (!isFull(cause) || !(await this.makeRoom())) throw cause;
        await work();
      });
    } catch (cause) {
      throw new ClientError(isFull(cause) ? "attachment_full" : "storage_failed");
    }
  }

  /** Erases uploaded bytes; returns whether there were any. */
  private async makeRoom(): Promise<boolean> {
    let erased = false;
    for (const row of await this.store.rows()) {
      if (row.at_office === null || !(await this.store.has(row.sha256))) continue;
      erased = (await this.eraseBytes(row).catch(() => false)) || erased;
    }
    return erased;
  }

  // -- Uploading and erasing

  /** Continues whatever is not done: naming, uploading, erasing. Call it whenever there may be a network. */
  async run(): Promise<void> {
    if (this.running) {
      this.runAgain = true;
      return;
    }
    this.running = true;
    clearTimeout(this.timer);
    try {
      while (await this.pass());
    } catch {
      this.runLater();
    } finally {
      this.running = false;
    }
  }

  /** One pass over all attachments; returns whether another one is due at once. */
  private async pass(): Promise<boolean> {
    this.runAgain = false;
    let left = !(await this.finishWithdrawn());
    let least = 0;
    for (const row of await this.store.rows()) {
      if (this.stopped) return false;
      try {
        await this.advance(row);
      } catch (cause) {
        // One that fails must not block the others.
        left = true;
        const backoff = backoffOf(cause);
        if (backoff === null) continue;
        least = backoff;
        break;
      }
    }
    if (left) this.runLater(least);
    else this.wait = FIRST_WAIT_MS;
    return this.runAgain;
  }

  private runLater(least = 0): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), least + this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private async advance(row: AttachmentRow): Promise<void> {
    // If the record can't be changed now, the bytes stay until it can.
    if (!row.named && this.records.holds(row.record)) {
      const named = await this.addToRecord(row).catch(() => null);
      await this.unnamed.count();
      if (!named) return;
    }
    const { record, sha256 } = row;
    const known = await this.find(row);
    if (known?.at_office === null && known.refused === null) await this.upload.send(known);
    const after = await this.find(row);
    if (!after) return;
    if (!this.records.holds(record)) await this.removeUploaded(after);
    else if (after.at_office !== null && (Date.now() - after.at_office > RETENTION_MS || (await isQuotaLow()))) {
      if (await this.store.has(sha256)) await this.eraseBytes(after);
    }
  }

  private async find({ record, sha256 }: AttachmentRow): Promise<AttachmentRow | undefined> {
    return (await this.store.rows()).find((known) => known.record === record && known.sha256 === sha256);
  }

  /** Deletes an attachment whose record is gone, once the office has all of it or never accepts it. */
  private async removeUploaded(row: AttachmentRow): Promise<void> {
    if (row.refused === null) {
      if (row.at_office === null) return;
      if ((await this.store.has(row.sha256)) && !(await this.upload.isConfirmed(row))) {
        this.runAgain = true;
        return;
      }
    }
    await this.store.remove(row, !(await this.isShared(row)));
    this.emitChange(row.record);
  }

  /**
   * Uploads everything; returns whether the office has confirmed that nothing is outstanding: it
   * has all of every attachment, or never accepts it.
   */
  async uploadAll(): Promise<boolean> {
    let all = await this.finishWithdrawn();
    for (const row of await this.store.rows()) {
      if (row.refused !== null || (row.at_office !== null && !(await this.store.has(row.sha256)))) continue;
      try {
        if (await this.upload.send(row)) continue;
        all &&= ((await this.find(row))?.refused ?? null) !== null;
      } catch (cause) {
        all = false;
        if (backoffOf(cause) !== null) break;
      }
    }
    return all && !this.stopped;
  }

  /** Whether another record has the same bytes. */
  private async isShared({ record, sha256 }: AttachmentRow): Promise<boolean> {
    return (await this.store.rows()).some((row) => row.sha256 === sha256 && row.record !== record);
  }

  /**
   * Erases the bytes on this phone if the office confirms again that it has them, and has the change
   * that names them: it deletes bytes that no record names.
   */
  private async eraseBytes(row: AttachmentRow): Promise<boolean> {
    const { sha256, record } = row;
    const others = (await this.store.rows()).some((other) => other.sha256 === sha256 && other.at_office === null);
    if (!this.office || others || !this.records.isConfirmed(record)) return false;
    const confirmed = await this.upload.isConfirmed(row);
    if (confirmed) await this.store.erase(sha256);
    else this.runAgain = true;
    return confirmed;
  }
}

/** Whether a page is still recording. */
async function isRunning(recording: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === recordingLock(recording));
}

function isFull(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "QuotaExceededError";
}

async function isQuotaLow(): Promise<boolean> {
  const { room } = await storageState();
  return room !== null && room.usage / room.quota > QUOTA_LIMIT;
}
