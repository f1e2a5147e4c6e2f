/**
 * Every page of both apps: nothing for axe to find, nothing wider than the phone. One look has one
 * language and one theme: names and widths depend on the language, contrast on the theme.
 */
import { expect, test, type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { inSync, unlocks } from "./support/field";
import { Office } from "./support/office";
import { tooWide } from "./support/looks";
import { enter, type Look, oneInEachStage, STEPS, walkConsole, walkFieldApp, wear } from "./support/walk";

// By far the longest file: each worker that takes a part of it has an office of its own.
test.describe.configure({ mode: "parallel" });

const LOOKS: Look[] = [
  ["en", "light"],
  ["zh-CN", "dark"],
];

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

async function sound(page: Page, where: string): Promise<void> {
  await expectAccessible(page, where);
  expect(await tooWide(page), `${where} is wider than the screen`).toEqual([]);
}

for (const look of LOOKS) {
  test(`the field app, ${look.join(", ")}`, async ({ browser }) => {
    test.setTimeout(400_000);
    await walkFieldApp(browser, office, look, sound);
  });

  test(`the console, ${look.join(", ")}`, async ({ browser }) => {
    test.setTimeout(400_000);
    await walkConsole(browser, office, look, sound);
  });
}

test("text at 200 % fits a phone of 360 px", async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  await wear(context, ["en", "light"]);
  const [record] = (await oneInEachStage(office)).values();
  const page = await context.newPage();
  await unlocks(page);
  await page.goto(office.url);
  await enter(page, "chen.jie");
  await inSync(page);
  const fits = async (where: string): Promise<void> => {
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    expect(await tooWide(page), where).toEqual([]);
  };
  await fits("today");
  for (const path of ["settings", "past"]) {
    await page.goto(`${office.url}/${path}`);
    await expect(page.locator("h1")).toBeVisible();
    await fits(path);
  }
  for (const step of STEPS) {
    await page.goto(`${office.url}/visit/${record}/${step}`);
    await expect(page.locator("#step")).toBeVisible();
    await fits(step);
  }
  await context.close();
});
