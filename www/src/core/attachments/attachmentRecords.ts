import type { Command } from "../../wasm/doorstep";

/** What attachments need of the records on this phone. */
export interface AttachmentRecords {
  /** Applies a command to a record; resolves when that is durable. */
  write(record: string, command: Command): Promise<void>;
  /** Whether the record is on this phone. */
  holds(record: string): boolean;
  /** Whether the record is withdrawn and only stays until its attachments are named. */
  isLeaving(record: string): boolean;
  /** Whether the office has all changes of the record, or the record is not on this phone. */
  isConfirmed(record: string): boolean;
  /** Sets the records that stay until their attachments are named. */
  retain(records: readonly string[]): void;
}
