/** Receipts for the borrower: made at the door without a connection, verified by the office afterwards. */
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { go, inSync, openCase, readyOffline, saved, signIn, step } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office } from "./support/office";

test.use({ viewport: SMALL_PHONE });

const CASE = "NB2026000002";

// Four looks, each with a reload.
test.slow();

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
  await office.stop();
  await office.start("--lender", "示例金融", "--complaints", "400-000-0000");
});
test.afterAll(() => office.remove());

const receipt = (page: Page) => page.getByTestId("copy");
const result = (page: Page) => page.getByTestId("receipt-result");

async function verify(page: Page, caseNo: string, code: string): Promise<void> {
  await page.getByLabel("Case number").fill(caseNo);
  await page.getByLabel("Receipt code").fill(code);
  await page.getByRole("button", { name: "Verify" }).click();
}

test("a receipt made at the door is verified by the office once the phone has synced", async ({
  page,
  context,
  browser,
}) => {
  // A phone's system dialog cannot be driven: keep what it is given.
  await page.addInitScript(() => {
    Object.assign(navigator, { share: (data: ShareData) => Promise.resolve(Object.assign(window, { shared: data })) });
  });
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await readyOffline(page);
  const id = await openCase(page, CASE);
  const desk = await office.api();
  await desk.command(id, { do: "update_case", preferred_language: "zh-CN" });
  await inSync(page);
  await context.setOffline(true);
  await step(page, "Record");
  await page.getByRole("button", { name: "Add payment" }).click();
  await page.getByLabel("Amount (CNY)").fill("1200.00");
  await page.getByRole("button", { name: "Add payment" }).last().click();
  await saved(page);
  await page.getByRole("link", { name: "Receipt for the borrower" }).click();

  // In the borrower's language, whatever the app's is; honest about the office; with the way to complain.
  await expect(receipt(page)).toHaveAttribute("lang", "zh-CN");
  for (const text of ["还款凭证", "¥1,200.00", CASE, "400-000-0000", "尚未确认", "如何核实"]) {
    await expect(receipt(page)).toContainText(text);
  }
  await expect(page.getByTestId("receipt-status")).toHaveAttribute("data-confirmed", "false");
  const code = await page.getByTestId("receipt-code").innerText();
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  await page.getByRole("button", { name: "English" }).click();
  await expect(receipt(page)).toContainText("Not yet confirmed by the office");
  await page.getByRole("button", { name: "Share" }).click();
  const shared = await page.evaluate(() => (window as unknown as { shared: ShareData }).shared);
  expect(shared.text).toContain(`Receipt code: ${code}`);
  expect(shared.text).toContain("400-000-0000");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`receipt-${code}.html`);
  const html = readFileSync(await download.path(), "utf8");
  for (const text of ['lang="en"', code, "400-000-0000", "CN¥1,200.00"]) expect(html).toContain(text);
  await page.emulateMedia({ media: "print" });
  for (const name of ["Print", "Share", "Download"]) await expect(page.getByRole("button", { name })).toBeHidden();
  await expect(receipt(page)).toBeVisible();
  await page.emulateMedia({ media: null });
  // The office knows nothing of it yet, and says what that may mean.
  const consoleContext = await browser.newContext({ locale: "en-GB" });
  const desktop = await consoleContext.newPage();
  await desktop.goto(`${office.url}/office/receipts`);
  await signIn(desktop, "lin.yue");
  await verify(desktop, CASE, code);
  await expect(result(desktop)).toHaveAttribute("data-state", "unknown");
  await expect(result(desktop)).toContainText("the phone may not have synced yet");

  await inEveryLook(page, "receipt", "[data-testid=receipt-code]");

  await context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect(page.getByTestId("receipt-status")).toHaveAttribute("data-confirmed", "true", { timeout: 60_000 });
  await desktop.getByRole("button", { name: "Verify" }).click();
  await expect(result(desktop)).toHaveAttribute("data-state", "genuine");
  await expect(result(desktop)).toContainText("CN¥1,200.00");
  await expect(result(desktop)).toContainText("chen.jie");
  await expectAccessible(desktop);
  if (process.env.DOORSTEP_PICTURES) {
    await desktop.screenshot({ path: `${process.env.DOORSTEP_PICTURES}/receipt-console.png` });
  }

  // As it is read over the phone; misread; of another case.
  await verify(desktop, CASE, code.toLowerCase().replaceAll("-", " "));
  await expect(result(desktop)).toHaveAttribute("data-state", "genuine");
  await verify(desktop, CASE, `${code.startsWith("0") ? "2" : "0"}${code.slice(1)}`);
  await expect(result(desktop)).toHaveAttribute("data-state", "failed");
  await expect(result(desktop)).toContainText("misread");
  await verify(desktop, "NB2026000003", code);
  await expect(result(desktop)).toHaveAttribute("data-state", "unknown");
  await expect(result(desktop)).not.toContainText("1,200");
  await consoleContext.close();
});

test("a promise has a confirmation with a code of its own, also on the copy of the visit", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000019");
  await step(page, "Talk");
  await page.getByLabel("Amount (CNY)").last().fill("500.00");
  await page.getByLabel("Payment date").fill("2027-01-31");
  await page.getByRole("button", { name: "Save promise" }).click();
  await page.getByRole("link", { name: "Receipt for the borrower" }).click();
  await page.getByRole("button", { name: "English" }).click();
  await expect(receipt(page)).toContainText("It is not a receipt for money");
  const code = await page.getByTestId("receipt-code").innerText();
  await go(page, `/visit/${id}/copy`);
  await page.getByRole("button", { name: "English" }).click();
  await expect(receipt(page)).toContainText(code);
  await go(page, `/visit/${id}/copy/01990000-0000-7000-8000-00000000000a`);
  await expect(page.getByRole("main").getByRole("status")).toContainText(
    "The record no longer has this payment or promise.",
  );
});
