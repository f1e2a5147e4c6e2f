/**
 * Attachments, from the camera to the office.
 *
 * Bytes are on disk first, then the record names them, then they go up in pieces, apart from the
 * sync of records: a photo never holds up what was written. "At the office" is said only once the
 * office has put the whole together and found it to be what its name says; only then may the phone
 * erase bytes, and it asks once more before it does. Whatever ends this in between, the next start
 * goes on from the rows.
 */
import type { AttachmentKind, Command } from "../../wasm/doorstep";
import { ClientError } from "../api";
import type { AttachmentRow, AttachmentStore, RecordingRow } from "./attachmentStore";
import { recordingLock } from "../store/names";
import type { Office } from "../worker/office";
import { bytesOf, small } from "./photo";
import { Unnamed } from "./unnamed";
import { sha256Of, standsOff, Upload } from "./upload";

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Bytes stay on the phone for so long after the office has them: to look at without a network. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Above this share of the browser's quota, bytes that the office has go at once. */
const TIGHT = 0.8;
/** As the office has it (`MOST_BYTES` there). */
const MOST_BYTES = 32 * 1024 * 1024;
/** Why a record can't be written for now; any other refusal of a name is for good. */
const NOT_NOW = ["damaged", "locked", "not_open", "restarted", "signed_out", "storage_failed"];

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
  private readonly upload: Upload;
  private readonly unnamed: Unnamed;
  private running = false;
  private again = false;
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    readonly store: AttachmentStore,
    /** None in practice: nothing leaves the phone. */
    private readonly office: Office | null,
    private readonly records: Records,
    private readonly tell: (record: string) => void,
  ) {
    this.upload = new Upload(store, office, tell);
    this.unnamed = new Unnamed(store, (held) => records.hold(held));
  }

  /** Continues from the rows on disk. */
  async start(): Promise<void> {
    await this.unnamed.count().catch(() => undefined);
    await this.go();
  }

  /** Sends nothing more. */
  stop(): void {
    this.stopped = true;
    this.upload.stop();
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
        sent: row.at_office === null ? (this.upload.sent.get(row.sha256) ?? 0) : row.size,
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
    const write = (): Promise<void> => this.guarded(() => this.store.addPiece(row, bytes));
    await (this.unnamed.has(row.record) ? write() : this.unnamed.during(row.record, write));
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
    await this.unnamed.count();
  }

  /**
   * Finishes recordings of records that leave this phone, unless a page still records; returns
   * whether none is left. Nobody can open such a record any more, and the recording is evidence.
   */
  private async finishLeaving(): Promise<boolean> {
    let none = true;
    for (const { id, record } of await this.store.recordings()) {
      if (this.records.holds(record) && !this.records.isLeaving(record)) continue;
      if (await isRunning(id)) none = false;
      else if ((await this.store.pieces(id)).length === 0) await this.dropRecording(id);
      else await this.finishRecording(id, "").catch(() => (none = false));
    }
    return none;
  }

  /** A record or the status changed: continues if a record is to leave, or has left. */
  changed(record: string | null): void {
    if (this.stopped) return;
    const left = record !== null && !this.records.holds(record);
    if (left || this.unnamed.some((held) => this.records.isLeaving(held))) void this.go();
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
    const held = this.records.holds(record);
    // A recording that was cut off is all that there is of it; anything else the page still has.
    if (!held && recording === undefined) throw new ClientError("unknown_record");
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
    await this.unnamed.during(record, async () => {
      await this.guarded(() => this.store.keep(row, bytes, thumb, recording));
      if (held) await this.nameIt(row);
    });
    void this.go();
  }

  private async nameIt(row: AttachmentRow): Promise<AttachmentRow> {
    const { sha256, media_type, size, taken_at, kind, caption } = row;
    try {
      await this.records.write(row.record, { do: "add_attachment", sha256, media_type, size, taken_at, kind, caption });
    } catch (cause) {
      if (!(cause instanceof ClientError)) throw cause;
      if (![...NOT_NOW, "written_once"].includes(cause.code)) this.unnamed.refuse(row);
      // It stands in the record already: the same picture twice, or named before the last end.
      if (cause.code !== "written_once") throw cause;
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
    let left = !(await this.finishLeaving());
    let least = 0;
    for (const row of await this.store.rows()) {
      if (this.stopped) return false;
      try {
        await this.goOn(row);
      } catch (cause) {
        // One that can't go never stands in the way of another.
        left = true;
        const away = standsOff(cause);
        if (away === null) continue;
        least = away;
        break;
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
    // Where its record can't be written now the bytes stay until it can.
    if (!row.named && this.records.holds(row.record)) {
      const named = await this.nameIt(row).catch(() => null);
      await this.unnamed.count();
      if (!named) return;
    }
    const { record, sha256 } = row;
    const known = await this.find(row);
    if (known?.at_office === null && known.refused === null) await this.upload.send(known);
    const after = await this.find(row);
    if (!after) return;
    if (!this.records.holds(record)) await this.forget(after);
    else if (after.at_office !== null && (Date.now() - after.at_office > KEPT_MS || (await tight()))) {
      if (await this.store.has(sha256)) await this.eraseBytes(after);
    }
  }

  private async find({ record, sha256 }: AttachmentRow): Promise<AttachmentRow | undefined> {
    return (await this.store.rows()).find((known) => known.record === record && known.sha256 === sha256);
  }

  /** Erases an attachment whose record has left, once the office has the whole or never takes it. */
  private async forget(row: AttachmentRow): Promise<void> {
    if (row.refused === null) {
      if (row.at_office === null) return;
      if ((await this.store.has(row.sha256)) && !(await this.upload.isConfirmed(row))) {
        this.again = true;
        return;
      }
    }
    await this.store.forget(row, !(await this.needed(row)));
    this.tell(row.record);
  }

  /**
   * Sends all that this phone has; gives whether the office has confirmed that nothing is
   * outstanding: it has every attachment whole, or never takes it.
   */
  async handOver(): Promise<boolean> {
    let all = await this.finishLeaving();
    for (const row of await this.store.rows()) {
      if (row.refused !== null || (row.at_office !== null && !(await this.store.has(row.sha256)))) continue;
      try {
        if (await this.upload.send(row)) continue;
        all &&= ((await this.find(row))?.refused ?? null) !== null;
      } catch (cause) {
        all = false;
        if (standsOff(cause) !== null) break;
      }
    }
    return all && !this.stopped;
  }

  /** Another record's row stands on the same bytes. */
  private async needed({ record, sha256 }: AttachmentRow): Promise<boolean> {
    return (await this.store.rows()).some((row) => row.sha256 === sha256 && row.record !== record);
  }

  /**
   * Erases the bytes on this phone, where the office says once more that it has them, and has the
   * change that names them: unnamed bytes are swept there after a while.
   */
  private async eraseBytes(row: AttachmentRow): Promise<boolean> {
    const { sha256, record } = row;
    const others = (await this.store.rows()).some((other) => other.sha256 === sha256 && other.at_office === null);
    if (!this.office || others || !this.records.isSettled(record)) return false;
    const confirmed = await this.upload.isConfirmed(row);
    if (confirmed) await this.store.erase(sha256);
    else this.again = true;
    return confirmed;
  }
}

/** What attachments need of the records on this phone. */
export interface Records {
  /** Writes a command into a record; resolves when that is durable. */
  write(record: string, command: Command): Promise<void>;
  /** Whether this phone holds it; it may have been taken away. */
  holds(record: string): boolean;
  /** Whether it is to leave this phone as soon as nothing holds it back. */
  isLeaving(record: string): boolean;
  /** Whether the office has all that was written into it, or this phone does not hold it. */
  isSettled(record: string): boolean;
  /** These and no others are held back until their attachments are named. */
  hold(records: readonly string[]): void;
}

/** Whether a page still records. */
async function isRunning(recording: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === recordingLock(recording));
}

function isFull(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "QuotaExceededError";
}

async function tight(): Promise<boolean> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return quota > 0 && usage / quota > TIGHT;
}
