/**
 * The lock of the phone's store: a PIN or passphrase and a key of the device, both needed.
 *
 * The store holds the data key wrapped. The wrapping key is derived from the PIN by Argon2id (in
 * the core) and then by HMAC under a key that the browser stores and does not export. Wrong PINs
 * delay the next attempt; they never erase anything.
 */
import { Keyring, storeFormat, stretch } from "../../wasm/doorstep";
import { ClientError, type Secret } from "../api";
import { bytesEqual, isSameLock, StorageError, type LockRow } from "./database";
import type { DeviceStore } from "./deviceStore";

/** Unlocks another tab of this browser, or the next worker, while the app is unlocked. */
export interface UnlockPass {
  /** Salt of its lock: it opens no other. */
  lock: Uint8Array;
  key: CryptoKey;
  salt: Uint8Array;
  wrapped: Uint8Array;
}

/** Short enough to type at a door; Argon2id and the waits make up for it. */
const MIN_LENGTH = 6;
/** Waits by the number of consecutive wrong PINs, s: none for the first two, an hour from the eighth on. */
const WAITS = [0, 0, 0, 5, 15, 60, 300, 900, 3600];
/** How often the rest of a wait is stored. */
const PERSIST_WAIT_MS = 5_000;

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes));

/** A non-extractable HMAC key. */
async function deviceKey(): Promise<CryptoKey> {
  try {
    return await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  } catch (cause) {
    throw new StorageError("no_key_store", cause);
  }
}

async function hmac(key: CryptoKey, input: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, input as BufferSource));
}

/** Checks that this browser can store a device key, before the password prompt. Code: no_key_store. */
export async function checkKeyStore(store: DeviceStore): Promise<void> {
  if (!("crypto" in globalThis) || !("subtle" in crypto)) throw new StorageError("no_key_store");
  await hmac(await store.probeKeyStore(await deviceKey()), random(32));
}

/** Refuses a PIN that is short or easy to guess. Codes: pin_short, pin_digits, pin_easy. */
export function checkSecret(secret: string, kind: Secret): void {
  if ([...secret].length < MIN_LENGTH) throw new ClientError("pin_short");
  if (kind === "pin" && !/^\d+$/.test(secret)) throw new ClientError("pin_digits");
  const steps = new Set([...secret].slice(1).map((c, at) => c.charCodeAt(0) - secret.charCodeAt(at)));
  if (steps.size === 1 && [0, 1, -1].some((step) => steps.has(step))) throw new ClientError("pin_easy");
}

/** A keyring with a new data key. */
export function newKeyring(user: string, role: string): Keyring {
  return new Keyring(random(32), user, role);
}

/** A keyring with a new data key that can still decrypt under the previous one. Code: rotation_runs. */
export function rotateKeyring(keyring: Keyring): Keyring {
  const rotated = keyring.rotated(random(32));
  if (!rotated) throw new ClientError("rotation_runs");
  return rotated;
}

function withSettledKeyring<T>(keyring: Keyring, work: (keyring: Keyring) => T): T {
  const settled = keyring.withoutPrevious();
  try {
    return work(settled);
  } finally {
    settled.free();
  }
}

// -- Locks

/** Makes a lock around a keyring. Codes: as `checkSecret`, and no_key_store. */
export async function createLock(
  keyring: Keyring,
  device: string,
  secret: string,
  kind: Secret,
  escrows: Escrows,
): Promise<LockRow> {
  checkSecret(secret, kind);
  const [key, salt] = [await deviceKey(), random(16)];
  const wrapping = await hmac(key, stretch(secret, salt));
  const wrap = (keyring: Keyring): Uint8Array => keyring.wrap(wrapping, random(24), `pin/${device}`);
  const { escrow, settled } = escrows;
  const lock = { format: storeFormat(), device, secret: kind, salt, key, wrong: 0, wait: 0 };
  const row = { ...lock, wrapped: wrap(keyring), escrow };
  return keyring.rotating ? { ...row, next: { wrapped: withSettledKeyring(keyring, wrap), escrow: settled } } : row;
}

/** A new lock that replaces a stored one; the time of the last key rotation is kept. */
export function replaceLock({ rotated_at }: LockRow, lock: LockRow): LockRow {
  return rotated_at === undefined ? lock : { ...lock, rotated_at };
}

/** The lock at the end of a key rotation; undefined if none is running. */
export function finishRotation(row: LockRow, now: number): LockRow | undefined {
  if (!row.next) return undefined;
  const { next, ...lock } = row;
  return { ...lock, ...next, rotated_at: now };
}

/** The keyring of a lock; undefined if the PIN is wrong. */
async function openLock(lock: LockRow, secret: string): Promise<Keyring | undefined> {
  return Keyring.unwrap(await hmac(lock.key, stretch(secret, lock.salt)), lock.wrapped, `pin/${lock.device}`);
}

// -- Escrows

/** A keyring wrapped for the office: as it is, and `settled` without a previous data key. */
export interface Escrows {
  escrow: Uint8Array;
  settled: Uint8Array;
}

export function createEscrows(keyring: Keyring, device: string, key: string): Escrows {
  const wrap = (keyring: Keyring): Uint8Array => keyring.wrap(fromHex(key), random(24), `escrow/${device}`);
  return { escrow: wrap(keyring), settled: withSettledKeyring(keyring, wrap) };
}

export function escrowsOf({ escrow, next }: LockRow): Escrows {
  return { escrow, settled: next?.escrow ?? escrow };
}

/** A lock with other escrows; outside a key rotation, only the one without a previous key. */
export function withEscrows(lock: LockRow, { escrow, settled }: Escrows): LockRow {
  if (!lock.next) return { ...lock, escrow: settled };
  return { ...lock, escrow, next: { ...lock.next, escrow: settled } };
}

/** The keyring in a lock's escrow; undefined if the key is another one's. */
export function openEscrow(lock: LockRow, key: string): Keyring | undefined {
  return Keyring.unwrap(fromHex(key), lock.escrow, `escrow/${lock.device}`);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// -- Passes

export async function issuePass(keyring: Keyring, lock: LockRow): Promise<UnlockPass> {
  const [key, salt] = [await deviceKey(), random(32)];
  return { lock: lock.salt, key, salt, wrapped: keyring.wrap(await hmac(key, salt), random(24), "pass") };
}

/** The keyring of a pass; undefined if the lock was replaced, since the data key may have been rotated. */
export async function openPass(pass: UnlockPass, lock: LockRow): Promise<Keyring | undefined> {
  if (!bytesEqual(pass.lock, lock.salt)) return undefined;
  return Keyring.unwrap(await hmac(pass.key, pass.salt), pass.wrapped, "pass");
}

/**
 * Attempts to unlock, one at a time. Each is counted before it is tried, so that killing the app
 * does not win a free attempt. Waits are measured by a monotonic clock and the rest is stored as it
 * passes: neither a reload nor the phone's clock shortens a wait.
 */
export class PinLock {
  private queue: Promise<unknown> = Promise.resolve();
  private remaining: number;
  private since = performance.now();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly store: DeviceStore,
    private current: LockRow,
  ) {
    this.remaining = current.wait;
    if (this.remaining > 0) this.persistWait();
  }

  /** The lock as this worker last read or wrote it. */
  get row(): LockRow {
    return this.current;
  }

  /** As `DeviceStore.changeLock`. Code: signed_out if there is no lock any more. */
  async change(change: (row: LockRow) => LockRow | undefined): Promise<LockRow> {
    const row = await this.store.changeLock(change);
    if (!row) throw new ClientError("signed_out");
    this.current = row;
    return row;
  }

  /** How long the next PIN must wait, ms. */
  wait(): number {
    return Math.max(0, this.remaining - (performance.now() - this.since));
  }

  /** Returns the keyring. Codes: wrong_pin, pin_wait. */
  unlock(secret: string): Promise<Keyring> {
    const attempt = this.queue.then(() => this.attempt(secret));
    this.queue = attempt.catch(() => undefined);
    return attempt;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async attempt(secret: string): Promise<Keyring> {
    if (this.wait() > 0) throw new ClientError("pin_wait");
    let refused = false;
    const row = await this.change((row) => {
      // Another worker counted a wrong PIN or replaced the lock: its wait applies.
      refused = row.wait > 0 && !this.isCurrent(row);
      const wrong = row.wrong + 1;
      return refused ? undefined : { ...row, wrong, wait: waitAfter(wrong) };
    });
    if (!refused) {
      const keyring = await openLock(row, secret);
      if (keyring) {
        await this.change((row) => (this.isCurrent(row) ? { ...row, wrong: 0, wait: 0 } : undefined));
        return keyring;
      }
    }
    [this.remaining, this.since] = [row.wait, performance.now()];
    if (row.wait > 0) this.persistWait();
    throw new ClientError(refused ? "pin_wait" : "wrong_pin");
  }

  private persistWait(): void {
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (this.wait() === 0) clearInterval(this.timer);
      // Unless another worker replaced the lock or counted another PIN.
      const shorten = (row: LockRow): LockRow | undefined =>
        this.isCurrent(row) ? { ...row, wait: Math.min(row.wait, this.wait()) } : undefined;
      this.queue = this.queue.then(() => this.store.changeLock(shorten)).catch(() => undefined);
    }, PERSIST_WAIT_MS);
  }

  /** Whether a stored lock is the known one, with no other PIN counted since. */
  private isCurrent(row: LockRow): boolean {
    return isSameLock(row, this.current) && row.wrong === this.current.wrong;
  }
}

/** How long the next PIN waits after consecutive wrong ones, ms. */
function waitAfter(wrong: number): number {
  return (WAITS[Math.min(wrong, WAITS.length - 1)] ?? 0) * 1000;
}
