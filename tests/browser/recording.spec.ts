/** Evidence that does not claim too much: recordings with gaps, positions that cannot be, files that have not arrived. */
import { expect, test, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MICROPHONE, photo, start } from "./support/attachments";
import { phone } from "./support/browser";
import { choose, depart, go, inSync, openCase, signIn, step } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office } from "./support/office";

// Four looks, each with a reload.
test.slow();

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

const bar = (page: Page) => page.getByTestId("recording");

test("a recording continues on other pages and says when it had no sound", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  await page.setViewportSize(SMALL_PHONE);
  // The page's microphone, to take it away as a call does.
  await page.addInitScript(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      Object.assign(window, { microphone: stream.getAudioTracks()[0] });
      return stream;
    };
    let locks = 0;
    const screen = {
      request: () => {
        Object.assign(window, { locks: ++locks });
        const lock = Object.assign(new EventTarget(), { release: () => Promise.resolve() });
        Object.assign(window, { lock });
        return Promise.resolve(lock);
      },
    };
    Object.defineProperty(navigator, "wakeLock", { value: screen, configurable: true });
  });
  await page.reload();
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  await choose(page, "What is recorded", "At the door");
  await page.getByRole("button", { name: "Record audio" }).click();
  await expect(bar(page)).toHaveAttribute("data-awake", "true");
  await step(page, "Talk");
  await go(page, "/settings");
  await expect(bar(page).getByRole("button", { name: /Stop recording \(0:0[4-9]\)/ })).toBeVisible({ timeout: 60_000 });

  // The browser drops the wake lock with the page; it is requested again when the page is back.
  await page.evaluate(() => {
    (window as unknown as { lock: EventTarget }).lock.dispatchEvent(new Event("release"));
  });
  await expect(bar(page)).toHaveAttribute("data-awake", "false");
  await expect(bar(page)).toContainText("The screen may switch off");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect(bar(page)).toHaveAttribute("data-awake", "true");

  const microphone = (event: string): Promise<void> =>
    page.evaluate((event) => {
      (window as unknown as { microphone: EventTarget }).microphone.dispatchEvent(new Event(event));
    }, event);
  await microphone("mute");
  await expect(bar(page)).toContainText("No sound: another app uses the microphone");
  await microphone("unmute");
  await expect(bar(page)).toHaveAttribute("data-gaps", "1");
  await expect(bar(page)).toContainText("No sound at ");
  await bar(page)
    .getByRole("button", { name: /Stop recording/ })
    .click();
  await expect(bar(page)).toBeHidden();
  await go(page, `/visit/${id}/record`);
  const attachment = page.getByTestId("attachment");
  await expect(attachment).toContainText(/At the door · No sound at \d.*–/);
  await expect(attachment).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
  await context.close();
});

test("leaving ends the recording", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  await signIn(page, "chen.jie");
  await inSync(page);
  await openCase(page, "NB2026000002");
  await step(page, "On site");
  await depart(page);
  await step(page, "Record");
  await page.getByRole("button", { name: "Record audio" }).click();
  await expect(bar(page).getByRole("button", { name: /Stop recording \(0:0[2-9]\)/ })).toBeVisible({ timeout: 60_000 });
  await page.getByTestId("leave-bar").getByRole("button", { name: "Leave safely" }).click();
  await expect(bar(page)).toBeHidden();
  await expect(page.getByTestId("attachment")).toContainText("Talk");
  await context.close();
});

test("the list says which files the office lacks, and a position how much it is worth", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  await page.setViewportSize(SMALL_PHONE);
  await context.setGeolocation({ latitude: 29.87, longitude: 121.55, accuracy: 12 });
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000002");
  const desk = await office.api();
  await desk.command(id, { do: "update_case", lat: 29.871, lon: 121.55 });
  await inSync(page);
  await step(page, "On site");
  await depart(page);
  await page.getByRole("button", { name: "Arrive", exact: true }).click();
  const grade = page.getByTestId("position-grade");
  await expect(grade).toHaveAttribute("data-grade", "device_captured");
  await expect(grade).toContainText("Device captured · 110 m from the address");
  // The loan system corrects the address: it is in another town.
  await desk.command(id, { do: "update_case", lat: 30.2, lon: 121.55 });
  await expect(grade).toHaveAttribute("data-grade", "attested");
  await expect(grade).toContainText("Counts only as the collector's statement · far from the address · 36.7 km");

  await page.route("**/api/blobs/**", (route) => route.abort());
  await step(page, "Record");
  const file = { name: "p.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await inSync(page);
  await go(page, "/");
  const badge = page.locator(`[data-id="${id}"] [data-badge=files]`);
  await expect(badge).toHaveText(/1 file is not at the office/);
  await inEveryLook(page, "files-missing", `[data-id="${id}"] [data-badge=files]`, async () => {
    await page.locator(`[data-id="${id}"]`).scrollIntoViewIfNeeded();
  });
  await go(page, `/visit/${id}/record`);
  await page.getByTestId("sync-status").click();
  await expect(page.getByTestId("files-missing")).toHaveText("1 file is not at the office");
  await page.keyboard.press("Escape");

  const desktop = await context.newPage();
  await desktop.goto(`${office.url}/office/`);
  await context.clearCookies();
  await desktop.reload();
  await signIn(desktop, "lin.yue");
  await expect(desktop.getByTestId("visit-row").first()).toBeVisible();
  await desktop.goto(`${office.url}/office/visits/${id}`);
  await expect(desktop.getByTestId("position-grade")).toContainText("far from the address");
  await context.close();
});
