/** Conduct in the console: the queue of what failed or is unknown, and the answers on a record's page. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { Office } from "./support/office";

const DEMO = "doorstep-demo";

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

const rows = (page: Page) => page.getByTestId("conduct-row");

async function open(page: Page, path = "/office/"): Promise<void> {
  await page.goto(office.url + path);
  await signIn(page, "lin.yue", DEMO);
}

test("the queue is reached from the navigation, filtered by answer and rule, and paged", async ({ page }) => {
  await open(page);
  await page.getByRole("navigation", { name: "Console pages" }).getByRole("link", { name: "Conduct" }).click();
  await expect(page.getByRole("heading", { name: "Conduct", level: 1 })).toBeVisible();
  // A page of the office's has fifty.
  await expect(rows(page)).toHaveCount(50);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect.poll(() => rows(page).count()).toBeGreaterThan(50);
  const keys = await rows(page).evaluateAll((all) =>
    all.map((row) => `${row.closest("[data-id]")?.getAttribute("data-id")} ${row.getAttribute("data-rule")}`),
  );
  expect(new Set(keys).size, "no answer twice").toBe(keys.length);

  await page.getByLabel("Result").selectOption({ label: "Not met" });
  await expect(page).toHaveURL(/answer=fail/);
  await expect(page.locator("[data-testid=conduct-row][data-answer=unknown]")).toHaveCount(0);
  const failed = (await rows(page).first().getAttribute("data-rule")) ?? "";
  await page.getByLabel("Rule").fill(failed);
  await page.getByLabel("Rule").press("Enter");
  await expect(page).toHaveURL(new RegExp(`rule=${failed}`));
  await expect(page.locator(`[data-testid=conduct-row]:not([data-rule="${failed}"])`)).toHaveCount(0);
  // The address keeps the filters.
  await page.reload();
  await expect(page.getByLabel("Rule")).toHaveValue(failed);
  const record = page.getByTestId("conduct-record").first();
  const id = (await record.getAttribute("data-id")) ?? "";
  await record.getByRole("link").click();
  await expect(page).toHaveURL(new RegExp(id));
  const conduct = page.getByTestId("conduct");
  const answer = conduct.locator(`[data-testid=conduct-answer][data-rule="${failed}"]`);
  await expect(answer).toHaveAttribute("data-answer", "fail");
  await expect(answer).toContainText("Based on:");
  await expect(answer).toContainText("Evidence:");
  await expect(conduct).toContainText("Rules: CN@2026-01-30+product@1");
  await expectAccessible(page);
});

test("nothing to show and no office are told apart", async ({ page }) => {
  await open(page, "/office/conduct?rule=MA-01");
  await expect(page.getByText("No results match. Change the filters to see others.")).toBeVisible();
  await expectAccessible(page, "the empty queue");
  await office.stop();
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectAccessible(page, "the queue without an office");
  await office.start("--demo");
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.getByRole("alert")).toBeHidden();
  await page.getByLabel("Rule").fill("");
  await page.getByLabel("Rule").press("Enter");
  await expect(rows(page).first()).toBeVisible();
});

test("a record shows the moments that it has come to, on a narrow screen and in Chinese", async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem("doorstep.lang", "zh-CN"));
  await page.setViewportSize({ width: 360, height: 740 });
  const desk = await office.api("lin.yue", DEMO);
  const sealed = await desk.get<{ rows: VisitSummary[] }>("/api/visits?stage=sealed");
  await page.goto(`${office.url}/office/visits/${sealed.rows[0]?.id}`);
  await page.locator("input").first().fill("lin.yue");
  await page.locator("input[type=password]").fill(DEMO);
  await page.locator("button[type=submit]").click();
  const conduct = page.getByTestId("conduct");
  await expect(conduct.getByRole("radio", { name: "上门后" })).toBeChecked();
  await conduct.getByRole("radio", { name: "到门口" }).click();
  await expect(conduct).toContainText("重新判断：到门口。");
  await expect(conduct.locator("[data-testid=conduct-answer][data-rule=CN-01]")).toContainText("中国大陆");
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});
