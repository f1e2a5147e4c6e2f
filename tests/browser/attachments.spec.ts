/** Photos, recordings and signatures, from the phone to the office. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { atRecordStep, kept, MICROPHONE, photo, record, start } from "./support/attachments";
import { kill, phone } from "./support/browser";
import { dump } from "./support/dump";
import { go, inSyncAgain, syncNow } from "./support/field";
import { Office, PASSWORD } from "./support/office";

let office: Office;
let profile: string;

test.beforeEach(async () => {
  profile = mkdtempSync(join(tmpdir(), "doorstep-phone-"));
  office = await Office.open();
});
test.afterEach(async () => {
  await office.remove();
  rmSync(profile, { recursive: true, force: true });
});

test("a photo is made small and upright, says nothing of where it was taken, and reaches the office", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  const taken = await photo(page);
  expect(taken.includes("Exif")).toBe(true);

  // No network: it is kept, named, and says where it is.
  await office.stop();
  await page.getByLabel("Take a photo").first().setInputFiles({ name: "p.jpg", mimeType: "image/jpeg", buffer: taken });
  const attachment = page.getByTestId("attachment");
  await expect(attachment).toHaveAttribute("data-state", "waiting");
  await expect(attachment).toContainText("On this phone; sent to the office automatically");

  // Killed with the photo still to go.
  await kill(context, profile);
  await office.start();
  const again = await phone(profile, MICROPHONE);
  const next = await start(again, office);
  await inSyncAgain(next);
  await next.goto(`${office.url}/visit/${id}/record`);
  await expect(next.getByTestId("attachment")).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
  await expect(next.getByTestId("attachment")).toContainText("At the office");

  const desk = await office.api();
  await expect.poll(async () => (await desk.get<VisitView>(`/api/visits/${id}`)).attachments.length).toBe(1);
  const [named] = (await desk.get<VisitView>(`/api/visits/${id}`)).attachments;
  expect(named).toMatchObject({ kind: "photo", media_type: "image/jpeg", by: "chen.jie" });
  const bytes = Buffer.from(await desk.bytes(`/api/blobs/${named?.sha256}`));
  expect(bytes.length).toBe(named?.size);
  expect(bytes.includes("Exif")).toBe(false);
  await next.getByRole("button", { name: "Open: Photo" }).click();
  const full = next.getByRole("dialog").getByRole("img");
  await expect(full).toBeVisible();
  expect(await full.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight])).toEqual([
    1280, 1920,
  ]);
  await office.stop();
  expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({ ok: true, blobs: 1, pending: [] });
  await again.close();
});

test("what was recorded before a kill is offered afterwards, and goes to the office", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  await page.getByRole("button", { name: "Record audio" }).click();
  // Some pieces are on disk once the length has moved on.
  await expect(page.getByRole("button", { name: /Stop recording \(0:0[4-9]\)/ })).toBeVisible({ timeout: 60_000 });
  await kill(context, profile);

  const again = await phone(profile, MICROPHONE);
  const next = await start(again, office);
  await inSyncAgain(next);
  await next.goto(`${office.url}/visit/${id}/record`);
  await expect(next.getByText(/A recording of 0:0\d from .* was interrupted/)).toBeVisible();
  await next.getByRole("button", { name: "Keep recording" }).click();
  const attachment = next.getByTestId("attachment");
  await expect(attachment).toContainText("interrupted");
  await expect(attachment).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
  await next.getByRole("button", { name: /^Open: / }).click();
  const sound = next.getByRole("dialog").locator("audio");
  await expect.poll(() => sound.evaluate((audio: HTMLAudioElement) => audio.readyState)).toBeGreaterThan(0);
  await again.close();
});

test("a signature is drawn, or typed with a reason", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  await page.getByRole("button", { name: "Add signature" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Save signature" })).toBeDisabled();
  const pad = dialog.getByRole("img", { name: "Sign here with your finger" });
  // Waits until the dialog has come to rest.
  await pad.hover();
  const box = await pad.boundingBox();
  if (!box) throw new Error("no pad");
  await page.mouse.move(box.x + 30, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 120, { steps: 6 });
  await page.mouse.move(box.x + 200, box.y + 40, { steps: 6 });
  await page.mouse.up();
  await dialog.getByRole("button", { name: "Save signature" }).click();
  await expect(page.getByTestId("attachment")).toHaveCount(1);

  await page.getByRole("button", { name: "Add signature" }).click();
  await dialog.getByRole("radio", { name: "Collector" }).click();
  await dialog.getByRole("button", { name: "Type the name instead" }).click();
  await dialog.getByLabel("Signer's name").fill("Chen Jie");
  await dialog.getByLabel("Reason for typing the name").fill("the screen is broken");
  await dialog.getByRole("button", { name: "Save signature" }).click();
  await expect(page.getByTestId("attachment")).toHaveCount(2);
  await expect(page.getByText("typed for Chen Jie: the screen is broken")).toBeVisible();
  for (const at of [0, 1]) {
    await expect(page.getByTestId("attachment").nth(at)).toHaveAttribute("data-state", "at-office", {
      timeout: 60_000,
    });
  }
  const desk = await office.api();
  const named = async (): Promise<string[][]> => {
    const { attachments } = await desk.get<VisitView>(`/api/visits/${id}`);
    return attachments.map(({ kind, media_type }) => [kind, media_type]);
  };
  // The bytes go apart from the records.
  await expect.poll(named).toEqual([
    ["signature", "image/png"],
    ["signature", "image/png"],
  ]);
  await context.close();
});

/** The console of a user who can read everything. */
async function console_(context: BrowserContext, id: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${office.url}/office/visits/${id}`);
  await page.getByLabel("User name").fill("lin.yue");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  return page;
}

test("the office looks at pictures and listens where they stand", async ({ browser }) => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  const file = { name: "p.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await record(page);
  const attachments = page.getByTestId("attachment");
  await expect(attachments).toHaveCount(2);
  for (const at of [0, 1]) await expect(attachments.nth(at)).toHaveAttribute("data-state", "at-office");
  // And one that has not come, and will not.
  const missing = {
    sha256: "ab".repeat(32),
    media_type: "image/png",
    size: 5,
    taken_at: 1,
    kind: "receipt",
    caption: "",
  };
  await (await office.api()).command(id, { do: "add_attachment", ...missing });
  await page.screenshot({ path: test.info().outputPath("field.png"), fullPage: true });

  const desk = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
  const shown = await console_(desk, id);
  const refused: string[] = [];
  shown.on("console", (message) => message.text().includes("Content Security Policy") && refused.push(message.text()));
  const picture = shown.getByRole("img", { name: "Photo" });
  await picture.scrollIntoViewIfNeeded();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalHeight)).toBe(1920);
  const sound = shown.getByLabel("Recording");
  await expect.poll(() => sound.evaluate((audio: HTMLAudioElement) => audio.readyState)).toBeGreaterThan(0);
  await expect(shown.getByText("Not at the office yet")).toBeVisible();
  await expectAccessible(shown, "a record with attachments");
  for (const [width, scheme] of [
    [1280, "light"],
    [360, "dark"],
  ] as const) {
    await shown.setViewportSize({ width, height: 900 });
    await shown.emulateMedia({ colorScheme: scheme });
    await picture.scrollIntoViewIfNeeded();
    await shown.screenshot({ path: test.info().outputPath(`console-${width}-${scheme}.png`) });
  }
  expect(refused).toEqual([]);
  await desk.close();
  await context.close();
});

test("a missing microphone is reported and affects nothing else", async () => {
  const context = await phone(profile);
  const page = await start(context, office, ["geolocation"]);
  await atRecordStep(page);
  await page.getByRole("button", { name: "Record audio" }).click();
  await expect(page.getByRole("alert")).toContainText("or continue without a recording");
  const file = { name: "p.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "at-office");
  await context.close();
});

test("what a full phone can't keep is tried again, and what was kept is safe", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  const file = { name: "p.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  // What a full disk answers, in the worker that writes: a quota cannot be set from here.
  const [worker] = page.workers();
  await worker?.evaluate(() => {
    const kept = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...of: Parameters<typeof kept>) {
      if (this.transaction.db.name.endsWith("-attachments")) throw new DOMException("no room", "QuotaExceededError");
      return kept.apply(this, of);
    };
    Object.assign(self, { makeRoom: () => (IDBObjectStore.prototype.put = kept) });
  });
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("This phone is out of space, and this attachment is not saved yet");
  await expect(page.getByTestId("attachment")).toHaveCount(0);
  await page.screenshot({ path: test.info().outputPath("full.png"), fullPage: true });
  await worker?.evaluate(() => (self as unknown as { makeRoom: () => void }).makeRoom());
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "at-office");
  const desk = await office.api();
  await expect.poll(async () => (await desk.get<VisitView>(`/api/visits/${id}`)).attachments.length).toBe(1);
  await context.close();
});

test("attachments of a withdrawn record leave the phone with it", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  const file = { name: "p.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "at-office");
  expect(await kept(page)).toMatchObject({ bytes: 1, thumbs: 1, rows: 1 });
  await page.goto(office.url);
  await (await office.api()).command(id, { do: "assign", collectors: ["wu.min"] });
  await syncNow(page);
  await expect.poll(() => kept(page)).toEqual({ bytes: 0, thumbs: 0, rows: 0, waiting: 0, recordings: 0, pieces: 0 });
  await context.close();
});

test("attachments are encrypted on disk, and readable after unlocking", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  // Nothing leaves the phone: all of it is here.
  await office.stop();
  const file = { name: "receipt-of-wang.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await record(page);
  await page.getByRole("button", { name: "Add signature" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Type the name instead" }).click();
  await dialog.getByLabel("Signer's name").fill("Wang Fang");
  await dialog.getByLabel("Reason for typing the name").fill("her hand is in plaster");
  await dialog.getByRole("button", { name: "Save signature" }).click();
  await expect(page.getByTestId("attachment")).toHaveCount(3);
  await page.getByRole("button", { name: "Record audio" }).click();
  await expect(page.getByRole("button", { name: /Stop recording \(0:0[2-9]\)/ })).toBeVisible({ timeout: 60_000 });

  const everything = await dump(page);
  expect(everything.filter(({ where }) => where.includes("-attachments/")).length).toBeGreaterThan(10);
  const secrets = {
    jpeg: Buffer.from([0xff, 0xd8, 0xff]),
    png: Buffer.from([0x89, 0x50, 0x4e, 0x47]),
    sound: Buffer.from([0x1a, 0x45, 0xdf, 0xa3]),
    "a caption": Buffer.from("her hand is in plaster"),
    "a name": Buffer.from("Wang Fang"),
    "a file": Buffer.from("receipt-of-wang"),
    "a type": Buffer.from("image/jpeg"),
    "a kind": Buffer.from("signature"),
    "the record": Buffer.from(id),
  };
  const kept = everything.filter(({ where }) => where.includes("-attachments/"));
  for (const [what, secret] of Object.entries(secrets)) {
    const found = kept.filter(({ bytes }) => bytes.includes(secret)).map(({ where }) => where);
    // Three bytes may meet by chance in what is sealed, anywhere but where the file would begin.
    const begins = kept.filter(({ bytes }) => bytes.subarray(0, 64).includes(secret)).map(({ where }) => where);
    expect(secret.length <= 4 ? begins : found, `${what} in the clear`).toEqual([]);
  }

  // Locking ends the recording; what was recorded is offered, and the rest is as it was.
  await go(page, "/settings");
  await page.getByRole("button", { name: "Lock now" }).click();
  await office.start();
  await page.goto(`${office.url}/visit/${id}/record`);
  await expect(page.getByText(/A recording of 0:0\d from .* was interrupted/)).toBeVisible();
  await page.getByRole("button", { name: "Discard" }).click();
  const attachments = page.getByTestId("attachment");
  for (const at of [0, 1, 2]) await expect(attachments.nth(at)).toHaveAttribute("data-state", "at-office");
  await context.close();
});
