/**
 * Withdrawn records that stay on this phone because they do not name one of their attachments yet
 * (rule F1): once a record is gone, it can't be changed any more.
 */
import { keyOf, type AttachmentRow, type AttachmentStore } from "./attachmentStore";

export class UnnamedAttachments {
  /** Number of running calls that store an attachment of a record. */
  private readonly storing = new Map<string, number>();
  /** Attachments that their records refuse to name. */
  private readonly refused = new Set<string>();
  private records: ReadonlySet<string> = new Set();

  constructor(
    private readonly store: AttachmentStore,
    /** Sets which records are retained. */
    private readonly retain: (records: readonly string[]) => void,
  ) {}

  has(record: string): boolean {
    return this.records.has(record);
  }

  some(is: (record: string) => boolean): boolean {
    return [...this.records].some(is);
  }

  /** The record never names this attachment, so it is not retained for it. */
  refuse(row: AttachmentRow): void {
    this.refused.add(keyOf(row));
  }

  /** Retains a record while an attachment of it is stored and named. */
  async during(record: string, work: () => Promise<void>): Promise<void> {
    this.storing.set(record, (this.storing.get(record) ?? 0) + 1);
    // Before the attachment is on disk.
    if (!this.has(record)) this.set(new Set([...this.records, record]));
    try {
      await work();
    } finally {
      const left = (this.storing.get(record) ?? 1) - 1;
      if (left > 0) this.storing.set(record, left);
      else this.storing.delete(record);
      // If that fails, too many records are retained, never too few.
      await this.count().catch(() => undefined);
    }
  }

  /** Reads the retained records from the store. */
  async count(): Promise<void> {
    const waiting = await unnamedRecords(this.store, (row) => !this.refused.has(keyOf(row)));
    this.set(new Set([...this.storing.keys(), ...waiting]));
  }

  private set(records: ReadonlySet<string>): void {
    this.records = records;
    this.retain([...records]);
  }
}

/** Records with an attachment that they do not name, or with an unfinished recording. */
export async function unnamedRecords(
  store: AttachmentStore,
  counts: (row: AttachmentRow) => boolean = () => true,
): Promise<string[]> {
  const [rows, recordings] = await Promise.all([store.rows(), store.recordings()]);
  const unnamed = rows.filter((row) => !row.named && counts(row));
  return [...new Set([...unnamed, ...recordings].map(({ record }) => record))];
}
