import { test, expect } from "@playwright/test";
import AxeBuilder from "@axe-core/playwright";
import { resolve } from "node:path";
import { launchOptions } from "./launch";
test("x", async ({ page }) => {
  console.log(__dirname, resolve("."), launchOptions.executablePath, typeof AxeBuilder);
  await page.setContent("<html lang=en><title>x</title><main><h1>Hello</h1></main>");
  const r = await new AxeBuilder({ page }).analyze();
  expect(r.violations).toEqual([]);
});
