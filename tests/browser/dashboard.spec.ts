/** The dashboard of the console: figures of a period and a team, each with the list of what it counts. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { tooWide } from "./support/looks";
import { Office } from "./support/office";
import { enter, wear } from "./support/walk";

const DEMO = "doorstep-demo";

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

async function open(page: Page, path = "/office/dashboard"): Promise<void> {
  await page.goto(office.url + path);
  await signIn(page, "lin.yue", DEMO);
  await expect(page.getByTestId("dashboard")).toBeVisible();
}

/** The number of a figure, and the number of records in the list that it links to. */
async function followed(page: Page, link: ReturnType<Page["locator"]>): Promise<[number, number]> {
  await expect(page.getByTestId("dashboard")).toHaveAttribute("aria-busy", "false");
  const figure = Number(await link.innerText());
  await link.click();
  await expect(page.getByRole("list", { name: "Filters from the dashboard" })).toBeVisible();
  await expect(page.getByTestId("visit-row")).toHaveCount(Math.min(figure, 50));
  const shown = await page.getByTestId("visit-row").count();
  await page.goBack();
  return [figure, shown];
}

test("figures are those that a script of its own computes from the exported lines", async () => {
  const file = (name: string, content: Uint8Array): string => {
    const path = join(office.folder, name);
    writeFileSync(path, content);
    return path;
  };
  const desk = await office.api("lin.yue", DEMO);
  const lines = file("visits.jsonl", await desk.bytes("/api/export?format=jsonl"));
  const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const script = join(__dirname, "../../www/scripts/figures.mjs");
  for (const [from, to] of [
    [day(-30), day(30)],
    [day(-3), day(0)],
  ] as const) {
    for (const team of ["", "chen.jie,wu.min"]) {
      const query = `from=${from}&to=${to}&zone=Asia/Shanghai&collector=${team}`;
      const report = file("report.json", await desk.bytes(`/api/report?${query}`));
      const said = execFileSync("node", [script, lines, report, from, to, "Asia/Shanghai", team], { encoding: "utf8" });
      expect(said).toContain("12 figures");
      expect(said).toContain("0 differ");
    }
  }
});

test("figures are reached from the navigation and lead to the records that they count", async ({ page }) => {
  await page.goto(`${office.url}/office/`);
  await signIn(page, "lin.yue", DEMO);
  await page.getByRole("navigation", { name: "Console pages" }).getByRole("link", { name: "Dashboard" }).click();
  await expect(page.getByRole("heading", { name: "Dashboard", level: 1 })).toBeVisible();
  await page.getByLabel("Period", { exact: true }).selectOption({ label: "Last 30 days" });
  await expect(page).toHaveURL(/from=.*to=/);
  const visited = page.getByTestId("key-visited").getByRole("link").first();
  const [visits, listed] = await followed(page, visited);
  expect(visits).toBeGreaterThan(10);
  expect(listed).toBe(visits);
  for (const table of ["outcomes", "reasons", "dpd"]) {
    const [figure, records] = await followed(page, page.getByTestId(table).getByRole("link").first());
    expect(records, table).toBe(figure);
  }
  const failed = page.getByTestId("conduct").getByRole("link").first();
  const [broken, withIt] = await followed(page, failed);
  expect(withIt).toBe(broken);

  // A team has fewer; the address keeps it.
  const all = visits;
  await page.getByRole("button", { name: "陈洁" }).click();
  await expect(page).toHaveURL(/collector=chen\.jie/);
  await expect.poll(async () => Number(await visited.innerText())).toBeLessThan(all);
  await expect(page.getByTestId("load").locator("tbody tr")).toHaveCount(1);
  await page.reload();
  await expect(page.getByRole("button", { name: "陈洁" })).toHaveAttribute("aria-pressed", "true");
});

test("a filter from the dashboard is named above the list and can be removed", async ({ page }) => {
  await open(page);
  await page.getByLabel("Period", { exact: true }).selectOption({ label: "Last 30 days" });
  await page.getByTestId("outcomes").getByRole("link").first().click();
  const filters = page.getByRole("list", { name: "Filters from the dashboard" });
  await expect(filters.getByRole("listitem")).toHaveCount(2);
  await filters.getByRole("button", { name: /Outcome/ }).click();
  await expect(filters.getByRole("listitem")).toHaveCount(1);
  await expect(page).not.toHaveURL(/outcome=/);
  await expectAccessible(page, "the list with filters from the dashboard");
});

test("on paper there are the figures and their definitions, without controls", async ({ page }) => {
  await open(page);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("navigation")).toBeHidden();
  await expect(page.getByRole("search")).toBeHidden();
  await expect(page.getByTestId("key-planned")).toBeVisible();
  await expect(page.getByText("In order of names.", { exact: false })).toBeVisible();
});

for (const look of [
  ["en", "light"],
  ["zh-CN", "dark"],
] as const) {
  test(`the dashboard is accessible and fits, ${look.join(", ")}`, async ({ browser }) => {
    for (const width of [1280, 768]) {
      const context = await browser.newContext({ viewport: { width, height: 900 } });
      await wear(context, look);
      const page = await context.newPage();
      await page.goto(`${office.url}/office/dashboard`);
      await enter(page, "lin.yue");
      await expect(page.getByTestId("load").getByRole("link").first()).toBeVisible();
      await expectAccessible(page, `dashboard at ${width}`);
      expect(await tooWide(page), `dashboard at ${width}`).toEqual([]);
      if (process.env["PICTURES"])
        await page.screenshot({ path: `${process.env["PICTURES"]}/dashboard-${look[0]}-${width}.png`, fullPage: true });
      await context.close();
    }
  });
}
