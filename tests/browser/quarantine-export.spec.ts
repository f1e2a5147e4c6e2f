/** An administrator takes decided work out of the office: first a file, then the deletion. */
import { expect, test } from "@playwright/test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expectAccessible } from "./support/axe";
import { inSync, openCase, readyOffline, saved, signIn, step } from "./support/field";
import { Office, PASSWORD } from "./support/office";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
  office.addUser("admin", "admin");
});
test.afterEach(() => office.remove());

test("decided work is downloaded, deleted, recorded and restored", async ({ page, context, browser }) => {
  await page.goto(office.url);
  await signIn(page, "wu.min");
  await inSync(page);
  await readyOffline(page);
  const id = await openCase(page, "NB2026");
  await context.setOffline(true);
  await step(page, "Record");
  await page.getByLabel("Notes").fill("a late note");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await (await office.api()).command(id, { do: "assign", collectors: ["he.tao"] });
  await context.setOffline(false);
  await expect(page.getByRole("heading", { name: "This record is no longer on this phone" })).toBeVisible({
    timeout: 60_000,
  });
  office.run(["quarantine", "dismiss", "1", "--reason", "not needed"]);

  const desktop = await browser.newContext();
  const console_ = await desktop.newPage();
  await console_.goto(`${office.url}/office/`);
  await console_.getByLabel("User name").fill("admin");
  await console_.getByLabel("Password").fill(PASSWORD);
  await console_.getByRole("button", { name: "Sign in" }).click();
  await console_.getByRole("link", { name: "Quarantine", exact: true }).click();
  await expect(console_.getByTestId("quarantine-alarm")).toHaveCount(0);
  await console_.getByRole("button", { name: "Export and delete…" }).click();
  const download = console_.waitForEvent("download");
  await console_.getByRole("button", { name: "Download file" }).click();
  const file = join(office.folder, "export.jsonl");
  await (await download).saveAs(file);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  const remove = console_.getByRole("button", { name: "Delete from the office" });
  await expect(remove).toBeDisabled();
  await expectAccessible(console_, "an export");
  await console_.screenshot({ path: test.info().outputPath("export.png") });
  await console_.getByRole("checkbox", { name: "The file is stored safely" }).check();
  await remove.click();
  await expect(console_.getByTestId("quarantine-export")).toContainText("items: 1");
  await expect(console_.getByRole("button", { name: "Export and delete…" })).toBeDisabled();

  await console_.goto(`${office.url}/office/quarantine/1`);
  await expect(console_.getByText("The data is in export 1.", { exact: false })).toBeVisible();
  await expect(console_.getByRole("button", { name: "Accept…" })).toBeDisabled();
  await console_.screenshot({ path: test.info().outputPath("exported.png") });
  expect((JSON.parse(office.run(["verify", "--json"])) as { ok: boolean }).ok).toBe(true);

  office.run(["quarantine", "restore", file]);
  await console_.reload();
  await expect(console_.getByRole("row", { name: /Notes/ })).toContainText("a late note");
  await expect(console_.getByRole("button", { name: "Accept…" })).toBeEnabled();
  await desktop.close();
});

test("the first page says that the quarantine fills up", async ({ page }) => {
  await page.route("**/api/quarantine/usage", async (route) => {
    const answer = await route.fetch();
    const usage = (await answer.json()) as Record<string, unknown>;
    const bytes = 1024 * 1024 * 1024;
    await route.fulfill({ json: { ...usage, fullness: "full", open: { pieces: 9, bytes } } });
  });
  await page.goto(`${office.url}/office/`);
  await page.getByLabel("User name").fill("lin.yue");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByTestId("quarantine-alarm")).toContainText("Quarantine is full");
  await expectAccessible(page, "a full quarantine");
  await page.screenshot({ path: test.info().outputPath("full.png") });
  await page.getByRole("link", { name: "Open quarantine" }).click();
  await expect(page.getByRole("heading", { name: "Quarantine" })).toBeVisible();
  await expect(page.getByTestId("quarantine-alarm")).toBeVisible();
});
