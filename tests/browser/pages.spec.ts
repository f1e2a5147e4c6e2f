/**
 * Every page of both apps: nothing for axe to find, nothing wider than the phone, cut off or covered. One
 * look has one language and one theme: names and widths depend on the language, contrast on the theme.
 */
import { expect, test, type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { Office } from "./support/office";
import { coveredButtons, cutOff, laidOut, tooWide } from "./support/looks";
import { type Look, walkConsole, walkFieldApp } from "./support/walk";

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

/** On a small phone, also with the browser's text at 200 %. */
async function fits(page: Page, where: string): Promise<void> {
  await sound(page, where);
  expect(await coveredButtons(page), `main buttons of ${where} that are covered`).toEqual([]);
  expect(await cutOff(page), `what is cut off on ${where}`).toEqual([]);
  const usual = await page.evaluate(() => document.documentElement.style.fontSize);
  await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  await laidOut(page);
  expect(await tooWide(page), `${where} at 200 % is wider than the screen`).toEqual([]);
  await page.evaluate((usual) => (document.documentElement.style.fontSize = usual), usual);
}

for (const look of LOOKS) {
  test(`the field app, ${look.join(", ")}`, async ({ browser }) => {
    test.setTimeout(400_000);
    // English is the wider language.
    await walkFieldApp(browser, office, look, fits, look[0] === "en" ? "150" : "100");
  });

  test(`the console, ${look.join(", ")}`, async ({ browser }) => {
    test.setTimeout(400_000);
    await walkConsole(browser, office, look, sound);
  });
}
