/** Takes the pictures of README, and one of every page in both languages and themes: `make screenshots`. */
import { join, resolve } from "node:path";
import { expect, test, type Browser, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { inSync, readyOffline, saved, signIn, syncNow } from "./support/field";
import { Office, type Api } from "./support/office";
import { DEMO, LOOKS, walkConsole, walkFieldApp, rewear, type AtPage, type Look } from "./support/walk";

const IMAGES = resolve(__dirname, "../../docs/images");
const ALL = resolve(__dirname, "../../target/screenshots");
const COLLECTOR = "chen.jie";
const MINUTE_MS = 60_000;

const office = new Office();
let desk: Api;

test.beforeAll(async () => {
  await office.start("--demo");
  desk = await office.api("lin.yue", DEMO);
});
test.afterAll(() => office.remove());

test("the field app", async ({ browser }) => {
  test.setTimeout(180_000);
  const page = await open(browser, { width: 390, height: 780 }, 1.5);
  await page.goto(office.url);
  await signIn(page, COLLECTOR, DEMO);
  await inSync(page);
  await readyOffline(page);
  await dismiss(page);
  await take(page, "field-today");

  await page.goto(`${office.url}/visit/${await oneOf("on_site", "recorded")}/on_site`);
  await expect(page.getByRole("navigation", { name: "Steps" })).toBeVisible();
  await take(page, "field-record");
  await inChinese(page);
  await take(page, "field-record-zh");
  await page.goto(office.url);
  await inSync(page);
  await take(page, "field-today-zh");
  await inEnglish(page);

  await disagree(page, await oneOf("scheduled"));
  await take(page, "field-conflict");
  await inChinese(page, "dark");
  await expect(page.getByTestId("conflict")).toBeVisible();
  await take(page, "field-conflict-zh-dark");
});

test("the console", async ({ browser }) => {
  const page = await open(browser, { width: 1280, height: 800 }, 1);
  await page.goto(`${office.url}/office/`);
  await signIn(page, "lin.yue", DEMO);
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
  await take(page, "office-list");
  await page.goto(`${office.url}/office/visits/${await oneOf("sealed", "recorded", "reviewed")}`);
  await expect(page.getByRole("heading", { name: "History" })).toBeVisible();
  await take(page, "office-record");
});

for (const look of LOOKS) {
  const into = (app: string): AtPage => {
    const folder = join(ALL, app, look.join("-"));
    return async (page, name) => {
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: "disabled" });
    };
  };

  test(`every page, ${look.join(", ")}`, async ({ browser }) => {
    test.setTimeout(400_000);
    await walkFieldApp(browser, office, look, into("field"));
    await walkConsole(browser, office, look, into("office"));
  });
}

async function open(browser: Browser, viewport: { width: number; height: number }, scale: number): Promise<Page> {
  const context = await browser.newContext({
    viewport,
    deviceScaleFactor: scale,
  });
  return context.newPage();
}

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({
    path: join(IMAGES, `${name}.png`),
    animations: "disabled",
  });
}

/** A record of the collector in the first of the stages that has one. */
async function oneOf(...stages: string[]): Promise<string> {
  for (const stage of stages) {
    const path = `/api/visits?collector=${COLLECTOR}&stage=${stage}`;
    const { rows } = await desk.get<{ rows: VisitSummary[] }>(path);
    const free = rows.find((row) => row.holds.length === 0 && row.conflicts === 0) ?? rows[0];
    if (free) return free.id;
  }
  throw new Error(`the demo has no record in ${stages.join(" or ")}`);
}

/** Phone and office change the start of one appointment while apart. */
async function disagree(page: Page, id: string): Promise<void> {
  const { appointment } = await desk.get<VisitView>(`/api/visits/${id}`);
  await page.goto(`${office.url}/visit/${id}/appointment`);
  const start = page.getByLabel("Start");
  await expect(start).toBeVisible();
  const proposed = Date.parse(`${await start.inputValue()}Z`);
  await page.context().setOffline(true);
  await start.fill(new Date(proposed - 30 * MINUTE_MS).toISOString().slice(0, 16));
  await start.blur();
  await saved(page);
  await desk.command(id, {
    do: "edit_appointment",
    starts_at: (appointment.starts_at ?? Date.now()) + 30 * MINUTE_MS,
  });
  await page.context().setOffline(false);
  await syncNow(page);
  await expect(page.getByTestId("conflict")).toBeVisible();
  await inSync(page);
}

/** Closes what the app has to say about itself. */
async function dismiss(page: Page): Promise<void> {
  const notice = page.getByRole("button", { name: "Dismiss" });
  await notice.click({ timeout: 5_000 }).catch(() => undefined);
}

function inChinese(page: Page, theme: Look[1] = "light"): Promise<void> {
  return put(page, ["zh-CN", theme]);
}

function inEnglish(page: Page): Promise<void> {
  return put(page, ["en", "light"]);
}

async function put(page: Page, look: Look): Promise<void> {
  await rewear(page, look);
  await inSync(page);
}
