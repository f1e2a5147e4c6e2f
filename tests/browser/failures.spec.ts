/** Failures on a phone: each has a clear message and loses nothing. */
import { expect, test, type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { inSync, openCase, readyOffline, saved, signIn, step, syncNow } from "./support/field";
import { Office } from "./support/office";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

async function arrive(page: Page, user: string): Promise<void> {
  await page.goto(office.url);
  await signIn(page, user);
  await inSync(page);
}

test("a wrong password and an office role are told in plain words", async ({ page }) => {
  await page.goto(office.url);
  await expectAccessible(page);
  await signIn(page, "chen.jie", "wrong");
  await expect(page.getByRole("alert")).toHaveText("Wrong user name or password.");
  await signIn(page, "lin.yue");
  await expect(page.getByRole("alert")).toContainText("This app is for collectors");
});

test("pages are accessible", async ({ page }) => {
  await arrive(page, "sun.yan");
  await expectAccessible(page);
  await openCase(page, "NB2026");
  for (const name of ["Contact", "Appointment", "On site", "Talk", "Record"]) {
    await step(page, name);
    await expectAccessible(page);
  }
});

test("a session that ended keeps the work and asks to sign in again", async ({ page, context }) => {
  await arrive(page, "wu.min");
  await context.clearCookies();
  await openCase(page, "NB2026");
  await step(page, "Record");
  await page.getByLabel("Notes").fill("written after the session ended");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "attention");
  await page.getByTestId("sync-status").click();
  await expect(page.getByText("Sign in again to send your work.")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByText("Some work on this phone has not been sent yet", { exact: false })).toBeVisible();
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await inSync(page);
});

test("a damaged chunk costs nothing but a round", async ({ page, context }) => {
  await arrive(page, "zhao.lei");
  await readyOffline(page);
  const id = (await page.getByTestId("visit-row").first().getAttribute("data-id")) ?? "";
  await page.evaluate(async (record) => {
    const request = indexedDB.open("doorstep");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const store = db.transaction("chunks", "readwrite").objectStore("chunks");
    const cursor = store.openCursor(IDBKeyRange.bound(`${record}/`, `${record}/\uffff`));
    await new Promise<void>((done) => {
      cursor.onsuccess = () => {
        const row = cursor.result;
        if (!row) return done();
        const bytes = row.value as Uint8Array;
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        row.update(bytes);
        row.continue();
      };
    });
    db.close();
  }, id);
  await context.setOffline(true);
  await page.reload();
  await page.goto(`${office.url}/visit/${id}`);
  await expect(page.getByRole("heading", { name: "This record is damaged on this phone" })).toBeVisible();
  await context.setOffline(false);
  await syncNow(page);
  await expect(page.getByRole("navigation", { name: "Steps" })).toBeVisible();
  await inSync(page);
});

test("Chinese, with every word in place", async ({ page }) => {
  await page.goto(office.url);
  await page.getByText("Language · Appearance").click();
  await page.getByRole("radio", { name: "中文" }).click();
  await expect(page.getByRole("button", { name: "登录" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
});
