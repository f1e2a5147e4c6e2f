/** Safety at the door: an alarm that says whether the office has it, and a check-out that reminds. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary } from "../../www/src/wasm/doorstep";
import { depart, inSync, signIn } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office } from "./support/office";

test.use({ viewport: SMALL_PHONE });

const MINUTE_MS = 60_000;

let office: Office;
let ids: string[];

test.beforeAll(async () => {
  office = await Office.open();
  const desk = await office.api();
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=chen.jie");
  ids = rows.map(({ id }) => id);
});
test.afterAll(() => office.remove());

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const line = (page: Page) => page.getByTestId("safety");

/** A visit is under way, and the office watches. */
async function setOut(page: Page, id: string): Promise<void> {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await page.goto(`${office.url}/visit/${id}/on_site`);
  await depart(page);
  await expect(line(page)).toHaveAttribute("data-confirmed", "true");
  await expect(line(page)).toContainText(/^Check out by .* · the office watches$/);
}

test("an alarm reaches the office, and says so while it does not", async ({ page, context, browser }) => {
  const [id = ""] = ids;
  const console_ = await browser.newPage();
  await console_.goto(`${office.url}/office/`);
  await signIn(console_, "lin.yue");
  await expect(console_.getByTestId("visit-row").first()).toBeVisible();
  await setOut(page, id);

  // A tap by mistake costs nothing.
  await button(page, "Alarm").click();
  await expect(page.getByTestId("alarm")).toHaveAttribute("data-state", "counting");
  await button(page, "Cancel").click();
  await expect(line(page)).toContainText("the office watches");

  await context.setOffline(true);
  await button(page, "Alarm").click();
  await button(page, "Send now").click();
  await expect(page.getByTestId("alarm")).toHaveAttribute("data-state", "raised");
  await expect(page.getByTestId("alarm")).toContainText("the office does NOT have your alarm yet");
  await expect(page.getByRole("link", { name: "Call 112" })).toHaveAttribute("href", "tel:112");
  await page.keyboard.press("Escape");
  await expect(line(page)).toHaveAttribute("data-confirmed", "false");

  // It is sent without another tap, also after the app was closed.
  await context.setOffline(false);
  await page.reload();
  await expect(line(page)).toContainText("The office has your alarm");
  const alert = console_.getByTestId("safety-alert");
  await expect(alert).toHaveAttribute("data-state", "alarm", { timeout: 30_000 });
  await expect(alert).toContainText("Alarm by chen.jie");
  await expect(alert.getByRole("link", { name: "Open record" })).toHaveAttribute("href", `/office/visits/${id}`);
  await alert.getByRole("button", { name: "I take care of it" }).click();
  await expect(line(page)).toContainText("lin.yue has seen your alarm", { timeout: 40_000 });

  await inEveryLook(page, "alarm", "[data-testid=leave-bar]", async () => {
    await page.getByTestId("leave-bar").getByRole("button").first().click();
    await expect(page.getByTestId("alarm")).toBeVisible();
  });
  await button(page, "Leave safely").click();
  await expect(page.getByTestId("leave-bar")).toBeHidden();
  await expect(alert).toBeHidden({ timeout: 30_000 });
  await console_.close();
});

test("a check-out that is due asks on any page, and a missed one is shown to supervisors", async ({ page }) => {
  const [, id = ""] = ids;
  const start = Date.now();
  await page.clock.setFixedTime(start);
  await setOut(page, id);
  // The reminder also lies over the lock page.
  await page.removeLocatorHandler(page.getByTestId("unlock"));
  await page.clock.setFixedTime(start + 61 * MINUTE_MS);
  await page.reload();
  const reminder = page.getByTestId("check-out-reminder");
  await expect(reminder).toBeVisible();
  await expect(reminder).toContainText("supervisors see within five minutes");
  await button(page, "I'm safe: 30 more minutes").click();
  await expect(reminder).toBeHidden();
  await page.clock.setFixedTime(start + 92 * MINUTE_MS);
  await page.goto(office.url);
  await expect(reminder).toBeVisible();
  await inEveryLook(page, "check-out", "[data-testid=check-out-reminder]");
  await button(page, "I have left").click();
  await expect(reminder).toBeHidden();
  const desk = await office.api();
  await expect.poll(() => desk.get<unknown[]>("/api/safety")).toEqual([]);
});
