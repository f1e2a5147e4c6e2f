/** The looks of the field app on a phone of 360 × 640: both languages, both themes, default and extra large text. */
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { expectAccessible } from "./axe";

export const SMALL_PHONE = { width: 360, height: 640 };

const LOOKS = [
  ["en", "light", "100"],
  ["en", "dark", "150"],
  ["zh-CN", "light", "150"],
  ["zh-CN", "dark", "100"],
] as const;
export type FieldLook = (typeof LOOKS)[number];

/** A folder for pictures of every look, for people to review. */
const PICTURES = process.env.DOORSTEP_PICTURES;

/** Reloads the page in every look; `ready` selects what to wait for. Ends in the first look. */
export async function inEveryLook(
  page: Page,
  name: string,
  ready: string,
  prepare?: (look: FieldLook) => Promise<void>,
): Promise<void> {
  for (const look of LOOKS) {
    await wearLook(page, look);
    await expect(page.locator(ready).first()).toBeVisible();
    await prepare?.(look);
    const where = `${name} (${look.join(", ")})`;
    await expectAccessible(page, where);
    expect(await tooWide(page), `${where} is wider than the screen`).toEqual([]);
    await picture(page, `${name}-${look.join("-")}`);
  }
  await wearLook(page, LOOKS[0]);
  await expect(page.locator(ready).first()).toBeVisible();
}

export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });
}

async function wearLook(page: Page, [lang, theme, text]: FieldLook): Promise<void> {
  await page.evaluate(
    ([lang, theme, text]) => {
      localStorage.setItem("doorstep.lang", lang);
      localStorage.setItem("doorstep.theme", theme);
      localStorage.setItem("doorstep.text", text);
    },
    [lang, theme, text] as const,
  );
  await page.reload();
}

/** What reaches beyond the right edge of a page that scrolls sideways. */
export function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const over = [...document.querySelectorAll("body *")].filter(
      (element) => element.getBoundingClientRect().right > clientWidth + 0.5,
    );
    return over.map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 30)}`);
  });
}
