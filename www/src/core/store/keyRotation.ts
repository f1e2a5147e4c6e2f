/**
 * Key rotation: re-encrypts, in the background, values that are encrypted under the previous data
 * key (docs/SECURITY.md).
 *
 * No progress is stored: a value shows which key decrypts it. After a kill, a lock or a full disk
 * the next start makes another pass and finds less to do. When a pass finds nothing, one
 * transaction replaces the lock by the one without the previous key. Other writes continue
 * throughout, under the new key.
 */
import type { Cipher, Table } from "../../wasm/doorstep";
import type { RotationState } from "../api";
import type { AttachmentStore, Place, Encrypted } from "../attachments/attachmentStore";
import { StorageError, TABLES } from "./database";
import type { DeviceStore } from "./deviceStore";
import { finishRotation, type PinLock } from "./pinLock";

/** Rows of one transaction: few, so that saves are not delayed. */
const ROWS = 16;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 5 * 60_000;

export class KeyRotation {
  state: RotationState = { state: "running", done: 0, total: 0 };
  private stopped = false;
  private running = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT_MS;

  constructor(
    private readonly store: DeviceStore,
    private readonly attachments: AttachmentStore,
    /** Made from the keyring with both keys. */
    private readonly cipher: Cipher,
    private readonly pinLock: PinLock,
    /** SHA-256s of the attachments that a record names. */
    private readonly attachmentsNamedBy: (record: string) => Promise<string[]>,
    private readonly changed: (state: RotationState) => void,
    /** Called when the lock no longer contains the previous key. */
    private readonly finished: () => Promise<void>,
  ) {}

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    if (!this.running) this.cipher.free();
  }

  async run(): Promise<void> {
    this.running = true;
    try {
      // Values that were encrypted before the key changed must be on disk before the first pass.
      await Promise.all([this.store.drain(), this.attachments.drain()]);
      while (await this.pass());
      if (this.stopped) return;
      const at = Date.now();
      await this.pinLock.change((row) => finishRotation(row, at));
      this.stopped = true;
      this.setState({ state: "finished", at });
      await this.finished();
    } catch (cause) {
      if (this.stopped) return;
      this.setState({ state: "waiting", code: cause instanceof StorageError ? cause.code : "failed" });
      this.timer = setTimeout(() => void this.run(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    } finally {
      this.running = false;
      if (this.stopped) this.cipher.free();
    }
  }

  /** Visits every value once; returns whether any was encrypted under the previous key. */
  private async pass(): Promise<boolean> {
    const { known, stray } = await this.attachments.places(() => this.named());
    const total = (await this.store.count()) + known.length + stray.length;
    let done = 0;
    let found = 0;
    const advance = (count: number): void => {
      done += count;
      this.setState({ state: "running", done: Math.min(done, total), total });
    };
    for (const table of TABLES) found += await this.rows(table, advance);
    for (const place of known) {
      found += await this.value(place);
      advance(1);
    }
    for (const place of stray) {
      // Nothing refers to it, and it can't be re-encrypted without its name.
      const value = this.stopped ? undefined : await this.attachments.readEncrypted(place);
      if (value) await this.attachments.replace(place, value, null);
      advance(1);
    }
    return found > 0 && !this.stopped;
  }

  private async rows(table: Table, advance: (count: number) => void): Promise<number> {
    let found = 0;
    let after: string | undefined;
    while (!this.stopped) {
      const page = await this.store.page(table, after, ROWS);
      if (this.stopped || page.length === 0) break;
      after = page.at(-1)?.key;
      const stale = page.flatMap(({ key, value }) => {
        const now = this.cipher.reencrypt(table, key, value);
        return now ? [{ key, was: value, now }] : [];
      });
      // Rows that have changed since are skipped: they are under the new key.
      if (stale.length > 0) await this.store.replace(table, stale);
      found += stale.length;
      advance(page.length);
    }
    return found;
  }

  private async value(place: Place): Promise<number> {
    const was = this.stopped ? undefined : await this.attachments.readEncrypted(place);
    if (!was || this.stopped) return 0;
    const now = this.reencrypted(was, place.place);
    if (now) await this.attachments.replace(place, was, now);
    return now ? 1 : 0;
  }

  private reencrypted(value: Encrypted, place: string): Encrypted | undefined {
    const reencrypt = (value: Uint8Array, place: string): Uint8Array | undefined =>
      this.cipher.reencrypt("attachments", place, value);
    if (!Array.isArray(value)) return reencrypt(value, place);
    const slices = value.map((slice, at) => reencrypt(slice, `${place}/${at}of${value.length}`));
    if (slices.every((slice) => slice === undefined)) return undefined;
    return slices.map((slice, at) => slice ?? value[at] ?? new Uint8Array());
  }

  /** SHA-256s of the attachments that records on this phone name. */
  private async named(): Promise<Set<string>> {
    const found = new Set<string>();
    let after: string | undefined;
    for (;;) {
      const page = await this.store.page("records", after, ROWS);
      if (page.length === 0) return found;
      after = page.at(-1)?.key;
      for (const { key } of page) for (const sha256 of await this.attachmentsNamedBy(key)) found.add(sha256);
    }
  }

  private setState(state: RotationState): void {
    if (this.stopped && state.state !== "finished") return;
    this.state = state;
    this.changed(state);
  }
}
