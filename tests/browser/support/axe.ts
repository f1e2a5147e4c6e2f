/** Accessibility checks with axe. */
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Asks until nothing is found: a dialog that fades in has too little contrast half-way, and no fault. */
export async function expectAccessible(page: Page, where = "this page"): Promise<void> {
  const found = async (): Promise<string[]> => {
    const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  };
  await expect.poll(found, { message: `what axe finds on ${where}` }).toEqual([]);
}
