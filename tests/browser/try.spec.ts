import { resolve } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import * as A from "@automerge/automerge";
test("x", async ({ page, launchOptions }) => {
  console.log(
    __dirname,
    resolve("."),
    launchOptions.executablePath,
    typeof AxeBuilder,
    A.toJS(A.from({ a: 1 })),
  );
  await page.setContent(
    "<html lang=en><title>x</title><main><h1>Hello</h1></main>",
  );
  const r = await new AxeBuilder({ page }).analyze();
  expect(r.violations).toEqual([]);
});
