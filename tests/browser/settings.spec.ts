/** Settings, practice, installation, blocked storage, and page positions that survive a kill. */
import { expect, test, type Page } from "@playwright/test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill, phone } from "./support/browser";
import {
  choose,
  depart,
  inSync,
  inSyncAgain,
  openCase,
  readyOffline,
  saved,
  signIn,
  step,
  unlocks,
} from "./support/field";
import { Office } from "./support/office";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

/** Whether the profile's local storage holds a text on disk. */
function onDisk(profile: string, text: string): boolean {
  const folder = join(profile, "Default", "Local Storage", "leveldb");
  return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text));
}

const stores = (page: Page): Promise<(string | undefined)[]> =>
  page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

test("practice sends nothing, marks every page, and is deleted at its end", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  // Rows are drawn in the time that is left; the headings know at once how many there are.
  const counts = page.getByTestId("visit-list").locator("h2");
  const own = await counts.allTextContents();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Practise with made-up borrowers" }).click();
  const mark = page.getByTestId("practice");
  await expect(mark).toBeVisible();
  await expect(page.getByTestId("visit-row")).toHaveCount(6);

  const asked: string[] = [];
  page.on("request", (request) => {
    if (/\/(sync|api)\b/.test(new URL(request.url()).pathname)) asked.push(request.url());
  });
  await page.getByTestId("visit-row").first().click();
  await step(page, "Record");
  await page.getByLabel("Notes").fill("only practice");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await expect(mark).toBeVisible();
  await expect(page.getByTestId("sync-status")).toBeHidden();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.reload();
  await expect(page.getByLabel("Notes")).toHaveValue("only practice");
  await expect(mark).toBeVisible();
  await page.getByRole("link", { name: "Today" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await expect(mark).toBeVisible();
  expect(asked).toEqual([]);
  expect(await stores(page)).toContain("doorstep-practice");

  await mark.getByRole("button", { name: "End practice" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End practice" }).click();
  await inSync(page);
  await expect(mark).toBeHidden();
  await expect(counts).toHaveText(own);
  await expect.poll(() => stores(page)).not.toContain("doorstep-practice");
});

test("diagnostics tell nothing about a person", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(office.url);
  await signIn(page, "wu.min");
  await inSync(page);
  const row = page.getByTestId("visit-row").first();
  const words = (await row.locator(".truncate").allInnerTexts()).filter((text) => text.trim() !== "");
  const id = (await row.getAttribute("data-id")) ?? "";
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Show diagnostics" }).click();
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(JSON.parse(text)).toMatchObject({ sync: { state: "in-step", unsent: 0 }, practice: false });
  for (const word of [...words, id, "wu.min"]) expect(text).not.toContain(word);
});

test("text size and language are kept", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "he.tao");
  await inSync(page);
  await page.getByRole("link", { name: "Settings" }).click();
  await choose(page, "Text size", "Extra large");
  await page.getByRole("radio", { name: "中文" }).click();
  await page.reload();
  await expect(page.getByRole("heading", { name: "设置", level: 1 })).toBeVisible();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe("24px");
});

test("installation is offered once, and can be postponed", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "zhao.lei");
  await inSync(page);
  // The list decides when it opens whether it makes the offer.
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
  // The browser's own dialog can't be driven: the event that lets a page open it can.
  await page.evaluate(() => {
    const offer = Object.assign(new Event("beforeinstallprompt", { cancelable: true }), {
      prompt: () => Promise.resolve(Object.assign(window, { prompted: true })),
    });
    dispatchEvent(offer);
  });
  const openAgain = async (): Promise<void> => {
    await page.getByRole("link", { name: "Settings" }).click();
    await page.goBack();
    await expect(page.getByTestId("visit-row").first()).toBeVisible();
  };
  const card = page.getByRole("region", { name: "Home screen" });
  await expect(card).toBeHidden();
  await openAgain();
  await card.getByRole("button", { name: "Add to home screen" }).click();
  expect(await page.evaluate(() => "prompted" in window)).toBe(true);
  await expect(card).toBeHidden();
  await page.evaluate(() =>
    dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt: () => undefined })),
  );
  await card.getByRole("button", { name: "Later" }).click();
  await expect(card).toBeHidden();
  await page.reload();
  await inSync(page);
  await page.evaluate(() =>
    dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt: () => undefined })),
  );
  await openAgain();
  await expect(card).toBeHidden();
});

test("blocked storage is reported", async () => {
  const profile = mkdtempSync(join(tmpdir(), "doorstep-barred-"));
  mkdirSync(join(profile, "Default"));
  // What "block all site data" in the browser's settings writes.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await phone(profile);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(office.url);
  await expect(page.getByRole("alert")).toContainText("This browser does not let Doorstep store anything");
  await context.close();
  rmSync(profile, { recursive: true, force: true });
});

test("an arrival without a position is recorded, and says how to have one next time", async ({ page, context }) => {
  await context.clearPermissions();
  await page.goto(office.url);
  await signIn(page, "sun.yan");
  await inSync(page);
  await openCase(page, "NB2026");
  await step(page, "On site");
  await depart(page);
  await page.getByRole("button", { name: "Arrive", exact: true }).click();
  await expect(page.getByText("Arrival recorded without a location", { exact: false })).toBeVisible();
  await expect(page.getByText(/^Arrived /)).toBeVisible();
  await choose(page, "Place type", "Home");
});

test("a killed app goes back to the step, the scroll and the field", async () => {
  const profile = mkdtempSync(join(tmpdir(), "doorstep-place-"));
  let context = await phone(profile);
  let page = context.pages()[0] ?? (await context.newPage());
  await page.goto(office.url);
  await signIn(page, "he.tao");
  await inSync(page);
  await readyOffline(page);
  await openCase(page, "NB2026");
  await step(page, "Record");
  await page.getByLabel("Borrower's feedback").scrollIntoViewIfNeeded();
  await page.getByLabel("Borrower's feedback").fill("said hello");
  await saved(page);
  const place = () => page.evaluate(() => localStorage.getItem("doorstep.place"));
  await expect.poll(async () => (JSON.parse((await place()) ?? "{}") as { scroll: number }).scroll).toBeGreaterThan(0);
  const scroll = await page.evaluate(() => Math.round(scrollY));
  await expect.poll(async () => (JSON.parse((await place()) ?? "{}") as { scroll: number }).scroll).toBe(scroll);
  // The browser writes such values to disk within some seconds; a kill before that costs the place, nothing else.
  await expect.poll(() => onDisk(profile, `"scroll":${scroll},`), { timeout: 60_000 }).toBe(true);
  await kill(context, profile);

  context = await phone(profile);
  page = context.pages()[0] ?? (await context.newPage());
  await unlocks(page);
  await page.goto(office.url);
  await inSyncAgain(page);
  await page.getByRole("link", { name: /^Continue with/ }).click();
  await expect(page.getByLabel("Borrower's feedback")).toBeFocused();
  await expect(page.getByLabel("Borrower's feedback")).toHaveValue("said hello");
  expect(Math.abs((await page.evaluate(() => scrollY)) - scroll)).toBeLessThan(40);
  await context.close();
  rmSync(profile, { recursive: true, force: true });
});
