/** The looks of the field app on a phone of 360 × 640: both languages, both themes, usual and extra large text. */
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { expectAccessible } from "./axe";

export const SMALL_PHONE = { width: 360, height: 640 };

/** A folder for pictures of every look, for people to review. */
const PICTURES = process.env.DOORSTEP_PICTURES;

type FieldLook = readonly ["en" | "zh-CN", "light" | "dark", "100" | "125" | "150"];

/** What tests go on in. */
const USUAL: FieldLook = ["en", "light", "100"];
/** Widths depend on the language and the text size, contrast on the theme. */
const EXTREMES: readonly FieldLook[] = [
  ["en", "light", "150"],
  ["zh-CN", "dark", "150"],
];
const LOOKS: readonly FieldLook[] = PICTURES ? [USUAL, ...EXTREMES, ["zh-CN", "light", "100"]] : EXTREMES;

/** Reloads the page in every look; `ready` selects what to wait for. Ends in the usual one. */
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
  await wearLook(page, USUAL);
  await expect(page.locator(ready).first()).toBeVisible();
}

async function picture(page: Page, name: string): Promise<void> {
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
