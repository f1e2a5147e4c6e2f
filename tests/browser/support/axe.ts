/** Accessibility checks with axe. */
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What a bar at the edge of the screen covers can be scrolled clear of it. */
const WHERE_SEEN = "target-size";

/** Without frames of other origins, no second page is needed for each answer; what passes is not described. */
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
}

/** Asks until nothing is found: a dialog that fades in has too little contrast half-way, and no fault. */
export async function expectAccessible(page: Page, where = "this page"): Promise<void> {
  const found = async (): Promise<string[]> => {
    const { violations } = await axe(page).withTags(RULES).analyze();
    const faults: string[] = [];
    for (const { id, nodes } of violations) {
      for (const { html, target } of nodes) {
        if (id !== WHERE_SEEN || (await isTooSmall(page, target.join(" ")))) faults.push(`${id}: ${html}`);
      }
    }
    return faults;
  };
  await expect.poll(found, { message: `what axe finds on ${where}`, timeout: 60_000 }).toEqual([]);
}

/** Judges the size of one control in the middle of the screen. */
async function isTooSmall(page: Page, target: string): Promise<boolean> {
  await page.locator(target).evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
  const { violations } = await axe(page).include(target).withRules([WHERE_SEEN]).analyze();
  return violations.length > 0;
}
