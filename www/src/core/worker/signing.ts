/**
 * The device's key (Ed25519), with which its user signs seals.
 *
 * It is made on the device and never leaves it: the browser keeps it where not even this program
 * can read it. The office knows the public half, and takes no signature by another.
 */
import { ClientError } from "../api";
import { OfficeError, type Office } from "./office";
import type { KeyRow, Storage } from "../store/deviceStore";

export interface Signed {
  /** Public key, hex. */
  key: string;
  /** Hex. */
  signature: string;
}

export class Signing {
  private enrolling: Promise<KeyRow> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly office: Office,
  ) {}

  /**
   * Tells the office the key, made where there is none. Nothing waits for it but a signature: a
   * browser that knows no such keys, or no network, holds nothing else up.
   */
  async enrol(): Promise<void> {
    await this.enrolled().catch(() => undefined);
  }

  /** After a sign-in: an office that was restored from a backup may have forgotten the key. */
  async enrolAnew(): Promise<void> {
    const row = await this.storage.key().catch(() => undefined);
    if (row) await this.storage.markKey(row.key, false);
    await this.enrol();
  }

  /** Signs. Codes: no_key where the browser can't, key_not_enrolled where the office must be reached first. */
  async sign(statement: Uint8Array): Promise<Signed> {
    const row = await this.enrolled();
    const bytes = await crypto.subtle.sign("Ed25519", row.pair.privateKey, statement as BufferSource);
    return { key: row.key, signature: hex(bytes) };
  }

  private enrolled(): Promise<KeyRow> {
    // One at a time: two that make a key at once would enrol one and keep the other.
    this.enrolling ??= this.enrolOnce().finally(() => (this.enrolling = undefined));
    return this.enrolling;
  }

  private async enrolOnce(): Promise<KeyRow> {
    const row = (await this.storage.key()) ?? (await this.make());
    if (row.enrolled) return row;
    try {
      await this.office.enrolKey(row.key);
    } catch (cause) {
      throw new ClientError(cause instanceof OfficeError && cause.code !== "offline" ? cause.code : "key_not_enrolled");
    }
    await this.storage.markKey(row.key, true);
    return { ...row, enrolled: true };
  }

  private async make(): Promise<KeyRow> {
    try {
      const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
      const key = hex(await crypto.subtle.exportKey("raw", pair.publicKey));
      return await this.storage.addKey({ pair, key, enrolled: false });
    } catch (cause) {
      // What stands in the way of the key, such as a browser without Ed25519 or a store without room.
      throw cause instanceof DOMException ? new ClientError("no_key") : cause;
    }
  }
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
