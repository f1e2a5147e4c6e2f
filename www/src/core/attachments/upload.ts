/**
 * One attachment's way to the office, and the office's word for it.
 *
 * "At the office" is said only once the office has verified the whole, and bytes are erased only
 * after it was asked once more: what a disk there has damaged since goes up again.
 */
import type { AttachmentRow, AttachmentStore } from "./attachmentStore";
import { OfficeError, type Office } from "../worker/office";

/** Bytes of a piece: seconds on a slow link. */
const PIECE = 256 * 1024;
/** While these last, nothing else gets through either. */
const UNREACHABLE = ["offline", "signed_out", "other_workspace", "timeout"];
/** The office will never take such an attachment. Any other failure may pass. */
const NEVER = ["media_type", "too_large"];

export class Upload {
  /** Bytes that the office has of what goes up now. */
  readonly sent = new Map<string, number>();
  private stopped = false;

  constructor(
    private readonly store: AttachmentStore,
    /** None in practice: nothing leaves the phone. */
    private readonly office: Office | null,
    private readonly tell: (record: string) => void,
  ) {}

  /** Sends nothing more. */
  stop(): void {
    this.stopped = true;
  }

  /**
   * Sends an attachment; gives whether the office has the whole, verified. What it never takes, and
   * what can't be read on this phone any more, is noted as refused.
   */
  async send(row: AttachmentRow): Promise<boolean> {
    const { sha256, media_type, size } = row;
    if (!this.office || this.stopped) return false;
    try {
      // How far it is, by the office's word; then what follows, piece by piece.
      let { received, complete } = await this.ask(row);
      const bytes = complete ? null : await this.store.bytes(sha256).catch(() => null);
      if (!complete && (!bytes || (await sha256Of(bytes)) !== sha256)) {
        await this.note({ ...row, refused: "damaged_bytes" });
        return false;
      }
      while (bytes && !complete) {
        if (this.stopped) return false;
        this.sent.set(sha256, received);
        this.tell(row.record);
        const from = received;
        const to = Math.min(from + PIECE, size);
        ({ received, complete } = await this.office.putPiece(sha256, media_type, bytes, size, from, to));
        if (received === from && !complete) throw new OfficeError("office_error");
      }
    } catch (cause) {
      const code = cause instanceof OfficeError ? cause.code : "failed";
      // The failure may pass: try again later.
      if (!NEVER.includes(code)) throw cause;
      await this.note({ ...row, refused: code });
      return false;
    } finally {
      this.sent.delete(sha256);
    }
    await this.note({ ...row, at_office: Date.now() });
    return true;
  }

  /** Whether the office says once more that it has the whole; what it has lost is to go up again. */
  async isConfirmed(row: AttachmentRow): Promise<boolean> {
    const { complete } = await this.ask(row);
    if (!complete) await this.note({ ...row, at_office: null });
    return complete;
  }

  private async ask({ sha256, media_type, size }: AttachmentRow): Promise<{ received: number; complete: boolean }> {
    if (!this.office) return { received: 0, complete: false };
    return this.office.putPiece(sha256, media_type, new Uint8Array(), size, 0, 0);
  }

  private async note(row: AttachmentRow): Promise<void> {
    await this.store.put(row);
    this.tell(row.record);
  }
}

/** Whether nothing gets through to the office now, or it has no room; then how long it wants to be left alone, ms. */
export function standsOff(cause: unknown): number | null {
  if (!(cause instanceof OfficeError)) return null;
  if (cause.waitMs === undefined) return UNREACHABLE.includes(cause.code) ? 0 : null;
  return cause.waitMs;
}

export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
