/** Every page of both apps, in both languages and both themes: nothing for axe to find, nothing wider than the phone. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import type { VisitSummary } from "../../www/src/wasm/doorstep";
import { noBarriers } from "./support/axe";
import { choosePin, go, inStep, unlocks } from "./support/field";
import { Office } from "./support/office";

const DEMO = "doorstep-demo";
const STEPS = ["contact", "appointment", "on_site", "talk", "record"];
const LOOKS = [
  ["en", "light"],
  ["en", "dark"],
  ["zh-CN", "light"],
  ["zh-CN", "dark"],
] as const;

const office = new Office();
/** Records of the collector, one in each stage that the demo has. */
let records: string[];

test.beforeAll(async () => {
  await office.start("--demo");
  const desk = await office.api("lin.yue", DEMO);
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=chen.jie");
  records = [...new Map(rows.map((row) => [row.stage, row.id])).values()];
});
test.afterAll(() => office.remove());

async function wear(context: BrowserContext, lang: string, theme: string, text = "100"): Promise<void> {
  await context.addInitScript(
    ([lang, theme, text]) => {
      localStorage.setItem("doorstep.lang", lang ?? "");
      localStorage.setItem("doorstep.theme", theme ?? "");
      localStorage.setItem("doorstep.text", text ?? "");
    },
    [lang, theme, text],
  );
}

/** Signs in by the address of the sign-in, whatever the language. */
async function enter(page: Page, name: string): Promise<void> {
  await page.locator("input").first().fill(name);
  await page.locator("input[type=password]").fill(DEMO);
  await page.locator("button[type=submit]").click();
}

async function sound(page: Page, where: string): Promise<void> {
  await noBarriers(page, where);
  expect(await tooWide(page), `${where} is wider than the screen`).toEqual([]);
}

/** What reaches beyond the right edge of a page that scrolls sideways. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const over = [...document.querySelectorAll("body *")].filter(
      (element) => element.getBoundingClientRect().right > clientWidth + 0.5,
    );
    return over.map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 30)}`);
  });
}

for (const [lang, theme] of LOOKS) {
  test(`the field app, ${lang}, ${theme}`, async ({ browser }) => {
    test.setTimeout(400_000);
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, reducedMotion: "reduce" });
    await wear(context, lang, theme);
    const page = await context.newPage();
    await page.goto(office.url);
    await expect(page.locator("input[type=password]")).toBeVisible();
    await sound(page, "sign-in");
    await enter(page, "chen.jie");
    await expect(page.getByTestId("choose-pin")).toBeVisible();
    await sound(page, "the choice of a PIN");
    await choosePin(page);
    await inStep(page);
    await page.reload();
    await expect(page.getByTestId("unlock")).toBeVisible();
    await sound(page, "locked");
    await unlocks(page);
    await inStep(page);
    await sound(page, "today");
    await page.getByTestId("sync-status").click();
    await sound(page, "sync");
    await page.keyboard.press("Escape");
    await go(page, "/settings");
    await expect(page.locator("h1")).toBeVisible();
    await sound(page, "settings");
    await go(page, "/nothing");
    await sound(page, "no such page");
    await go(page, "/visit/01990000-0000-7000-8000-000000000000/talk");
    await expect(page.locator("h1")).toBeVisible();
    await sound(page, "a record that is not held");
    for (const id of records) {
      for (const step of STEPS) {
        await go(page, `/visit/${id}/${step}`);
        await expect(page.locator("#step")).toBeVisible();
        await sound(page, `${id}/${step}`);
      }
    }
    await context.close();
  });

  test(`the console, ${lang}, ${theme}`, async ({ browser }) => {
    test.setTimeout(400_000);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
    await wear(context, lang, theme);
    const page = await context.newPage();
    await page.goto(`${office.url}/office/`);
    await expect(page.locator("input[type=password]")).toBeVisible();
    await sound(page, "sign-in");
    await enter(page, "lin.yue");
    await expect(page.getByTestId("visit-row").first()).toBeVisible();
    await sound(page, "list");
    // Every page that the console's own navigation leads to.
    const pages = await page
      .locator("header a[href], nav a[href]")
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    for (const url of new Set(pages.filter((url) => url.includes("/office/") && !url.includes("#")))) {
      await page.goto(url);
      await expect(page.locator("h1, h2").first()).toBeVisible();
      await sound(page, url);
    }
    for (const id of records) {
      await page.goto(`${office.url}/office/visits/${id}`);
      await expect(page.locator("h1, h2").first()).toBeVisible();
      await sound(page, id);
    }
    await context.close();
  });
}

test("text at 200 % fits a phone of 360 px", async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  await wear(context, "en", "light");
  const page = await context.newPage();
  await unlocks(page);
  await page.goto(office.url);
  await enter(page, "chen.jie");
  await inStep(page);
  const fits = async (where: string): Promise<void> => {
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    expect(await tooWide(page), where).toEqual([]);
  };
  await fits("today");
  await page.goto(`${office.url}/settings`);
  await expect(page.locator("h1")).toBeVisible();
  await fits("settings");
  for (const step of STEPS) {
    await page.goto(`${office.url}/visit/${records[0]}/${step}`);
    await expect(page.locator("#step")).toBeVisible();
    await fits(step);
  }
  await context.close();
});
