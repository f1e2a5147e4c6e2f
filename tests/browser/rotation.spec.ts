/** "Someone may know my old PIN": the data key is replaced, and the old one opens nothing afterwards. */
import { expect, test, type BrowserContext, type Page, type Worker } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { kill, phone } from "./support/browser";
import { choosePin, go, inSync, inSyncAgain, openCase, PIN, readyOffline, saved, step, unlock } from "./support/field";
import { keyringOf, opens, sealedValues, wrappingKey } from "./support/keys";
import { Office, PASSWORD } from "./support/office";

const NEW_PIN = "975312";

let office: Office;
let profile: string;

test.beforeEach(async () => {
  office = await Office.open();
  profile = mkdtempSync(join(tmpdir(), "doorstep-phone-"));
});
test.afterEach(async () => {
  await office.remove();
  rmSync(profile, { recursive: true, force: true });
});

const rotation = (page: Page) => page.getByTestId("rotation");
const locked = (page: Page) => page.getByRole("heading", { name: "Doorstep is locked" });

/** Restarts the phone, locked, with rounds and uploads cut off. */
async function restart(): Promise<{ context: BrowserContext; page: Page; worker: Worker }> {
  const context = await phone(profile);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await page.goto(office.url);
  await expect(locked(page)).toBeVisible();
  await cutOff(context);
  const [worker] = page.workers();
  if (!worker) throw new Error("no worker");
  return { context, page, worker };
}

async function cutOff(context: BrowserContext): Promise<void> {
  await context.route("**/sync", (route) => route.abort());
  await context.route("**/api/blobs/**", (route) => route.abort());
}

/** Fails every write to a table as a full disk does, so that re-encryption stops there. */
async function full(worker: Worker, table: string): Promise<void> {
  await worker.evaluate((table) => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...args: Parameters<typeof put>) {
      if (this.name === table) throw new DOMException("no room", "QuotaExceededError");
      return put.apply(this, args);
    };
    Object.assign(self, { makeRoom: () => (IDBObjectStore.prototype.put = put) });
  }, table);
}

async function attach(page: Page, name: string): Promise<void> {
  const bytes = await page.evaluate(async (name) => {
    const canvas = new OffscreenCanvas(640, 480);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    context.fillText(name, 20, 20);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
  }, name);
  const file = { name: `${name}.png`, mimeType: "image/png", buffer: Buffer.from(bytes) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
}

test("the data key is replaced through two kills, and the old PIN opens nothing of the phone any more", async () => {
  test.setTimeout(400_000);
  let context = await phone(profile);
  let page = context.pages()[0] ?? (await context.newPage());
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await page.goto(office.url);
  await page.getByLabel("User name").fill("chen.jie");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await choosePin(page);
  await inSync(page);
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  await attach(page, "sent");
  await expect(page.getByTestId("attachment").first()).toHaveAttribute("data-state", "at-office");
  await inSync(page);
  await cutOff(context);
  await attach(page, "waiting");
  await expect(page.getByTestId("attachment")).toHaveCount(2);
  await page.getByLabel("Notes").fill("written before the key was replaced");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await step(page, "Contact");
  await page.getByLabel("Notes on the contact").fill("a draft of a contact");
  await saved(page);

  const oldWrapping = await wrappingKey(page, PIN);
  const old = await keyringOf(page, oldWrapping);
  if (!old) throw new Error("the PIN opens nothing");
  const before = await sealedValues(page, old);
  expect(opens(old, before)).toBe(before.length);
  expect(before.filter(({ place }) => place.startsWith("bytes/")).length).toBe(2);

  // A wrong password changes nothing.
  await go(page, "/settings");
  await page.getByRole("button", { name: "Change PIN" }).first().click();
  await page.getByLabel("Current PIN or passphrase").fill(PIN);
  await page.getByLabel("New PIN").fill(NEW_PIN);
  await page.getByLabel("Confirm").fill(NEW_PIN);
  await page.getByRole("checkbox", { name: "Someone may know my old PIN" }).check();
  await expectAccessible(page, "the option to replace the key");
  await page.getByLabel("Password", { exact: true }).fill("wrong");
  await page.getByRole("button", { name: "Change PIN" }).last().click();
  await expect(page.getByRole("alert").filter({ hasText: "wrong" })).toBeVisible();
  expect(await keyringOf(page, oldWrapping)).toBeDefined();

  // The disk is full when it comes to the chunks.
  const [first] = page.workers();
  if (!first) throw new Error("no worker");
  await full(first, "chunks");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Change PIN" }).last().click();
  await expect(page.getByText("PIN changed.")).toBeVisible();
  await expect(rotation(page)).toHaveAttribute("data-state", "waiting");
  await expect(rotation(page)).toContainText("This phone is out of space.");
  await expectAccessible(page, "a paused re-encryption");
  await page.screenshot({ path: test.info().outputPath("paused.png") });
  expect(await keyringOf(page, oldWrapping)).toBeUndefined();
  const midway = opens(old, await sealedValues(page, old));
  expect(midway).toBeGreaterThan(0);
  expect(midway).toBeLessThan(before.length);
  await kill(context, profile);

  // Locked mid-rotation: the office opens the rescue file whichever key its rows are sealed under.
  ({ context, page } = await restart());
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save unsent work as a file" }).click();
  const file = await (await coming).path();
  const rescued = JSON.parse(office.run(["import", "rescue", file, "--json"])) as Record<string, unknown>;
  expect(rescued).toMatchObject({ user: "chen.jie", damaged: [] });
  const desk = await office.api();
  expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toBe("written before the key was replaced");
  await unlock(page, PIN);
  await expect(page.getByRole("alert")).toContainText("Wrong PIN");

  // The next run gets as far as the attachments, while the collector writes.
  const [second] = page.workers();
  if (!second) throw new Error("no worker");
  await full(second, "bytes");
  await unlock(page, NEW_PIN);
  await expect(page.getByRole("link", { name: "Settings" })).toBeVisible();
  await go(page, `/visit/${id}/record`);
  await expect(page.getByLabel("Notes")).toHaveValue("written before the key was replaced");
  await page.getByLabel("Notes").fill("written before the key was replaced, and meanwhile");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await go(page, "/settings");
  await expect(rotation(page)).toHaveAttribute("data-state", "waiting");
  await kill(context, profile);

  ({ context, page } = await restart());
  await unlock(page, NEW_PIN);
  await go(page, "/settings");
  await expect(rotation(page)).toHaveAttribute("data-state", "finished", { timeout: 60_000 });
  await page.screenshot({ path: test.info().outputPath("finished.png") });
  expect(await keyringOf(page, oldWrapping)).toBeUndefined();
  const fresh = await keyringOf(page, await wrappingKey(page, NEW_PIN));
  if (!fresh) throw new Error("the new PIN opens nothing");
  expect(fresh.rotating).toBe(false);
  const after = await sealedValues(page, fresh);
  expect(opens(fresh, after)).toBe(after.length);
  expect(opens(old, after)).toBe(0);
  expect(after.filter(({ place }) => place.startsWith("bytes/")).length).toBe(2);

  // After another start with the new PIN everything is there and reaches the office.
  await context.close();
  ({ context, page } = await restart());
  await unlock(page, PIN);
  await expect(page.getByRole("alert")).toContainText("Wrong PIN");
  await context.unrouteAll();
  await unlock(page, NEW_PIN);
  await go(page, `/visit/${id}/contact`);
  await expect(page.getByLabel("Notes on the contact")).toHaveValue("a draft of a contact");
  await step(page, "Record");
  await expect(page.getByLabel("Notes")).toHaveValue("written before the key was replaced, and meanwhile");
  await expect(page.getByTestId("attachment")).toHaveCount(2);
  // A browser that is killed may have lost the session's cookie.
  await inSyncAgain(page);
  for (const attachment of await page.getByTestId("attachment").all()) {
    await expect(attachment).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
  }
  const view = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(view.notes).toBe("written before the key was replaced, and meanwhile");
  expect(view.attachments.length).toBe(2);
  for (const { sha256, size } of view.attachments) {
    expect((await desk.bytes(`/api/blobs/${sha256}`)).byteLength).toBe(size);
  }
  await context.close();
});

/** Signs in, on a page that keeps everything for itself. */
async function arrive(page: Page, user: string): Promise<string> {
  await page.goto(office.url);
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await choosePin(page);
  await inSync(page);
  return openCase(page, "NB2026");
}

/** Changes the PIN in the settings, and has the data key rotated. */
async function rotate(page: Page): Promise<void> {
  await go(page, "/settings");
  await page.getByRole("button", { name: "Change PIN" }).first().click();
  await page.getByLabel("Current PIN or passphrase").fill(PIN);
  await page.getByLabel("New PIN").fill(NEW_PIN);
  await page.getByLabel("Confirm").fill(NEW_PIN);
  await page.getByRole("checkbox", { name: "Someone may know my old PIN" }).check();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Change PIN" }).last().click();
}

test("a photo whose row is damaged is re-encrypted too, since its record names it", async ({ page, context }) => {
  const id = await arrive(page, "zhao.lei");
  await step(page, "Record");
  await attach(page, "damaged");
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "at-office");
  await inSync(page);
  await page.evaluate(async () => {
    const request = indexedDB.open("doorstep-attachments");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const change = db.transaction("rows", "readwrite");
    const cursor = change.objectStore("rows").openCursor();
    cursor.onsuccess = () => {
      const bytes = cursor.result?.value as Uint8Array | undefined;
      if (!bytes) return;
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      cursor.result?.update(bytes);
    };
    await new Promise((done) => (change.oncomplete = done));
    db.close();
  });
  await rotate(page);
  await expect(rotation(page)).toHaveAttribute("data-state", "finished", { timeout: 60_000 });
  await readyOffline(page);
  await context.setOffline(true);
  await page.goto(`${office.url}/visit/${id}/record`);
  await unlock(page, NEW_PIN);
  // From this phone: there is no other place to read it from.
  await page.getByRole("button", { name: "Open: Photo" }).click();
  await expect(page.getByRole("dialog").getByRole("img")).toBeVisible();
});

test("other tabs go on while the key is replaced, and lead when the first is gone", async ({ context }) => {
  const first = await context.newPage();
  const id = await arrive(first, "wu.min");
  const second = await context.newPage();
  await second.goto(`${office.url}/visit/${id}/record`);
  await expect(second.getByLabel("Notes")).toBeVisible();
  const [worker] = first.workers();
  if (!worker) throw new Error("no worker");
  await full(worker, "chunks");
  await rotate(first);
  await expect(rotation(first)).toHaveAttribute("data-state", "waiting");
  await first.close();
  // The second tab's pass contains both keys: it does not ask for the PIN.
  await second.getByLabel("Notes").fill("written by the tab that leads now");
  await second.getByLabel("Notes").blur();
  await saved(second);
  await go(second, "/settings");
  await expect(rotation(second)).toHaveAttribute("data-state", "finished", { timeout: 60_000 });
  await go(second, `/visit/${id}/record`);
  await expect(second.getByLabel("Notes")).toHaveValue("written by the tab that leads now");
  await inSync(second);
  await second.reload();
  await unlock(second, NEW_PIN);
  await expect(second.getByLabel("Notes")).toHaveValue("written by the tab that leads now");
});
