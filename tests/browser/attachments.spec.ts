/** Photos, recordings and signatures, from the phone to the office. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { kill, phone } from "./support/browser";
import { inStep, inStepAgain, openCase, signIn, step } from "./support/field";
import { Office } from "./support/office";

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
test.use({
  launchOptions: {
    args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-gpu"],
    executablePath: "/usr/bin/chromium",
  },
});

async function start(context: BrowserContext): Promise<Page> {
  await context.grantPermissions(["microphone"]);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(office.url);
  return page;
}

async function atRecordStep(page: Page): Promise<string> {
  await signIn(page, "chen.jie");
  await inStep(page);
  await page.getByRole("button", { name: "Dismiss" }).click();
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  return id;
}

/** A picture of 3000 × 2000 as a camera writes it: on its side, with a position and a maker. */
async function photo(page: Page): Promise<Buffer> {
  const plain = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(3000, 2000);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    for (let x = 0; x < 3000; x += 100) {
      context.fillStyle = `hsl(${x / 10} 60% 50%)`;
      context.fillRect(x, 0, 100, 2000);
    }
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer())];
  });
  // Orientation 6: to be turned by 90° clockwise. Then an entry that points to a position.
  const tiff = Buffer.from(
    "4d4d002a00000008" +
      "0002" +
      "0112000300000001" +
      "00060000" +
      "8825000400000001" +
      "00000026" +
      "00000000" +
      "0001" +
      "0001000200000002" +
      "4e000000" +
      "00000000",
    "hex",
  );
  const body = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  const jpeg = Buffer.from(plain);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

test("a photo is made small and upright, says nothing of where it was taken, and reaches the office", async () => {
  const context = await phone(profile);
  const page = await start(context);
  const id = await atRecordStep(page);
  const taken = await photo(page);
  expect(taken.includes("Exif")).toBe(true);

  // No network: it is kept, named, and says where it is.
  await office.stop();
  await page.getByLabel("Take a photo").first().setInputFiles({ name: "p.jpg", mimeType: "image/jpeg", buffer: taken });
  const attachment = page.getByTestId("attachment");
  await expect(attachment).toHaveAttribute("data-state", "waiting");
  await expect(attachment).toContainText("On this phone; it goes to the office by itself");

  // Killed with the photo still to go.
  await kill(context, profile);
  await office.start();
  const again = await phone(profile);
  const next = await start(again);
  await inStepAgain(next);
  await next.goto(`${office.url}/visit/${id}/record`);
  await expect(next.getByTestId("attachment")).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
  await expect(next.getByTestId("attachment")).toContainText("At the office");

  const desk = await office.api();
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
  const context = await phone(profile);
  const page = await start(context);
  const id = await atRecordStep(page);
  await page.getByRole("button", { name: "Record sound" }).click();
  // Some pieces are on disk once the length has moved on.
  await expect(page.getByRole("button", { name: /Stop recording \(0:0[4-9]\)/ })).toBeVisible({ timeout: 60_000 });
  await kill(context, profile);

  const again = await phone(profile);
  const next = await start(again);
  await inStepAgain(next);
  await next.goto(`${office.url}/visit/${id}/record`);
  await expect(next.getByText(/A recording of 0:0\d from .* was cut off/)).toBeVisible();
  await next.getByRole("button", { name: "Keep it" }).click();
  const attachment = next.getByTestId("attachment");
  await expect(attachment).toContainText("cut off");
  await expect(attachment).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
  await next.getByRole("button", { name: /^Open: / }).click();
  const sound = next.getByRole("dialog").locator("audio");
  await expect.poll(() => sound.evaluate((audio: HTMLAudioElement) => audio.readyState)).toBeGreaterThan(0);
  await again.close();
});

test("a signature is drawn, or typed with a reason", async () => {
  const context = await phone(profile);
  const page = await start(context);
  const id = await atRecordStep(page);
  await page.getByRole("button", { name: "Signature" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Keep signature" })).toBeDisabled();
  const box = await dialog.getByRole("img", { name: "Sign here with a finger" }).boundingBox();
  if (!box) throw new Error("no pad");
  await page.mouse.move(box.x + 30, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 120, { steps: 6 });
  await page.mouse.move(box.x + 200, box.y + 40, { steps: 6 });
  await page.mouse.up();
  await dialog.getByRole("button", { name: "Keep signature" }).click();
  await expect(page.getByTestId("attachment")).toHaveCount(1);

  await page.getByRole("button", { name: "Signature", exact: true }).click();
  await dialog.getByRole("radio", { name: "Collector" }).click();
  await dialog.getByRole("button", { name: "Type the name instead" }).click();
  await dialog.getByLabel("Name of who signs").fill("Chen Jie");
  await dialog.getByLabel("Why it is typed").fill("the screen is broken");
  await dialog.getByRole("button", { name: "Keep signature" }).click();
  await expect(page.getByTestId("attachment")).toHaveCount(2);
  await expect(page.getByText("typed for Chen Jie: the screen is broken")).toBeVisible();
  for (const at of [0, 1]) {
    await expect(page.getByTestId("attachment").nth(at)).toHaveAttribute("data-state", "at-office", {
      timeout: 60_000,
    });
  }
  const { attachments } = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(attachments.map(({ kind, media_type }) => [kind, media_type])).toEqual([
    ["signature", "image/png"],
    ["signature", "image/png"],
  ]);
  await context.close();
});
