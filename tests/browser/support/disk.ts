/** Faults of the disk under the real IndexedDB of a worker. */
import type { Page, Worker } from "@playwright/test";

/** Fails the commit of the next transaction that takes a session number, after all its requests succeeded. */
export async function abortNextSession(store: Worker): Promise<void> {
  await store.evaluate(() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...args: Parameters<typeof put>) {
      const request = put.apply(this, args);
      if (args[1] === "session") {
        IDBObjectStore.prototype.put = put;
        request.addEventListener("success", () => this.transaction.abort());
      }
      return request;
    };
  });
}

/** Takes a session number, as the worker of another tab does that takes the store over. */
export async function takeSession(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const request = indexedDB.open("doorstep");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const change = db.transaction("device", "readwrite");
    const last = change.objectStore("device").get("session");
    last.onsuccess = () => change.objectStore("device").put(Number(last.result) + 1, "session");
    await new Promise((done) => (change.oncomplete = done));
    db.close();
  });
}
