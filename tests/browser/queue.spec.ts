/** The list as a queue of work: the office's order, groups, badges, and what matters next. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary } from "../../www/src/wasm/doorstep";
import { inSync, signIn, syncNow, unlocks } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office, type Api } from "./support/office";

test.use({ viewport: SMALL_PHONE });

const DAY_MS = 86_400_000;
/** The calendar date on the phone, `days` from today. */
const date = (days: number): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(Date.now() + days * DAY_MS);

let office: Office;
let desk: Api;
let ids: string[];

test.beforeAll(async () => {
  office = new Office();
  office.addPeople();
  office.importCases("cases.csv");
  await office.start("--queue-order", "priority,due,area");
  desk = await office.api();
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=chen.jie");
  ids = rows.map(({ id }) => id);
});
test.afterAll(() => office.remove());

const section = (page: Page, key: string) => page.locator(`[data-section="${key}"]`);
const row = (page: Page, id: string) => page.locator(`[data-testid=visit-row][data-id="${id}"]`);

test("rows are in the office's order, grouped, and say what matters next", async ({ page }) => {
  const [late = "", urgent = "", soon = "", missed = ""] = ids;
  await desk.command(late, { do: "assign", due_by: date(-2), priority: 3 });
  await desk.command(urgent, { do: "assign", due_by: date(-1), priority: 1 });
  await desk.command(soon, { do: "assign", due_by: date(2), priority: 2 });
  await page.goto(office.url);
  await unlocks(page);
  await signIn(page, "chen.jie");
  await inSync(page);

  // The office asked for priority before the date.
  const overdue = section(page, "list/overdue").getByTestId("visit-row");
  await expect(overdue).toHaveCount(2);
  await expect(overdue.nth(0)).toHaveAttribute("data-id", urgent);
  await expect(overdue.nth(1)).toHaveAttribute("data-id", late);
  await expect(row(page, late).locator("[data-badge=overdue]")).toHaveText(/^Due /);
  await expect(row(page, soon)).toContainText("Make first contact");
  await expect(section(page, "list/due").getByTestId("visit-row")).toHaveCount(1);

  // A promise that was not kept is overdue too.
  await page.getByLabel("Search name, case number, address").fill("");
  await row(page, missed).click();
  await page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name: "Talk" }).click();
  await page.getByLabel("Amount (CNY)").last().fill("100");
  await page.getByLabel("Payment date").fill(date(-1));
  await page.getByLabel("Payment method").fill("bank");
  await page.getByRole("button", { name: "Save promise" }).click();
  await expect(page.getByTestId("save-state")).toHaveAttribute("data-state", "saved");
  await page.getByRole("link", { name: "Today" }).click();
  await expect(section(page, "list/overdue").getByTestId("visit-row")).toHaveCount(3);
  await expect(row(page, missed).locator("[data-badge=promise]")).toHaveText(/^Promise missed /);
  await syncNow(page);
  await inSync(page);

  await page.getByRole("button", { name: "By area" }).click();
  const areas = page.locator("[data-section^='area/']");
  await expect(areas.first()).toBeVisible();
  expect(await areas.count()).toBeGreaterThan(3);
  const name = (await areas.first().getAttribute("data-section"))?.replace("area/", "") ?? "?";
  await expect(areas.first().getByTestId("visit-row").first()).toContainText(name);

  await page.getByRole("button", { name: "By work" }).click();
  await expect(section(page, "work/contact")).toContainText("Make first contact");
  // The choice outlives the app.
  await page.reload();
  await expect(section(page, "work/contact")).toBeVisible();
  await page.getByRole("button", { name: "By day" }).click();
  await inEveryLook(page, "today", "[data-testid=visit-row]");
});
