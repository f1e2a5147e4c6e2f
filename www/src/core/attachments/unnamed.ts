/**
 * Records that are held back on this phone because one of their attachments is not named in them yet
 * (rule F1): once a record has left, it can't be named any more.
 */
import type { AttachmentRow, AttachmentStore } from "./attachmentStore";

export class Unnamed {
  /** Calls that keep something about a record and have not named it yet. */
  private readonly keeping = new Map<string, number>();
  /** Attachments that their records refuse to name. */
  private readonly refused = new Set<string>();
  private records: ReadonlySet<string> = new Set();

  constructor(
    private readonly store: AttachmentStore,
    /** These records and no others are held back. */
    private readonly hold: (records: readonly string[]) => void,
  ) {}

  has(record: string): boolean {
    return this.records.has(record);
  }

  some(is: (record: string) => boolean): boolean {
    return [...this.records].some(is);
  }

  /** The record will never name it: it holds nothing back. */
  refuse(row: AttachmentRow): void {
    this.refused.add(keyOf(row));
  }

  /** Runs what keeps something about a record, and names it. */
  async during(record: string, work: () => Promise<void>): Promise<void> {
    this.keeping.set(record, (this.keeping.get(record) ?? 0) + 1);
    // Before anything is on disk.
    if (!this.has(record)) this.set(new Set([...this.records, record]));
    try {
      await work();
    } finally {
      const left = (this.keeping.get(record) ?? 1) - 1;
      if (left > 0) this.keeping.set(record, left);
      else this.keeping.delete(record);
      // Where that fails too many are held back, never too few.
      await this.count().catch(() => undefined);
    }
  }

  /** Reads which records they are now. */
  async count(): Promise<void> {
    const waiting = await unnamedRecords(this.store, (row) => !this.refused.has(keyOf(row)));
    this.set(new Set([...this.keeping.keys(), ...waiting]));
  }

  private set(records: ReadonlySet<string>): void {
    this.records = records;
    this.hold([...records]);
  }
}

/** Records that have an attachment without a name, or a recording that is not finished. */
export async function unnamedRecords(
  store: AttachmentStore,
  counts: (row: AttachmentRow) => boolean = () => true,
): Promise<string[]> {
  const [rows, recordings] = await Promise.all([store.rows(), store.recordings()]);
  const unnamed = rows.filter((row) => !row.named && counts(row));
  return [...new Set([...unnamed, ...recordings].map(({ record }) => record))];
}

const keyOf = ({ record, sha256 }: AttachmentRow): string => `${record}/${sha256}`;
