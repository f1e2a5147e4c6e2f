/** The console's list: queues, keyboard, work on many records, undo, and live changes. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { tooWide } from "./support/looks";
import { Office, PASSWORD } from "./support/office";

let office: Office;

// Many records are written, and pages are looked at in every look.
test.setTimeout(120_000);

test.beforeEach(async () => {
  office = await Office.open();
});
test.afterEach(() => office.remove());

const rows = (page: Page) => page.getByTestId("visit-row");
const row = (page: Page, id: string) => page.locator(`[data-testid=visit-row][data-id="${id}"]`);
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

async function openConsole(page: Page, search = ""): Promise<void> {
  await page.goto(`${office.url}/office/${search}`);
  await signIn(page, "lin.yue", PASSWORD);
  await expect(rows(page).first()).toBeVisible();
}

/** Ids of records, by the office's list. */
async function idsOf(query: string): Promise<string[]> {
  const desk = await office.api();
  const page = await desk.get<{ rows: VisitSummary[] }>(`/api/visits?limit=200&${query}`);
  return page.rows.map(({ id }) => id);
}

test("queues say how much waits, and lead to it", async ({ page }) => {
  const desk = await office.api();
  const [first = "", second = ""] = await idsOf("collector=chen.jie");
  await desk.command(first, { do: "assign", collectors: [] });
  await desk.command(second, { do: "assign", due_by: "2020-01-02" });
  await openConsole(page);
  const queue = (name: string) => page.getByTestId(`queue-${name}`);
  await expect(queue("unassigned")).toHaveAttribute("data-count", "1");
  await queue("unassigned").click();
  await expect(page).toHaveURL(/\?queue=unassigned$/);
  await expect(rows(page)).toHaveCount(1);
  await expect(row(page, first)).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Unassigned");

  await queue("overdue").click();
  await expect(row(page, second)).toBeVisible();
  // Filters are chips, and part of the address.
  await button(page, "Filter").click();
  await page.getByLabel("Collector", { exact: true }).selectOption("wu.min");
  await expect(page).toHaveURL(/queue=overdue&collector=wu.min/);
  await expect(row(page, second)).toBeHidden();
  await page.keyboard.press("Escape");
  await button(page, "Remove wu.min").click();
  await expect(row(page, second)).toBeVisible();
  await page.goBack();
  await page.goForward();
  await expect(row(page, second)).toBeVisible();
  await expectAccessible(page, "a queue");

  // Numbers follow without a reload, also of records that no phone has.
  await desk.command(second, { do: "assign", collectors: [] });
  await expect(queue("unassigned")).toHaveAttribute("data-count", "2", { timeout: 40_000 });
});

test("a search finds two characters of a name as it is typed", async ({ page }) => {
  const desk = await office.api();
  const all = await desk.get<{ rows: VisitSummary[] }>("/api/visits?limit=200");
  const name = all.rows.find((row) => /^\p{Script=Han}{2,3}$/u.test(row.borrower_name))?.borrower_name ?? "";
  await openConsole(page);
  await page.keyboard.press("/");
  await page.keyboard.type(name.slice(0, 2));
  await expect(page).toHaveURL(/q=/);
  await expect(page.getByTestId("list-total")).not.toHaveText("500 records");
  for (const text of await rows(page).allTextContents()) expect(text).toContain(name.slice(0, 2));
});

test("sixty records are assigned to two collectors by keyboard, and the assignment is undone", async ({ page }) => {
  const desk = await office.api();
  for (const id of (await idsOf("collector=chen.jie&sort=case_no")).slice(0, 60)) {
    await desk.command(id, { do: "assign", collectors: [] });
  }
  const ids = await idsOf("unassigned=1");
  expect(ids).toHaveLength(60);
  await openConsole(page, "?queue=unassigned");
  await page.getByTestId("visit-list").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("Control+a");
  await expect(page.getByTestId("selection")).toHaveAttribute("data-count", "60");
  await page.keyboard.press("a");
  const dialog = page.getByRole("dialog", { name: "Assign 60 records" });
  for (const name of ["wu.min", "he.tao"]) await dialog.getByRole("checkbox", { name }).press("Space");
  // The preview is what happens.
  const preview = dialog.getByTestId("bulk-preview");
  const gets = async (name: string): Promise<number> =>
    Number(await preview.locator(`[data-collector="${name}"] td`).nth(1).textContent());
  // Once it knows what each has already.
  await expect(preview).not.toContainText("…");
  expect((await gets("wu.min")) + (await gets("he.tao"))).toBe(60);
  await dialog.getByRole("radio", { name: "By area" }).click();
  expect((await gets("wu.min")) + (await gets("he.tao"))).toBe(60);
  const areas = async (name: string): Promise<string[]> =>
    ((await preview.locator(`[data-collector="${name}"] td`).nth(3).textContent()) ?? "").split(", ");
  const shared = (await areas("wu.min")).filter(Boolean);
  expect(shared.length).toBeGreaterThan(0);
  for (const area of await areas("he.tao")) expect(shared).not.toContain(area);
  const expected = [await gets("wu.min"), await gets("he.tao")];
  await expectAccessible(page, "the dialog");
  // Meanwhile another user reassigns one of them.
  const [taken = ""] = ids;
  await desk.command(taken, { do: "assign", collectors: ["zhao.lei"] });
  await button(page, "Apply to 60 records").press("Enter");

  const status = page.getByTestId("bulk-status");
  await expect(status).toHaveAttribute("data-state", "failed", { timeout: 30_000 });
  await expect(status).toContainText("Changed: 59 of 60");
  await button(page, "Show why").click();
  await expect(page.getByTestId("bulk-failures").getByRole("listitem")).toHaveCount(1);
  await expect(page.getByTestId("bulk-failures")).toContainText("Another user changed the record meanwhile.");
  await page.keyboard.press("Escape");
  const { assignment } = await desk.get<VisitView>(`/api/visits/${taken}`);
  expect(assignment.collectors).toEqual(["zhao.lei"]);
  const of = async (name: string) => (await idsOf(`collector=${name}`)).filter((id) => ids.includes(id)).length;
  const [one, other] = [await of("wu.min"), await of("he.tao")];
  expect(one + other).toBe(59);
  expect(Math.abs(one - (expected[0] ?? 0)) + Math.abs(other - (expected[1] ?? 0))).toBe(1);
  // The supervisor's own name is in the history.
  const history = await desk.get<{ entries: { by: string; path: string }[] }>(`/api/visits/${ids[1]}/history`);
  expect(history.entries.filter(({ path }) => path.startsWith("assignment")).at(-1)?.by).toBe("lin.yue");

  await button(page, "Undo").click();
  await expect(status).toContainText("Undone: 59 of 59", { timeout: 30_000 });
  expect(await idsOf("unassigned=1")).toHaveLength(59);
});

test("a hold is placed on the selected records that have none, and the action is undone", async ({ page }) => {
  const desk = await office.api();
  const [held = ""] = await idsOf("collector=chen.jie&sort=case_no&dir=asc");
  const hold = { flag: "dispute", since: 1, until: null, note: "" };
  await desk.command(held, { do: "raise_hold", ...hold });
  await openConsole(page, "?collector=chen.jie&sort=case_no&dir=asc");
  await page.getByTestId("visit-list").focus();
  await page.keyboard.press("j");
  for (let n = 0; n < 3; n += 1) await page.keyboard.press("Shift+ArrowDown");
  await button(page, "Holds…").click();
  const dialog = page.getByRole("dialog", { name: "Place or lift holds" });
  await expect(button(page, "Apply to 0 records")).toBeDisabled();
  await dialog.getByLabel("Hold type").selectOption("dispute");
  await expect(dialog.getByTestId("bulk-preview")).toContainText("3 records get the hold.");
  await expect(dialog.getByTestId("bulk-preview")).toContainText("1 record has this hold already.");
  await expectAccessible(page, "the dialog of holds");
  await button(page, "Apply to 3 records").click();
  const status = page.getByTestId("bulk-status");
  await expect(status).toContainText("Changed: 3 of 3");
  expect(await idsOf("hold=dispute")).toHaveLength(4);
  await button(page, "Undo").click();
  await expect(status).toContainText("Undone: 3 of 3");
  expect(await idsOf("hold=dispute")).toEqual([held]);
});

test("the table is worked by keyboard and remembers its columns", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openConsole(page, "?sort=case_no");
  const [first = "", second = "", third = ""] = await idsOf("sort=case_no&dir=asc");
  await page.getByTestId("visit-list").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const panel = page.getByTestId("side-panel");
  const { case_no } = await (await office.api()).get<VisitView>(`/api/visits/${first}`);
  await expect(panel).toContainText(case_no);
  await page.keyboard.press("ArrowDown");
  await expect(panel).not.toContainText(case_no);
  await page.keyboard.press("x");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(row(page, second)).toHaveAttribute("aria-selected", "true");
  await expect(row(page, third)).toHaveAttribute("aria-selected", "true");
  await expectAccessible(page, "the panel");
  await page.keyboard.press("Control+c");
  await expect(page.getByText("2 rows copied")).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.split("\r\n")).toHaveLength(3);
  expect(copied.split("\t")[0]).toBe("Case");
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await page.keyboard.press("?");
  await expect(page.getByTestId("shortcuts")).toBeVisible();
  await page.keyboard.press("Escape");

  await button(page, "Columns").click();
  await page.getByRole("checkbox", { name: "Address" }).check();
  const width = async () => (await page.getByRole("columnheader", { name: "Case" }).boundingBox())?.width ?? 0;
  const before = await width();
  await button(page, "Make Case wider").press("Enter");
  await page.keyboard.press("Escape");
  await page.reload();
  await expect(page.getByRole("columnheader", { name: "Address" })).toBeVisible();
  expect(await width()).toBe(before + 16);
  // All rows can be reached, and only those in view are rendered.
  await page.getByTestId("visit-list").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("End");
  await page.keyboard.press("End");
  expect(await rows(page).count()).toBeLessThan(100);
});

test("changes from elsewhere appear without moving a row", async ({ page }) => {
  const desk = await office.api();
  const [first = "", second = "", third = ""] = await idsOf("sort=case_no&dir=asc");
  for (const id of [first, third]) await desk.command(id, { do: "assign", collectors: [] });
  await openConsole(page, "?queue=unassigned&sort=case_no");
  await expect(rows(page)).toHaveCount(2);
  const box = await row(page, third).boundingBox();
  await desk.command(second, { do: "assign", collectors: [] });
  await desk.command(third, { do: "assign", priority: 1 });
  const waiting = page.getByTestId("list-waiting");
  await expect(waiting).toHaveText("1 change · show", { timeout: 40_000 });
  await expect(row(page, third)).toContainText("High priority");
  await expect(rows(page)).toHaveCount(2);
  expect(await row(page, third).boundingBox()).toEqual(box);
  await waiting.click();
  await expect(rows(page)).toHaveCount(3);
});

for (const width of [1280, 768]) {
  test(`the list fits ${width} pixels in every look`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    await openConsole(page);
    for (const [lang, theme] of [
      ["zh-CN", "dark"],
      ["zh-CN", "light"],
      ["en", "dark"],
    ] as const) {
      await page.evaluate(
        ([lang, theme]) => {
          localStorage.setItem("doorstep.lang", lang);
          localStorage.setItem("doorstep.theme", theme);
        },
        [lang, theme] as const,
      );
      await page.reload();
      await expect(rows(page).first()).toBeVisible();
      await expectAccessible(page, `the list (${lang}, ${theme}, ${width})`);
      expect(await tooWide(page)).toEqual([]);
      if (width === 1280) expect(await hiddenBySidewaysScroll(page), "pages that the bar cuts off").toBe(0);
      const top = (await page.getByTestId("visit-list").boundingBox())?.y ?? Infinity;
      expect(top, "the table starts near the top").toBeLessThan(width < 1280 ? 220 : 200);
    }
  });
}

/** Pixels of the links to pages that show only once the bar is scrolled. */
function hiddenBySidewaysScroll(page: Page): Promise<number> {
  const bar = page.getByRole("navigation").first();
  return bar.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
}
