/** Everything that a browser keeps for the app, byte by byte. */
import type { Page } from "@playwright/test";

export interface Kept {
  where: string;
  bytes: Buffer;
}

/** Rows of every IndexedDB store with their keys, local and session storage, cookies, names and bodies of caches. */
export async function dump(page: Page): Promise<Kept[]> {
  const rows = await page.evaluate(async () => {
    const out: { where: string; text: string }[] = [];
    const put = (where: string, bytes: Uint8Array): void => {
      let text = "";
      for (const byte of bytes) text += String.fromCharCode(byte);
      out.push({ where, text: btoa(text) });
    };
    const encode = new TextEncoder();
    // What is nested in a row comes as JSON, its bytes beside it.
    const add = (where: string, value: unknown): void => {
      if (value instanceof Uint8Array) put(where, value);
      else if (value instanceof ArrayBuffer) put(where, new Uint8Array(value));
      else if (typeof value === "object" && value !== null && !(value instanceof CryptoKey)) {
        for (const [name, inner] of Object.entries(value)) add(`${where}.${name}`, inner);
      } else put(where, encode.encode(String(value)));
    };
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("failed"));
      });
    for (const { name } of await indexedDB.databases()) {
      const db = await done(indexedDB.open(name ?? ""));
      for (const store of db.objectStoreNames) {
        const table = db.transaction(store).objectStore(store);
        const [keys, values] = await Promise.all([
          done(table.getAllKeys()),
          done(table.getAll() as IDBRequest<unknown[]>),
        ]);
        keys.forEach((key, at) => {
          add(`${name}/${store}`, String(key));
          add(`${name}/${store}/${String(key)}`, values[at]);
        });
      }
      db.close();
    }
    for (const [place, kept] of Object.entries({ localStorage, sessionStorage })) {
      for (const [key, value] of Object.entries(kept)) add(place, `${key}=${String(value)}`);
    }
    add("cookies", document.cookie);
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        add(name, request.url);
        const kept = await cache.match(request);
        if (kept) add(request.url, await kept.arrayBuffer());
      }
    }
    return out;
  });
  return rows.map(({ where, text }) => ({ where, bytes: Buffer.from(text, "base64") }));
}
