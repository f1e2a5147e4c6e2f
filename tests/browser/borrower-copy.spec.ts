/** What the borrower is shown and takes home: plans, the copy, the seal. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { choose, inSync, openCase, saved, seal, signIn, step } from "./support/field";
import { Office } from "./support/office";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
});
test.afterEach(() => office.remove());

async function open(page: Page, name = "chen.jie"): Promise<string> {
  await page.goto(office.url);
  await signIn(page, name);
  await inSync(page);
  // It may come at any time and lies over the foot of the page.
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
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
  await expect(
    page.getByText("The amount does not divide evenly, so the last payment is CN¥0.01 higher."),
  ).toBeVisible();
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
  await expect(page.getByText("The amount is too small for this many instalments.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add option" })).toBeDisabled();
});

test("a sealed record is signed by each collector, and the office sees that it checks", async ({ page, browser }) => {
  const id = await open(page);
  const desk = await office.api();
  await desk.command(id, { do: "assign", collectors: ["chen.jie", "wu.min"] });
  await step(page, "Record");
  await choose(page, "Borrower not met", "Not at home");
  await seal(page);
  const signatures = page.getByTestId("signature");
  await expect(signatures).toContainText("chen.jie");
  await expect(signatures).toContainText("Signature valid: nothing has changed since.");
  await signatures.getByRole("button", { name: "Show what was read back" }).click();
  await expect(page.getByRole("dialog")).toContainText("Outcome of the visit: Not at home");
  await page.getByRole("button", { name: "Close" }).click();
  await inSync(page);

  const second = await browser.newPage();
  await open(second, "wu.min");
  await step(second, "Record");
  await second.getByRole("button", { name: "Sign what was read back" }).click();
  await second.getByRole("button", { name: "Sign now" }).click();
  await expect(second.getByTestId("signature")).toHaveCount(2);
  await expect(second.getByRole("button", { name: "Sign what was read back" })).toBeHidden();
  await inSync(second);
  await expect(signatures).toHaveCount(2);

  const view = await desk.get<VisitView>(`/api/visits/${id}`);
  const by = view.seal?.signatures.map((one) => [one.by, one.sound, one.standing]);
  expect(by).toEqual([
    ["chen.jie", true, true],
    ["wu.min", true, true],
  ]);
  const console = await browser.newPage();
  await console.goto(`${office.url}/office/`);
  await signIn(console, "lin.yue");
  await expect(console.getByTestId("visit-row").first()).toBeVisible();
  await console.goto(`${office.url}/office/visits/${id}`);
  await expect(console.getByTestId("signature")).toHaveCount(2);
  await expect(console.getByText("Signature valid: nothing has changed since.").first()).toBeVisible();
  await office.stop();
  expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({ ok: true, signatures: 2 });
});

test("the borrower's copy is in the borrower's language and says nothing of anybody else", async ({ page }) => {
  await office.stop();
  await office.start("--lender", "示例金融", "--complaints", "400-000-0000");
  const id = await open(page);
  const desk = await office.api();
  await desk.command(id, { do: "edit_notes", base: [], text: "the neighbour told us" });
  await desk.command(id, { do: "update_case", preferred_language: "zh-CN", note: "a note of the loan system" });
  await step(page, "Talk");
  await offer(page, "1000.00", "3", "2027-01-31");
  await page.getByRole("button", { name: "Add option" }).click();
  await page.getByRole("button", { name: "Chosen by the borrower" }).click();
  await page.getByLabel("Amount (CNY)").last().fill("333.33");
  await page.getByLabel("Payment date").fill("2027-01-31");
  await page.getByRole("button", { name: "Save promise" }).click();
  await step(page, "Record");
  await page.getByRole("link", { name: "Open borrower's copy" }).click();
  const copy = page.getByTestId("copy");
  await expect(copy).toHaveAttribute("lang", "zh-CN");
  for (const text of ["示例金融", "400-000-0000", "2027年2月28日", "¥333.34", "还款承诺", "尚未封存"]) {
    await expect(copy).toContainText(text);
  }
  for (const foreign of ["neighbour", "loan system", "Borrower"]) await expect(copy).not.toContainText(foreign);
  await page.getByRole("button", { name: "English" }).click();
  await expect(copy).toContainText("Payments of the plan you chose");
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("button", { name: "Print" })).toBeHidden();
  await expect(copy).toBeVisible();
});
