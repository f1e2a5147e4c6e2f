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
    expect(await coveredButtons(page), `main buttons of ${where} that are covered`).toEqual([]);
    expect(await cutOff(page), `what is cut off on ${where}`).toEqual([]);
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

/** Main buttons that a bar, a banner or a message covers once they are scrolled to. */
export function coveredButtons(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const scope = document.querySelector("dialog[open]") ?? document.body;
    const covered: string[] = [];
    for (const button of scope.querySelectorAll<HTMLElement>(".btn-primary")) {
      // Disabled ones let taps through to what is behind them.
      if (button.matches(":disabled") || !button.checkVisibility()) continue;
      button.scrollIntoView({ block: "center", behavior: "instant" });
      await new Promise((done) => requestAnimationFrame(done));
      const { left, top, width, height } = button.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      if (hit === null || !button.contains(hit))
        covered.push(`${button.textContent} under ${hit?.tagName} ${hit?.className}`);
    }
    scrollTo({ top: 0, behavior: "instant" });
    return covered;
  });
}

/** Elements narrower than their text and controls lower than it, unless an ellipsis shows that. */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, a.btn, label, .label-text, h1, h2, h3")]
      .filter((element) => {
        const { textOverflow, display } = getComputedStyle(element);
        if (textOverflow === "ellipsis" || display === "inline" || !element.checkVisibility()) return false;
        const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
        // Glyphs are higher than a heading's tight lines, which nothing clips.
        const isControl = element.matches("button, a");
        return scrollWidth > clientWidth + 1 || (isControl && scrollHeight > clientHeight + 1);
      })
      .map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 40)}`),
  );
}

/** Container queries and transitions follow a change of the text's size some frames later. */
export async function laidOut(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
    await frame();
    await frame();
    const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(transitions.map(({ finished }) => finished));
    await frame();
  });
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
