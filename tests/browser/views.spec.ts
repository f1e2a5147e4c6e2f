/** Saved views of the list, and tokens for Excel. */
import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { Office, PASSWORD } from "./support/office";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
});
test.afterEach(() => office.remove());

test("a view is saved, found by a colleague, and deleted; Excel gets a token", async ({ page, browser }) => {
  office.addUser("tan.wei", "supervisor");
  await page.goto(`${office.url}/office/?collector=wu.min&sort=due`);
  await signIn(page, "lin.yue", PASSWORD);
  await page.getByRole("button", { name: "Save this view" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Min by date");
  await page.getByLabel("Everyone in the office sees it").check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const view = page.getByTestId("saved-view").getByRole("link", { name: "Min by date" });
  await expect(view).toHaveAttribute("aria-current", "page");
  await expectAccessible(page, "a saved view");

  const colleague = await (await browser.newContext()).newPage();
  await colleague.goto(`${office.url}/office/`);
  await signIn(colleague, "tan.wei", PASSWORD);
  // In a narrow window the views are in a menu.
  await colleague.setViewportSize({ width: 768, height: 900 });
  await colleague.getByRole("button", { name: "Saved views" }).click();
  await colleague.getByRole("link", { name: "Min by date" }).click();
  await expect(colleague).toHaveURL(/collector=wu.min&sort=due/);
  await expect(colleague.getByRole("button", { name: "Delete view Min by date" })).toHaveCount(0);

  await page.getByRole("button", { name: "Delete view Min by date" }).click();
  await expect(view).toHaveCount(0);

  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("link", { name: "Excel and Power BI" }).click();
  await page.getByLabel("What is it for?").fill("Monthly report");
  await page.getByRole("button", { name: "Create token" }).click();
  const secret = (await page.getByTestId("report-secret").textContent()) ?? "";
  await expectAccessible(page, "tokens for Excel");
  const address = (await page.getByTestId("odata-address").textContent()) ?? "";
  const read = () =>
    fetch(`${address}/Visits?$top=3`, {
      headers: { Authorization: `Basic ${Buffer.from(`x:${secret.trim()}`).toString("base64")}` },
    });
  const { value } = (await (await read()).json()) as { value: Record<string, unknown>[] };
  expect(value.map((row) => row.case_no)).toHaveLength(3);
  expect(Object.keys(value[0] ?? {})).not.toContain("borrower_name");
  await page.getByRole("button", { name: "Revoke Monthly report" }).click();
  await expect(page.getByTestId("report-token")).toHaveCount(0);
  expect((await read()).status).toBe(401);
});
