/** What the borrower is shown and takes home: plans, the copy, the seal. */
import { expect, test, type Page } from "@playwright/test";
import { inStep, openCase, saved, signIn, step } from "./support/field";
import { Office } from "./support/office";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
});
test.afterEach(() => office.remove());

async function open(page: Page, name = "chen.jie"): Promise<string> {
  await page.goto(office.url);
  await signIn(page, name);
  await inStep(page);
  return openCase(page, "NB2026000002");
}

async function offer(page: Page, amount: string, instalments: string, first: string): Promise<void> {
  await page.getByRole("button", { name: "Offer an option" }).click();
  await page.getByLabel("Amount (CNY)").first().fill(amount);
  await page.getByLabel("Instalments").fill(instalments);
  await page.getByLabel("First due date").fill(first);
}

test("plans stand side by side, add up, and say where the rounding went", async ({ page }) => {
  await open(page);
  await step(page, "Talk");
  await offer(page, "1000.00", "3", "2027-01-31");
  const preview = page.getByRole("table", { name: "Payments of this plan" });
  await expect(preview.getByRole("row")).toHaveText([
    "No.DueAmount",
    "131 Jan 2027CN¥333.33",
    "228 Feb 2027CN¥333.33",
    "331 Mar 2027CN¥333.34",
    "TotalCN¥1,000.00",
  ]);
  await expect(page.getByText("The amount does not divide evenly: the last payment is CN¥0.01 more.")).toBeVisible();
  await page.getByRole("button", { name: "Add option" }).click();
  await offer(page, "1000.00", "8", "2027-01-15");
  await page.getByRole("button", { name: "Add option" }).click();
  await saved(page);
  await expect(page.getByText("3 × CN¥333.33, the last CN¥333.34")).toBeVisible();
  await expect(page.getByText("8 × CN¥125.00", { exact: true })).toBeVisible();
  await expect(page.getByText("15 Jan 2027 to 15 Aug 2027, monthly")).toBeVisible();
  await page.getByRole("button", { name: "Show all payments" }).last().click();
  await expect(page.getByRole("dialog").getByRole("row")).toHaveCount(10);
});

test("a plan whose instalments would be nothing can't be offered", async ({ page }) => {
  await open(page);
  await step(page, "Talk");
  await offer(page, "0.05", "6", "2027-01-31");
  await expect(page.getByText("The amount is too small for so many instalments.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add option" })).toBeDisabled();
});
