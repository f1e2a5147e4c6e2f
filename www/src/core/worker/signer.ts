/**
 * The device's signing key (Ed25519), for signatures under sealed records.
 *
 * It is generated on the device and not extractable. The office knows the public key and accepts
 * signatures by no other.
 */
import { ClientError } from "../api";
import type { KeyRow } from "../store/database";
import type { DeviceStore } from "../store/deviceStore";
import { OfficeError, type Office } from "./office";

interface Signature {
  /** Public key, hex. */
  key: string;
  /** Hex. */
  signature: string;
}

export class Signer {
  private enrolling: Promise<KeyRow> | undefined;

  constructor(
    private readonly store: DeviceStore,
    private readonly office: Office,
  ) {}

  /**
   * Enrols the key at the office, and generates it first if necessary. Failures are ignored: only a
   * signature needs the key, and `sign` tries again.
   */
  async enrol(): Promise<void> {
    await this.enrolled().catch(() => undefined);
  }

  /** Enrols the key again after a sign-in: an office that was restored from a backup may not know it. */
  async reenrol(): Promise<void> {
    const row = await this.store.key().catch(() => undefined);
    if (row) await this.store.markKey(row.key, false);
    await this.enrol();
  }

  /** Codes: no_key if the browser can't sign, key_not_enrolled if the office must be reached first. */
  async sign(statement: Uint8Array): Promise<Signature> {
    const row = await this.enrolled();
    const bytes = await crypto.subtle.sign("Ed25519", row.pair.privateKey, statement as BufferSource);
    return { key: row.key, signature: hex(bytes) };
  }

  private enrolled(): Promise<KeyRow> {
    // One at a time: two calls could generate two keys, enrol one and store the other.
    this.enrolling ??= this.enrolOnce().finally(() => (this.enrolling = undefined));
    return this.enrolling;
  }

  private async enrolOnce(): Promise<KeyRow> {
    const row = (await this.store.key()) ?? (await this.generate());
    if (row.enrolled) return row;
    try {
      await this.office.enrolKey(row.key);
    } catch (cause) {
      throw new ClientError(cause instanceof OfficeError && cause.code !== "offline" ? cause.code : "key_not_enrolled");
    }
    await this.store.markKey(row.key, true);
    return { ...row, enrolled: true };
  }

  private async generate(): Promise<KeyRow> {
    try {
      const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
      const key = hex(await crypto.subtle.exportKey("raw", pair.publicKey));
      return await this.store.addKey({ pair, key, enrolled: false });
    } catch (cause) {
      // Such as a browser without Ed25519, or a full disk.
      throw cause instanceof DOMException ? new ClientError("no_key") : cause;
    }
  }
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
