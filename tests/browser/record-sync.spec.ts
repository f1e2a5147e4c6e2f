/** The sync dialog explains each record: what is unsent, since when, why, and what happens next. */
import { expect, test, type Page } from "@playwright/test";
import { inSync, openCase, readyOffline, saved, signIn, step } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office } from "./support/office";

test.use({ viewport: SMALL_PHONE });

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

const about = (page: Page) => page.getByTestId("record-sync");
const openSync = (page: Page): Promise<void> => page.getByTestId("sync-status").click();

test("an unsent record says what, why, since when, and what happens next", async ({ page, context }) => {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  await openSync(page);
  await expect(about(page)).toContainText("The office has everything on this record.");
  await page.keyboard.press("Escape");

  // A worker that starts after a reload may reach the network before the browser cuts it off.
  await office.stop();
  await context.setOffline(true);
  await step(page, "Record");
  await page.getByLabel("Notes").fill("二楼左手");
  await page.getByLabel("Notes").blur();
  await page.getByLabel("Borrower's feedback").fill("talked politely");
  await page.getByLabel("Borrower's feedback").blur();
  await saved(page);
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "offline");
  await openSync(page);
  await expect(about(page)).toContainText(/2 changes on this phone only since /);
  await expect(page.getByTestId("unsent-fields")).toHaveText(/Notes/);
  await expect(page.getByTestId("unsent-fields")).toHaveText(/Borrower's feedback/);
  await expect(about(page)).toContainText("No connection to the office");
  await expect(page.getByTestId("sync-next")).toContainText(
    /Next attempt at .*, or at once when the connection returns\.|Sent automatically as soon as there is a connection\./,
  );
  await page.keyboard.press("Escape");
  await inEveryLook(page, "record-sync", "#step", async () => {
    await openSync(page);
    await expect(about(page)).toBeVisible();
  });

  // The same on the list.
  await page.goto(office.url);
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
  await openSync(page);
  const listed = page.getByRole("dialog").locator(`a[href="/visit/${id}"]`);
  await expect(listed).toContainText(/since .* · No connection to the office · /);
  await page.keyboard.press("Escape");

  // Without a session only the user can help.
  await context.clearCookies();
  await office.start();
  await context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "attention");
  await openSync(page);
  await expect(listed).toContainText("Your session has ended · Sign in again to send it.");
});
