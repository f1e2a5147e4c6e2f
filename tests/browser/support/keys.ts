/** An attacker with the browser's profile and a PIN: opens sealed values with the core's own ciphers, outside the app. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { initSync, Keyring, Cipher, stretch } from "../../../www/src/wasm/doorstep";

interface StoredLock {
  device: string;
  salt: number[];
  wraps: number[][];
}

/** Where a sealed value lies. */
export interface SealedValue {
  table: string;
  place: string;
  bytes: Uint8Array;
}

let ready = false;
function core(): void {
  if (!ready) initSync({ module: readFileSync(join(__dirname, "../../../www/src/wasm/doorstep_bg.wasm")) });
  ready = true;
}

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

/** The lock as it lies in the store, with every wrap in it. */
function lock(page: Page): Promise<StoredLock> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const db = await done(indexedDB.open("doorstep"));
    const row = (await done(db.transaction("device").objectStore("device").get("lock"))) as {
      device: string;
      salt: Uint8Array;
      wrapped: Uint8Array;
      escrow: Uint8Array;
      next?: { wrapped: Uint8Array; escrow: Uint8Array };
    };
    db.close();
    const wraps = [row.wrapped, row.escrow, row.next?.wrapped, row.next?.escrow];
    return {
      device: row.device,
      salt: [...row.salt],
      wraps: wraps.flatMap((wrap) => (wrap ? [[...wrap]] : [])),
    };
  });
}

/** 32 bytes that a PIN makes with the browser's key of the lock that is stored now. */
export async function wrappingKey(page: Page, pin: string): Promise<Uint8Array> {
  core();
  const stretched = stretch(pin, Uint8Array.from((await lock(page)).salt));
  const bytes = await page.evaluate(
    async (stretched) => {
      const done = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
      const db = await done(indexedDB.open("doorstep"));
      const row = (await done(db.transaction("device").objectStore("device").get("lock"))) as { key: CryptoKey };
      db.close();
      return [...new Uint8Array(await crypto.subtle.sign("HMAC", row.key, Uint8Array.from(stretched)))];
    },
    [...stretched],
  );
  return Uint8Array.from(bytes);
}

/** A keyring that a wrapping key opens of the lock that is stored now; none where it opens no wrap. */
export async function keyringOf(page: Page, wrapping: Uint8Array): Promise<Keyring | undefined> {
  core();
  const { device, wraps } = await lock(page);
  for (const about of [`pin/${device}`, `escrow/${device}`]) {
    for (const wrap of wraps) {
      const keyring = Keyring.unwrap(wrapping, Uint8Array.from(wrap), about);
      if (keyring) return keyring;
    }
  }
  return undefined;
}

/** Everything sealed that lies in the store and beside it; bytes of attachments by what `keyring` reads of their rows. */
export async function sealedValues(page: Page, keyring: Keyring): Promise<SealedValue[]> {
  const stored = await page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const out: [string, string, number[][]][] = [];
    for (const name of ["doorstep", "doorstep-attachments"]) {
      const db = await done(indexedDB.open(name));
      for (const store of db.objectStoreNames) {
        if (store === "device" || store === "waiting") continue;
        const table = db.transaction(store).objectStore(store);
        const keys = await done(table.getAllKeys());
        const values = (await done(table.getAll())) as (Uint8Array | Uint8Array[])[];
        values.forEach((value, at) => {
          const key = keys[at];
          const slices = (Array.isArray(value) ? value : [value]).map((slice) => [...slice]);
          out.push([store, Array.isArray(key) ? key.join("/") : String(key), slices]);
        });
      }
      db.close();
    }
    return out;
  });
  const cipher = new Cipher(keyring, random(16));
  const hashes = new Map<string, string>();
  for (const [store, key, [bytes]] of stored) {
    const plain = store === "rows" && bytes && cipher.decrypt(Uint8Array.from(bytes), `rows/${key}`);
    if (!plain) continue;
    const { sha256 } = JSON.parse(new TextDecoder().decode(plain)) as { sha256: string };
    for (const place of [`bytes/${sha256}`, `thumbs/${sha256}`]) hashes.set(cipher.name(place), place);
  }
  const core = ["meta", "records", "chunks", "outbox", "damaged"];
  return stored.flatMap(([store, key, slices]) =>
    slices.map((slice, at) => {
      const bytes = Uint8Array.from(slice);
      if (core.includes(store)) return { table: store, place: key, bytes };
      const place = hashes.get(key) ?? `${store}/${key}`;
      const sliced = ["bytes", "thumbs", "pieces"].includes(store);
      return { table: "attachments", place: sliced ? `${place}/${at}of${slices.length}` : place, bytes };
    }),
  );
}

/** The number of values that a keyring opens. */
export function opens(keyring: Keyring, values: SealedValue[]): number {
  // A value that it can re-encrypt under another key is one that it opens.
  const next = keyring.rotated(random(32));
  if (!next) throw new Error("the keyring has two keys");
  const cipher = new Cipher(next, random(16));
  return values.filter(({ table, place, bytes }) => cipher.reencrypt(table, place, bytes) !== undefined).length;
}
