/**
 * The lock of the phone's store: a PIN or passphrase and a key of the device, both needed.
 *
 * The data key lies wrapped in the store. What unwraps it is made of the PIN by Argon2id (in the
 * core) and then of that by HMAC under a key which the browser keeps and does not hand out. Wrong
 * PINs make the next one wait; nothing is ever erased for them.
 */
import { Keyring, storeFormat, stretch } from "../../wasm/doorstep";
import { ClientError } from "../api";
import { equal, sameLock, StorageError, type Storage } from "./deviceStore";

export type Secret = "pin" | "phrase";

/** The keyring, wrapped twice. */
interface Wraps {
  /** By the PIN and the device's key. */
  wrapped: Uint8Array;
  /** By a key that the office can work out. */
  escrow: Uint8Array;
}

/** How the rows of a store are locked. Nothing in it says whose they are. */
export interface LockRow extends Wraps {
  /** Version of the rows. */
  format: number;
  /** The enrolled device, 32 hex digits. */
  device: string;
  secret: Secret;
  /** Random; another one with each lock, so it also tells locks apart. */
  salt: Uint8Array;
  /**
   * During a key rotation (`Rotation`): wraps of the keyring without the previous data key. They
   * replace the others at its end, which therefore needs neither the PIN nor the office.
   */
  next?: Wraps;
  /** When rows were last re-encrypted under a new data key, ms. */
  rotated_at?: number;
  /** The device's key. */
  key: CryptoKey;
  /** Wrong PINs in a row. */
  wrong: number;
  /** How long the next PIN must wait, ms of a phone that is awake. */
  wait: number;
}

/** What lets another tab of this browser, or the next worker, in while the app is unlocked. */
export interface UnlockPass {
  /** Salt of the lock that it is about: it opens no other. */
  lock: Uint8Array;
  key: CryptoKey;
  salt: Uint8Array;
  wrapped: Uint8Array;
}

/** Few enough digits to type at a door; Argon2id and the waits make up for it. */
const LEAST = 6;
/** Waits after wrong PINs in a row, s: none for two slips, an hour from the eighth on. */
const WAITS = [0, 0, 0, 5, 15, 60, 300, 900, 3600];
/** How often what is left of a wait is written down. */
const STEP_MS = 5_000;

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes));

/** A key that signs and never leaves the browser. */
async function deviceKey(): Promise<CryptoKey> {
  try {
    return await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  } catch (cause) {
    throw new StorageError("no_key_store", cause);
  }
}

async function under(key: CryptoKey, input: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, input as BufferSource));
}

/** Refuses where this browser keeps no such key: before a password is asked for. */
export async function mayLock(storage: Storage): Promise<void> {
  if (!("crypto" in globalThis) || !("subtle" in crypto)) throw new StorageError("no_key_store");
  await under(await storage.tryKey(await deviceKey()), random(32));
}

/** Refuses a PIN that is too short or the first to be guessed. */
export function check(secret: string, kind: Secret): void {
  if ([...secret].length < LEAST) throw new ClientError("pin_short");
  if (kind === "pin" && !/^\d+$/.test(secret)) throw new ClientError("pin_digits");
  const steps = new Set([...secret].slice(1).map((c, at) => c.charCodeAt(0) - secret.charCodeAt(at)));
  if (steps.size === 1 && [0, 1, -1].some((step) => steps.has(step))) throw new ClientError("pin_easy");
}

/** A keyring for somebody who is new on this phone. */
export function newKeyring(user: string, role: string): Keyring {
  return new Keyring(random(32), user, role);
}

/** A keyring with a new data key that still opens what is sealed under the one before. Code: rotation_runs. */
export function rotate(keyring: Keyring): Keyring {
  const rotated = keyring.rotated(random(32));
  if (!rotated) throw new ClientError("rotation_runs");
  return rotated;
}

/** A lock around a keyring. */
export async function lockUp(
  keyring: Keyring,
  device: string,
  secret: string,
  kind: Secret,
  escrows: Escrows,
): Promise<LockRow> {
  check(secret, kind);
  const [key, salt] = [await deviceKey(), random(16)];
  const wrapping = await under(key, stretch(secret, salt));
  const wrap = (keyring: Keyring): Uint8Array => keyring.wrap(wrapping, random(24), `pin/${device}`);
  const { escrow, settled } = escrows;
  const lock = { format: storeFormat(), device, secret: kind, salt, key, wrong: 0, wait: 0 };
  const row = { ...lock, wrapped: wrap(keyring), escrow };
  return keyring.rotating ? { ...row, next: { wrapped: settledOnly(keyring, wrap), escrow: settled } } : row;
}

function settledOnly<T>(keyring: Keyring, work: (keyring: Keyring) => T): T {
  const settled = keyring.withoutPrevious();
  try {
    return work(settled);
  } finally {
    settled.free();
  }
}

/** A new lock in place of a stored one: it keeps when rows were last re-encrypted. */
export function inPlaceOf({ rotated_at }: LockRow, lock: LockRow): LockRow {
  return rotated_at === undefined ? lock : { ...lock, rotated_at };
}

/** The lock at the end of a key rotation; nothing where none is under way. */
export function withoutPrevious(row: LockRow, now: number): LockRow | undefined {
  if (!row.next) return undefined;
  const { next, ...lock } = row;
  return { ...lock, ...next, rotated_at: now };
}

/** The keyring of a lock, or nothing where the PIN is wrong. */
async function open(lock: LockRow, secret: string): Promise<Keyring | undefined> {
  return Keyring.unwrap(await under(lock.key, stretch(secret, lock.salt)), lock.wrapped, `pin/${lock.device}`);
}

/** A keyring wrapped for the office, as it is and without a previous data key. */
export interface Escrows {
  escrow: Uint8Array;
  settled: Uint8Array;
}

export function toEscrow(keyring: Keyring, device: string, key: string): Escrows {
  const wrap = (keyring: Keyring): Uint8Array => keyring.wrap(fromHex(key), random(24), `escrow/${device}`);
  return { escrow: wrap(keyring), settled: settledOnly(keyring, wrap) };
}

/** The escrows that a lock has. */
export function escrowsOf({ escrow, next }: LockRow): Escrows {
  return { escrow, settled: next?.escrow ?? escrow };
}

/** A lock with another escrow; outside a key rotation, the one without a previous key. */
export function withEscrow(lock: LockRow, { escrow, settled }: Escrows): LockRow {
  if (!lock.next) return { ...lock, escrow: settled };
  return { ...lock, escrow, next: { ...lock.next, escrow: settled } };
}

export function fromEscrow(lock: LockRow, key: string): Keyring | undefined {
  return Keyring.unwrap(fromHex(key), lock.escrow, `escrow/${lock.device}`);
}

export async function issuePass(keyring: Keyring, lock: LockRow): Promise<UnlockPass> {
  const [key, salt] = [await deviceKey(), random(32)];
  return { lock: lock.salt, key, salt, wrapped: keyring.wrap(await under(key, salt), random(24), "pass") };
}

/** The keyring of a pass, or nothing where the lock was replaced: its data key may have been rotated. */
export async function openPass(pass: UnlockPass, lock: LockRow): Promise<Keyring | undefined> {
  if (!equal(pass.lock, lock.salt)) return undefined;
  return Keyring.unwrap(await under(pass.key, pass.salt), pass.wrapped, "pass");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * The door: one PIN at a time, each counted before it is tried, so that an app that is killed in
 * the middle does not win a free one. Waits are counted by a clock that nobody sets, and what is
 * left is written down as it passes: neither a reload nor the phone's clock shortens it.
 */
export class Door {
  private queue: Promise<unknown> = Promise.resolve();
  private left: number;
  private since = performance.now();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly storage: Storage,
    private row: LockRow,
  ) {
    this.left = row.wait;
    if (this.left > 0) this.count();
  }

  /** The lock as this worker last read or wrote it. */
  get lock(): LockRow {
    return this.row;
  }

  /** Changes the lock by what is stored of it. Code: signed_out where there is none any more. */
  async change(change: (row: LockRow) => LockRow | undefined): Promise<LockRow> {
    const row = await this.storage.changeLock(change);
    if (!row) throw new ClientError("signed_out");
    this.row = row;
    return row;
  }

  /** How long the next PIN must wait, ms. */
  wait(): number {
    return Math.max(0, this.left - (performance.now() - this.since));
  }

  /** The keyring. Codes: wrong_pin, pin_wait. */
  knock(secret: string): Promise<Keyring> {
    const knocked = this.queue.then(() => this.try(secret));
    this.queue = knocked.catch(() => undefined);
    return knocked;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async try(secret: string): Promise<Keyring> {
    if (this.wait() > 0) throw new ClientError("pin_wait");
    let barred = false;
    const row = await this.change((row) => {
      // Another worker counted a wrong PIN or replaced the lock: its wait applies.
      barred = row.wait > 0 && !this.isOf(row);
      const wrong = row.wrong + 1;
      return barred ? undefined : { ...row, wrong, wait: waitAfter(wrong) };
    });
    if (!barred) {
      const keyring = await open(row, secret);
      if (keyring) {
        await this.change((row) => (this.isOf(row) ? { ...row, wrong: 0, wait: 0 } : undefined));
        return keyring;
      }
    }
    [this.left, this.since] = [row.wait, performance.now()];
    if (row.wait > 0) this.count();
    throw new ClientError(barred ? "pin_wait" : "wrong_pin");
  }

  private count(): void {
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (this.wait() === 0) clearInterval(this.timer);
      // Unless another worker replaced the lock or counted another PIN.
      const left = (row: LockRow): LockRow | undefined =>
        this.isOf(row) ? { ...row, wait: Math.min(row.wait, this.wait()) } : undefined;
      this.queue = this.queue.then(() => this.storage.changeLock(left)).catch(() => undefined);
    }, STEP_MS);
  }

  /** Whether a stored lock is the known one, with no other PIN counted since. */
  private isOf(row: LockRow): boolean {
    return sameLock(row, this.row) && row.wrong === this.row.wrong;
  }
}

/** How long the next PIN waits after wrong ones in a row, ms. */
function waitAfter(wrong: number): number {
  return (WAITS[Math.min(wrong, WAITS.length - 1)] ?? 0) * 1000;
}
