/** Importing a case list in the console: dropped, mapped, checked, imported, corrected, brought in again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { Office, PASSWORD } from "./support/office";

let office: Office;

test.beforeEach(async () => {
  office = new Office();
  office.addPeople();
  await office.start();
});
test.afterEach(() => office.remove());

test("a list with bad rows is checked, imported, corrected and brought in again", async ({ page }) => {
  const bytes = readFileSync(join(__dirname, "../data/cases_zh.csv"));
  const list = new TextDecoder("gb18030").decode(bytes).replace("案件编号", "内部代码");
  await page.goto(`${office.url}/office/import`);
  await signIn(page, "lin.yue", PASSWORD);
  const data = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "十一月.csv"));
    return transfer;
  }, list);
  await page.getByTestId("import-drop").dispatchEvent("drop", { dataTransfer: data });

  // The office doesn't know this heading yet.
  const check = page.getByRole("button", { name: "Check file" });
  await expect(check).toBeDisabled();
  await page.getByLabel("Field of column 内部代码").selectOption("Case number");
  await expectAccessible(page, "matching columns");
  await check.click();
  const outcome = page.getByTestId("import-outcome");
  await expect(outcome).toHaveAttribute("data-state", "checked");
  await expect(outcome).toContainText("60 created, 0 updated, 0 unchanged, 8 refused");
  await expect(page.getByTestId("import-row")).toHaveCount(8);
  await expectAccessible(page, "a checked import");
  const desk = await office.api();
  const total = async () => (await desk.get<{ total: number }>("/api/visits")).total;
  expect(await total()).toBe(0);

  // The page can be closed: the import is in the list.
  await page.goto(`${office.url}/office/import`);
  await page.getByRole("link", { name: "十一月.csv" }).click();
  await page.getByRole("button", { name: "Import 60 cases" }).click();
  await expect(outcome).toHaveAttribute("data-state", "done");
  expect(await total()).toBe(60);

  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download refused rows" }).click();
  const refused = readFileSync(await (await downloading).path(), "utf8");
  expect(refused.trim().split("\r\n")).toHaveLength(9);
  await page.getByRole("link", { name: "Import another file" }).click();
  const corrected = refused.replaceAll("2026-02-30", "2026-02-28");
  await page
    .getByLabel("File (CSV or XLSX)")
    .setInputFiles({ name: "corrected.csv", mimeType: "text/csv", buffer: Buffer.from(corrected) });
  // The mapping is remembered. A row whose case number stood twice is an update of the first by now.
  await check.click();
  await page.getByRole("button", { name: "Import 2 cases" }).click();
  // The check said the same before anything was written.
  await expect(outcome).toHaveAttribute("data-state", "done");
  await expect(outcome).toContainText("1 created, 1 updated, 0 unchanged, 6 refused");
  expect(await total()).toBe(61);
});
