/**
 * The lock of the phone's store: a PIN or passphrase and a key of the device, both needed.
 *
 * The data key lies wrapped in the store. What unwraps it is made of the PIN by Argon2id (in the
 * core) and then of that by HMAC under a key which the browser keeps and does not hand out. Wrong
 * PINs make the next one wait; nothing is ever erased for them.
 */
import { Keyring, storeFormat, stretch } from "../wasm/doorstep";
import { ClientError } from "./api";
import { StorageError, type Storage } from "./storage";

export type Secret = "pin" | "phrase";

/** How the rows of a store are locked. Nothing in it says whose they are. */
export interface LockRow {
  /** Version of the rows. */
  format: number;
  /** The enrolled device, 32 hex digits. */
  device: string;
  secret: Secret;
  salt: Uint8Array;
  /** The keyring, wrapped by the PIN and the device's key. */
  wrapped: Uint8Array;
  /** The keyring, wrapped by a key that the office can work out. */
  escrow: Uint8Array;
  /** The device's key. */
  key: CryptoKey;
  /** Wrong PINs in a row. */
  wrong: number;
  /** How long the next PIN must wait, ms of a phone that is awake. */
  wait: number;
}

/** What lets another tab of this browser, or the next worker, in while the app is unlocked. */
export interface Pass {
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

/** A lock around a keyring. */
export async function lockUp(
  keyring: Keyring,
  device: string,
  secret: string,
  kind: Secret,
  escrow: Uint8Array,
): Promise<LockRow> {
  check(secret, kind);
  const [key, salt] = [await deviceKey(), random(16)];
  const wrapped = keyring.wrap(await under(key, stretch(secret, salt)), random(24), `pin/${device}`);
  return { format: storeFormat(), device, secret: kind, salt, wrapped, escrow, key, wrong: 0, wait: 0 };
}

/** The keyring of a lock, or nothing where the PIN is wrong. */
async function open(lock: LockRow, secret: string): Promise<Keyring | undefined> {
  return Keyring.unwrap(await under(lock.key, stretch(secret, lock.salt)), lock.wrapped, `pin/${lock.device}`);
}

export function toEscrow(keyring: Keyring, device: string, key: string): Uint8Array {
  return keyring.wrap(fromHex(key), random(24), `escrow/${device}`);
}

export function fromEscrow(lock: LockRow, key: string): Keyring | undefined {
  return Keyring.unwrap(fromHex(key), lock.escrow, `escrow/${lock.device}`);
}

export async function givePass(keyring: Keyring): Promise<Pass> {
  const [key, salt] = [await deviceKey(), random(32)];
  return { key, salt, wrapped: keyring.wrap(await under(key, salt), random(24), "pass") };
}

export async function fromPass(pass: Pass): Promise<Keyring | undefined> {
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
    readonly lock: LockRow,
  ) {
    this.left = lock.wait;
    if (this.left > 0) this.count();
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
    const { lock } = this;
    const wrong = lock.wrong + 1;
    const wait = (WAITS[Math.min(wrong, WAITS.length - 1)] ?? 0) * 1000;
    Object.assign(lock, { wrong, wait });
    await this.storage.setLock(lock);
    const keyring = await open(lock, secret);
    if (keyring) {
      Object.assign(lock, { wrong: 0, wait: 0 });
      await this.storage.setLock(lock);
      return keyring;
    }
    [this.left, this.since] = [wait, performance.now()];
    if (wait > 0) this.count();
    throw new ClientError("wrong_pin");
  }

  private count(): void {
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      this.lock.wait = this.wait();
      if (this.lock.wait === 0) clearInterval(this.timer);
      this.queue = this.queue.then(() => this.storage.setLock(this.lock)).catch(() => undefined);
    }, STEP_MS);
  }
}
