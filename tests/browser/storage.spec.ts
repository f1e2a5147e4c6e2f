/** The phone's store is full, or of a newer program: said in plain words, and nothing is lost. */
import { expect, test, type Page, type Worker } from "@playwright/test";
import { takeSession } from "./support/disk";
import { go, inSync, openCase, saved, signIn, step } from "./support/field";
import { Office } from "./support/office";

const NEWER = "written by a newer version";
const OLDER = "written by an older version that this version can't read";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

test("a full phone says that nothing is saved, and saves as soon as there is room", async ({ page }) => {
  const store = await recordPage(page, "chen.jie");
  // What a full disk answers, in the worker that writes: a quota cannot be set from here.
  await store.evaluate(() => {
    const kept = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    Object.assign(self, { makeRoom: () => (IDBObjectStore.prototype.put = kept) });
  });
  await page.getByLabel("Notes").fill("written while the phone was full");
  await page.getByLabel("Notes").blur();
  await expect(page.getByText("This phone is out of space.", { exact: false }).first()).toBeVisible();
  await expect(page.getByTestId("save-state")).not.toHaveAttribute("data-state", "saved");
  await expect(page.getByTestId("sync-status")).not.toHaveAttribute("data-state", "in-step");
  await step(page, "Contact");
  await page.getByLabel("Notes on the contact").fill("begun while the phone was full");
  await expect(page.getByTestId("save-state")).not.toHaveAttribute("data-state", "saved");

  await store.evaluate(() => (self as unknown as { makeRoom: () => void }).makeRoom());
  await expect(page.getByTestId("save-state")).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await page.reload();
  await expect(page.getByLabel("Notes on the contact")).toHaveValue("begun while the phone was full");
  await step(page, "Record");
  await expect(page.getByLabel("Notes")).toHaveValue("written while the phone was full");
  await inSync(page);
});

test("a store whose handle died is opened again", async ({ page }) => {
  const store = await recordPage(page, "zhao.lei");
  await store.evaluate(() => {
    const kept = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...of: Parameters<typeof kept>) {
      IDBDatabase.prototype.transaction = kept;
      this.close();
      Object.assign(self, { died: true });
      return kept.apply(this, of);
    };
  });
  await page.getByLabel("Notes").fill("written on a dead handle");
  await page.getByLabel("Notes").blur();
  await expect.poll(() => store.evaluate(() => "died" in self)).toBe(true);
  await saved(page);
  await page.reload();
  await expect(page.getByLabel("Notes")).toHaveValue("written on a dead handle");
  await inSync(page);
});

test("a leader whose store was taken over restarts and says so", async ({ page }) => {
  const store = await recordPage(page, "zhao.lei");
  await takeSession(page);
  await page.getByLabel("Notes").fill("typed after the store was taken over");
  await page.getByLabel("Notes").blur();
  await expect(page.getByText("Doorstep had to restart.", { exact: false }).first()).toBeVisible();
  await expect.poll(() => page.workers()).not.toContain(store);
  await saved(page);
  await page.reload();
  await expect(page.getByLabel("Notes")).toHaveValue("typed after the store was taken over");
  await inSync(page);
});

test.describe("without a service worker, which would answer for the worker's script", () => {
  test.use({ serviceWorkers: "block" });

  test("a store that can't be reopened is retried, and the page says that nothing is saved", async ({ page }) => {
    // Every worker asks whether its disk is full before it writes a session number down.
    let full = false;
    await page.route("**/is-full", (route) => route.fulfill({ body: String(full) }));
    await page.route("**/assets/worker-*.js", async (route) => {
      const response = await route.fetch();
      const asks = `{ const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (...args) {
          const request = new XMLHttpRequest();
          request.open("GET", "/is-full", false);
          if (args[1] === "session") request.send();
          if (request.responseText === "true") throw new DOMException("no room", "QuotaExceededError");
          return put.apply(this, args);
        }; }`;
      await route.fulfill({ response, body: asks + (await response.text()) });
    });
    await recordPage(page, "zhao.lei");
    await takeSession(page);
    full = true;
    await page.getByLabel("Notes").fill("typed while nothing could be opened");
    await page.getByLabel("Notes").blur();
    await expect(page.getByText("This phone is out of space.", { exact: false }).first()).toBeVisible();
    await expect(page.getByTestId("save-state")).not.toHaveAttribute("data-state", "saved");
    full = false;
    await saved(page);
    await page.reload();
    await expect(page.getByLabel("Notes")).toHaveValue("typed while nothing could be opened");
  });
});

/** The core's memory is overwritten when it next hands a text over: whatever it does then traps. */
async function trap(store: Worker): Promise<void> {
  await store.evaluate(() => {
    const kept = TextDecoder.prototype.decode;
    TextDecoder.prototype.decode = function (bytes?: ArrayBufferView, options?: TextDecodeOptions) {
      if (!bytes || bytes.buffer.byteLength < 65_536) return kept.call(this, bytes, options);
      TextDecoder.prototype.decode = kept;
      new Uint8Array(bytes.buffer).fill(0xff);
      return "";
    };
  });
}

test("a core that trapped is replaced, and nothing shown as saved is lost", async ({ page }) => {
  const store = await recordPage(page, "he.tao");
  await page.getByLabel("Notes").fill("saved before the trap");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await trap(store);
  await page.getByLabel("Notes").fill("saved before the trap, and typed into it");
  await page.getByLabel("Notes").blur();
  await expect(page.getByText("Doorstep had to restart.", { exact: false })).toBeVisible();
  // The message comes before the browser has ended the worker.
  await expect.poll(() => page.workers()).not.toContain(store);
  await page.reload();
  await expect(page.getByLabel("Notes")).toHaveValue(/^saved before the trap/);
  await page.getByLabel("Notes").fill("saved after the trap");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await page.reload();
  await expect(page.getByLabel("Notes")).toHaveValue("saved after the trap");
  await inSync(page);
});

test("a record that is opened as the core traps is shown by the one after it", async ({ page }) => {
  const store = await recordPage(page, "he.tao");
  const { pathname } = new URL(page.url());
  const id = pathname.split("/")[2] ?? "";
  await page.getByRole("link", { name: "Today" }).click();
  const row = page.locator(`[data-testid=visit-row][data-id="${id}"]`);
  await expect(row).toBeVisible();
  await trap(store);
  await row.click();
  await expect(page.getByText("Doorstep had to restart.", { exact: false }).first()).toBeVisible();
  await expect(page.getByRole("heading", { level: 2 }).first()).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Steps" })).toBeVisible();
  await go(page, pathname);
  await page.getByLabel("Notes").fill("typed into the next core");
  await page.getByLabel("Notes").blur();
  await saved(page);
});

test("a store of a newer layout is named and left as it is", async ({ page }) => {
  await recordPage(page, "wu.min");
  await page.getByLabel("Notes").fill("kept for the newer program");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await asideFromTheApp(page);
  await expectRefused(page, NEWER, 3);
});

test("attachments of a newer layout are named and left as they are, with the records beside them", async ({ page }) => {
  await recordPage(page, "wu.min");
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const file = { name: "door.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await expect(page.getByTestId("attachment").first()).toHaveAttribute("data-state", "at-office");
  await asideFromTheApp(page);
  const rows = await page.evaluate(storeOf, ["doorstep", 2] as const);
  const bytes = await page.evaluate(storeOf, ["doorstep-attachments", 2] as const);
  expect(bytes.bytes?.length).toBe(1);

  await page.goto(office.url);
  await expect(page.getByText(NEWER, { exact: false })).toBeVisible();
  await asideFromTheApp(page);
  expect(await page.evaluate(storeOf, ["doorstep", 2] as const)).toEqual(rows);
  expect(await page.evaluate(storeOf, ["doorstep-attachments", 2] as const)).toEqual(bytes);
});

test("a store of another row format or of an older layout is named and left as it is", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "sun.yan");
  await inSync(page);
  await asideFromTheApp(page);
  for (const [format, text] of [
    [200, NEWER],
    [0, OLDER],
  ] as const) {
    await page.evaluate(async (format) => {
      const request = indexedDB.open("doorstep");
      const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
      const change = db.transaction("device", "readwrite");
      const kept = change.objectStore("device").get("lock");
      kept.onsuccess = () => change.objectStore("device").put({ ...(kept.result as object), format }, "lock");
      await new Promise((done) => (change.oncomplete = done));
      db.close();
    }, format);
    await expectRefused(page, text, 2);
  }
  // Layout 1 had rows that were not encrypted.
  await page.evaluate(async () => {
    const done = (request: IDBRequest): Promise<void> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error as DOMException);
      });
    await done(indexedDB.deleteDatabase("doorstep"));
    const request = indexedDB.open("doorstep", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("records").put(new Uint8Array([7]), "visit");
    await done(request);
    request.result.close();
  });
  await expectRefused(page, OLDER, 1);
});

/** The app says `text` of the store and changes no row. Begins and ends on a page beside the app. */
async function expectRefused(page: Page, text: string, layout: number): Promise<void> {
  const rows = await page.evaluate(storeOf, ["doorstep", layout] as const);
  await page.goto(office.url);
  await expect(page.getByText(text, { exact: false })).toBeVisible();
  await asideFromTheApp(page);
  expect(await page.evaluate(storeOf, ["doorstep", layout] as const)).toEqual(rows);
}

/** Opens the page where a record's notes are written; gives the worker that has the store. */
async function recordPage(page: Page, user: string): Promise<Worker> {
  await page.goto(office.url);
  await signIn(page, user);
  await inSync(page);
  await openCase(page, "NB2026");
  await step(page, "Record");
  await expect(page.getByLabel("Notes")).toBeVisible();
  const [store] = page.workers();
  if (!store) throw new Error("no worker");
  return store;
}

/** A page of the same origin that does not run the app. */
async function asideFromTheApp(page: Page): Promise<void> {
  await page.goto(`${office.url}/api/nothing`);
}

/** In the page: every row of a store, which is opened at a layout. */
async function storeOf([name, layout]: readonly [string, number]): Promise<Record<string, [string, string][]>> {
  const request = indexedDB.open(name, layout);
  const db = await new Promise<IDBDatabase>((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const all: Record<string, [string, string][]> = {};
  for (const name of db.objectStoreNames) {
    const store = db.transaction(name).objectStore(name);
    const read = <T>(asked: IDBRequest<T>): Promise<T> =>
      new Promise((done) => (asked.onsuccess = () => done(asked.result)));
    const [keys, values] = [await read(store.getAllKeys()), await read(store.getAll())];
    all[name] = keys.map((key, at) => [String(key), JSON.stringify(values[at])]);
  }
  db.close();
  return all;
}
