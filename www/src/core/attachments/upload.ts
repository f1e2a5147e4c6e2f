/**
 * Uploads attachments to the office and confirms that it has them.
 *
 * An attachment counts as uploaded only when the office has verified all of it. Before its bytes
 * are erased here the office is asked again: bytes that were damaged there are uploaded again.
 */
import type { AttachmentRow, AttachmentStore } from "./attachmentStore";
import { OfficeError, type Office } from "../worker/office";

/** Bytes of a request: seconds on a slow link. */
const PIECE = 256 * 1024;
/** Failures that apply to all attachments. */
const UNREACHABLE = ["offline", "signed_out", "other_workspace", "timeout"];
/** The office never accepts such an attachment; other failures are temporary. */
const PERMANENT = ["media_type", "too_large"];

export class Upload {
  /** Bytes that the office has of each running upload, by SHA-256. */
  readonly sent = new Map<string, number>();
  private stopped = false;

  constructor(
    private readonly store: AttachmentStore,
    /** Null in practice mode: nothing is uploaded. */
    private readonly office: Office | null,
    private readonly changed: (record: string) => void,
  ) {}

  stop(): void {
    this.stopped = true;
  }

  /**
   * Uploads an attachment; returns whether the office has verified all of it. One that the office
   * never accepts, or that is damaged on this phone, is marked as refused.
   */
  async send(row: AttachmentRow): Promise<boolean> {
    const { sha256, media_type, size } = row;
    if (!this.office || this.stopped) return false;
    try {
      // Continue where the office is.
      let { received, complete } = await this.queryProgress(row);
      const bytes = complete ? null : await this.store.bytes(sha256).catch(() => null);
      if (!complete && (!bytes || (await sha256Of(bytes)) !== sha256)) {
        await this.save({ ...row, refused: "damaged_bytes" });
        return false;
      }
      while (bytes && !complete) {
        if (this.stopped) return false;
        this.sent.set(sha256, received);
        this.changed(row.record);
        const from = received;
        const to = Math.min(from + PIECE, size);
        ({ received, complete } = await this.office.putPiece(sha256, media_type, bytes, size, from, to));
        if (received === from && !complete) throw new OfficeError("office_error");
      }
    } catch (cause) {
      const code = cause instanceof OfficeError ? cause.code : "failed";
      // Temporary: the caller tries again later.
      if (!PERMANENT.includes(code)) throw cause;
      await this.save({ ...row, refused: code });
      return false;
    } finally {
      this.sent.delete(sha256);
    }
    await this.save({ ...row, at_office: Date.now() });
    return true;
  }

  /** Asks whether the office still has all of it; if not, it will be uploaded again. */
  async isConfirmed(row: AttachmentRow): Promise<boolean> {
    const { complete } = await this.queryProgress(row);
    if (!complete) await this.save({ ...row, at_office: null });
    return complete;
  }

  private async queryProgress({
    sha256,
    media_type,
    size,
  }: AttachmentRow): Promise<{ received: number; complete: boolean }> {
    if (!this.office) return { received: 0, complete: false };
    return this.office.putPiece(sha256, media_type, new Uint8Array(), size, 0, 0);
  }

  private async save(row: AttachmentRow): Promise<void> {
    await this.store.put(row);
    this.changed(row.record);
  }
}

/** The wait before the next upload, ms, if a failure applies to all attachments; otherwise null. */
export function backoffOf(cause: unknown): number | null {
  if (!(cause instanceof OfficeError)) return null;
  if (cause.waitMs === undefined) return UNREACHABLE.includes(cause.code) ? 0 : null;
  return cause.waitMs;
}

export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
