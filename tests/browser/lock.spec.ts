/** The screen lock: a PIN protects the data on the phone, and no typed text is lost. */
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { abortNextSession } from "./support/disk";
import { dump } from "./support/dump";
import { choosePin, go, inSync, openCase, PIN, readyOffline, saved, step, unlock } from "./support/field";
import { Office, PASSWORD } from "./support/office";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

const locked = (page: Page) => page.getByRole("heading", { name: "Doorstep is locked" });
const notes = (page: Page) => page.getByLabel("Notes");

async function password(page: Page, name: string): Promise<void> {
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in, chooses a PIN, and opens the notes of a record. */
async function arrive(page: Page, name: string): Promise<void> {
  await page.goto(office.url);
  await password(page, name);
  await choosePin(page);
  await inSync(page);
  await openCase(page, "NB2026");
  await step(page, "Record");
  await expect(notes(page)).toBeVisible();
}

/** Goes to the settings, locks there, and comes back to where it was. */
async function lockNow(page: Page): Promise<void> {
  await go(page, "/settings");
  await page.getByRole("button", { name: "Lock now" }).click();
  await expect(locked(page)).toBeVisible();
  await page.goBack();
}

test("a PIN is chosen at the first sign-in and asked for after each start", async ({ page }) => {
  await page.goto(office.url);
  await password(page, "chen.jie");
  await expect(page.getByRole("heading", { name: "Choose a PIN for this phone" })).toBeVisible();
  await expectAccessible(page);
  await choosePin(page, "1234");
  await expect(page.getByRole("alert")).toContainText("at least 6 characters");
  await choosePin(page, "123456");
  await expect(page.getByRole("alert")).toContainText("Too easy to guess");
  await choosePin(page);
  await inSync(page);

  await page.reload();
  await expect(locked(page)).toBeVisible();
  await expectAccessible(page);
  await unlock(page, "864213");
  await expect(page.getByRole("alert")).toContainText("Wrong PIN");
  await unlock(page);
  await inSync(page);
});

test("typed text is saved before the lock, and the lock page shows none of it", async ({ page }) => {
  await arrive(page, "wu.min");
  const address = await page.evaluate(() => document.body.innerText);
  expect(address.length).toBeGreaterThan(100);
  await notes(page).pressSequentially("typed as the phone was locked");
  // No pause after the last letter.
  await lockNow(page);
  const text = await page.evaluate(() => document.body.innerText + document.title);
  expect(text).not.toContain("typed as");
  expect(text).not.toContain("NB2026");
  await expect(page.getByText("Nothing syncs while Doorstep is locked", { exact: false })).toBeVisible();
  await unlock(page);
  await step(page, "Record");
  await expect(notes(page)).toHaveValue("typed as the phone was locked");
  await notes(page).press("End");
  await notes(page).pressSequentially(", and after");
  await notes(page).blur();
  await saved(page);
  await inSync(page);
});

test("wrong PINs slow down, also over a reload, and erase nothing", async ({ page, context }) => {
  await arrive(page, "zhao.lei");
  await context.setOffline(true);
  await notes(page).fill("not sent yet");
  await notes(page).blur();
  await saved(page);
  await readyOffline(page);
  await lockNow(page);
  await expect(page.getByText("1 change on this phone is not sent yet", { exact: false })).toBeVisible();
  for (let n = 0; n < 3; n++) {
    await unlock(page, `86421${n}`);
    await expect(page.getByLabel("PIN", { exact: true })).toHaveValue("");
  }
  await expect(page.getByText("Too many wrong attempts", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Unlock" })).toBeDisabled();
  await page.reload();
  await expect(page.getByText("Too many wrong attempts", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Unlock" })).toBeEnabled();
  // Off line, after the wait.
  await unlock(page);
  await step(page, "Record");
  await expect(notes(page)).toHaveValue("not sent yet");
  await context.setOffline(false);
  await inSync(page);
});

/** In the page: changes the lock's row, as the worker of another tab does that took the lead; gives it as text. */
async function changeLock(page: Page, changes: { salt?: number[]; wrong: number; wait: number }): Promise<void> {
  await page.evaluate(async (changes) => {
    const request = indexedDB.open("doorstep");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const change = db.transaction("device", "readwrite");
    const kept = change.objectStore("device").get("lock");
    kept.onsuccess = () => {
      const row = kept.result as { salt: Uint8Array };
      const salt = changes.salt ? Uint8Array.from(changes.salt) : row.salt;
      change.objectStore("device").put({ ...row, ...changes, salt }, "lock");
    };
    await new Promise((done) => (change.oncomplete = done));
    db.close();
  }, changes);
}

/** In the page: what of the lock's row was changed so. */
async function lockRow(page: Page): Promise<{ salt: number[]; wrong: number; wait: number }> {
  return page.evaluate(async () => {
    const request = indexedDB.open("doorstep");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const kept = db.transaction("device").objectStore("device").get("lock");
    await new Promise((done) => (kept.onsuccess = done));
    db.close();
    const { salt, wrong, wait } = kept.result as { salt: Uint8Array; wrong: number; wait: number };
    return { salt: [...salt], wrong, wait };
  });
}

test("a wait that is counted down leaves a lock alone that was replaced meanwhile", async ({ page }) => {
  await arrive(page, "zhao.lei");
  await lockNow(page);
  for (let n = 0; n < 3; n++) {
    await unlock(page, `86421${n}`);
    await expect(page.getByLabel("PIN", { exact: true })).toHaveValue("");
  }
  await expect(page.getByText("Too many wrong attempts", { exact: false })).toBeVisible();
  const replaced = { salt: Array.from({ length: 16 }, (_, at) => at), wrong: 0, wait: 0 };
  await changeLock(page, replaced);
  // By then the rest of the wait was written down at least once.
  await expect(page.getByRole("button", { name: "Unlock" })).toBeEnabled();
  await page.waitForFunction(() => new Promise((done) => setTimeout(() => done(true), 1_000)));
  expect(await lockRow(page)).toEqual(replaced);
});

test("a PIN that another worker counted as wrong makes this one wait too", async ({ page }) => {
  await arrive(page, "zhao.lei");
  await lockNow(page);
  const counted = { wrong: 8, wait: 3_600_000 };
  await changeLock(page, counted);
  await unlock(page);
  await expect(page.getByText("Too many wrong attempts", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Unlock" })).toBeDisabled();
  expect(await lockRow(page)).toMatchObject(counted);
});

test("the app locks automatically without input", async ({ page }) => {
  await page.clock.install();
  await arrive(page, "sun.yan");
  await notes(page).pressSequentially("left on the table");
  await page.clock.fastForward("04:00");
  await expect(notes(page)).toBeVisible();
  await page.keyboard.press("Shift");
  await page.clock.fastForward("04:00");
  await expect(notes(page)).toBeVisible();
  await page.clock.fastForward("01:10");
  await expect(locked(page)).toBeVisible();
  await unlock(page);
  await step(page, "Record");
  await expect(notes(page)).toHaveValue("left on the table");
});

test("two tabs lock and unlock together, and each works without the other", async ({ context }) => {
  const first = await context.newPage();
  await arrive(first, "he.tao");
  const second = await context.newPage();
  await second.goto(first.url());
  await expect(notes(second)).toBeVisible();
  await notes(second).pressSequentially("from the second ");
  await lockNow(first);
  await expect(locked(second)).toBeVisible();
  await unlock(second);
  await expect(notes(first)).toHaveValue("from the second ");
  await expect(notes(second)).toHaveValue("from the second ");
  await first.close();
  await notes(second).press("End");
  await notes(second).pressSequentially("and on");
  await notes(second).blur();
  await saved(second);
  await second.reload();
  await expect(locked(second)).toBeVisible();
  await unlock(second);
  await expect(notes(second)).toHaveValue("from the second and on");
});

test("the PIN is changed, and a forgotten one costs nothing but a sign-in", async ({ page, context }) => {
  await page.goto(office.url);
  await password(page, "chen.jie");
  await choosePin(page);
  await inSync(page);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Change PIN" }).first().click();
  await page.getByLabel("Current PIN or passphrase").fill(PIN);
  await page.getByRole("radio", { name: "Passphrase" }).click();
  await page.getByLabel("New passphrase").fill("four words are strong");
  await page.getByLabel("Confirm").fill("four words are strong");
  await page.getByRole("button", { name: "Change PIN" }).last().click();
  await expect(page.getByText("PIN changed.")).toBeVisible();
  await page.getByRole("link", { name: "Today" }).click();
  await openCase(page, "NB2026");
  await step(page, "Record");
  await context.setOffline(true);
  await notes(page).fill("unsent when the phrase was forgotten");
  await notes(page).blur();
  await saved(page);
  await context.setOffline(false);
  await office.stop();
  await page.reload().catch(() => undefined);
  await office.start();
  await page.reload();
  await page.getByLabel("Passphrase").fill(PIN);
  await page.getByRole("button", { name: "Unlock" }).click();
  await expect(page.getByRole("alert")).toContainText("Wrong PIN");
  await page.getByRole("button", { name: "Forgot your PIN?" }).click();
  await password(page, "chen.jie");
  await choosePin(page);
  await expect(
    notes(page)
      .or(page.getByRole("navigation", { name: "Steps" }))
      .first(),
  ).toBeVisible();
  await step(page, "Record");
  await expect(notes(page)).toHaveValue("unsent when the phrase was forgotten");
  await inSync(page);
});

test("nothing that the browser keeps tells of a borrower or of what was written", async ({ page }) => {
  await arrive(page, "wu.min");
  const written = "the neighbour with the red bicycle";
  await notes(page).fill(written);
  await notes(page).blur();
  await saved(page);
  await inSync(page);
  // The page remembers which control had the focus.
  const hashes = await page.evaluate(() => {
    const all: string[] = [];
    for (const control of document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary")) {
      control.focus();
      const label = "labels" in control ? (control as HTMLInputElement).labels?.[0]?.textContent : null;
      const words = control.getAttribute("aria-label") ?? label ?? control.textContent ?? "";
      // 32 bits without a salt: all phone numbers can be tried.
      let hash = 0x811c9dc5;
      for (let at = 0; at < words.length; at += 1) hash = Math.imul(hash ^ words.charCodeAt(at), 0x01000193);
      if (words !== "") all.push(String(hash >>> 0));
    }
    return all;
  });
  expect(hashes.length).toBeGreaterThan(5);
  const focused = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  expect(focused).toContain("focus");
  expect(hashes.filter((hash) => focused.includes(hash))).toEqual([]);
  await lockNow(page);

  const desk = await office.api("lin.yue");
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=wu.min");
  const facts = new Set([written, "wu.min"]);
  for (const { id, case_no } of rows) {
    const { borrower_name, phones, address, note, overdue } = (await desk.get<VisitView>(`/api/visits/${id}`)).case;
    const amount = String(overdue);
    for (const fact of [case_no, borrower_name, address, note, ...phones]) facts.add(fact ?? "");
    // Also as people read it.
    for (const text of [amount, `${amount.slice(0, -2)}.${amount.slice(-2)}`]) if (text.length > 5) facts.add(text);
  }
  facts.delete("");
  expect(facts.size).toBeGreaterThan(3 * rows.length);

  const kept = await dump(page);
  const found = (fact: string): boolean =>
    kept.some(({ bytes }) => bytes.includes(Buffer.from(fact)) || bytes.includes(Buffer.from(fact, "utf16le")));
  // The search finds what is stored unencrypted, such as record ids.
  const [record] = rows;
  expect(found(record?.id ?? "none")).toBe(true);
  expect([...facts].filter(found)).toEqual([]);
});

test("unsent work leaves a locked phone as a file that only the office reads", async ({ page, context }) => {
  await arrive(page, "sun.yan");
  await context.setOffline(true);
  const written = "typed before the screen broke";
  await notes(page).fill(written);
  await notes(page).blur();
  await saved(page);
  await lockNow(page);
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save unsent work as a file" }).click();
  const file = await (await coming).path();
  expect(readFileSync(file).includes(Buffer.from(written))).toBe(false);

  const taken = (): Record<string, unknown> =>
    JSON.parse(office.run(["import", "rescue", file, "--json"])) as Record<string, unknown>;
  expect(taken()).toMatchObject({ user: "sun.yan", merged: 1, duplicate: 0, quarantined: 0, damaged: [] });
  const desk = await office.api("lin.yue");
  const id = page.url().split("/visit/")[1]?.split("/")[0] ?? "";
  expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toBe(written);
  // Twice is once, and the phone that lives after all sends it once more.
  expect(taken()).toMatchObject({ merged: 0, duplicate: 1 });
  await unlock(page);
  await context.setOffline(false);
  await inSync(page);
  expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toBe(written);
});

test("an unlock that fails on the disk is tried again, and writes", async ({ page }) => {
  await arrive(page, "he.tao");
  // A reload, since an unlock soon after a lock resumes without a new session.
  await page.reload();
  await expect(locked(page)).toBeVisible();
  const [worker] = page.workers();
  if (!worker) throw new Error("no worker");
  await abortNextSession(worker);
  await unlock(page);
  await expect(page.getByRole("alert")).toContainText("This phone could not save.");
  await unlock(page);
  await step(page, "Record");
  await notes(page).fill("written after the second try");
  await notes(page).blur();
  await saved(page);
  await inSync(page);
});

test("a browser that keeps no such key is refused before anything is stored", async ({ page }) => {
  // What a browser answers that cannot keep a key which it does not hand out.
  const refuse = `{ const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (value, key) {
      if (value instanceof CryptoKey) throw new DOMException("not kept", "DataCloneError");
      return put.call(this, value, key);
    }; }`;
  await page.route("**/assets/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: refuse + (await response.text()) });
  });
  await page.goto(office.url);
  await password(page, "chen.jie");
  await expect(page.getByRole("alert")).toContainText("can't keep the key that protects records");
  const rows = await page.evaluate(async () => {
    const request = indexedDB.open("doorstep");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const read = db.transaction("device").objectStore("device").getAllKeys();
    return new Promise((done) => (read.onsuccess = () => done(read.result)));
  });
  expect(rows).toEqual([]);
});
