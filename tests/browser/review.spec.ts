/** Review in the console: a reading view of a visit, accepting and returning by key, marks that reach the phone. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { inSync, signIn } from "./support/field";
import { Office } from "./support/office";
import { DEMO, LOOKS, wear } from "./support/walk";

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

/** Sealed records in the order of the queue that the tests go through. */
const QUEUE = "stage=sealed&sort=case_no";

async function sealed(): Promise<VisitSummary[]> {
  const desk = await office.api("lin.yue", DEMO);
  return (await desk.get<{ rows: VisitSummary[] }>(`/api/visits?${QUEUE}`)).rows;
}

async function openDesk(page: Page, path: string): Promise<void> {
  await page.goto(office.url + path);
  await signIn(page, "lin.yue", DEMO);
}

test("a queue is reviewed with the keyboard, and every decision can be undone", async ({ page }) => {
  const rows = await sealed();
  expect(rows.length).toBeGreaterThan(2);
  const [first, second] = rows;
  await openDesk(page, `/office/visits/${first?.id}?${QUEUE}`);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText(first?.borrower_name ?? "");
  await expect(page.getByTestId("queue-position")).toHaveText(`1 of ${rows.length}`);
  await expectAccessible(page, "a sealed record");

  // A key typed into a field is text.
  await page.getByLabel("Remark for the collector").press("a");
  await expect(page.getByLabel("Remark for the collector")).toHaveValue("a");
  await page.getByLabel("Remark for the collector").fill("");
  await heading.click();
  await page.keyboard.press("r");
  await expect(page.getByText("Enter what the collector should do, or mark fields.")).toBeVisible();
  await heading.click();

  await page.keyboard.press("a");
  await expect(page.getByRole("button", { name: "Undo review" })).toBeVisible();
  await expect(page.getByText("Accepted", { exact: true }).first()).toBeVisible();
  await page.keyboard.press("u");
  await expect(page.getByTestId("review-form")).toBeVisible();
  await page.keyboard.press("a");
  await expect(page.getByRole("button", { name: "Undo review" })).toBeVisible();

  // The accepted record keeps its place until the list is loaded again.
  await page.keyboard.press("j");
  await expect(heading).toHaveText(second?.borrower_name ?? "");
  await expect(heading).toBeFocused();
  await page.keyboard.press("k");
  await expect(heading).toHaveText(first?.borrower_name ?? "");
  await page.keyboard.press("n");
  await expect(page).toHaveURL(new RegExp(`${second?.id}\\?${QUEUE}`));
  await page.getByRole("link", { name: "Back to the list" }).click();
  await expect(page).toHaveURL(new RegExp(`/office/\\?${QUEUE}`));
});

test("the phone shows exactly the fields that a return marked", async ({ page, browser }) => {
  const desk = await office.api("lin.yue", DEMO);
  const of = await desk.get<{ rows: VisitSummary[] }>("/api/visits?stage=sealed&collector=chen.jie");
  const id = of.rows[0]?.id ?? "";
  await openDesk(page, `/office/visits/${id}`);
  const timeline = page.getByTestId("timeline");
  await expect(timeline).toContainText("Receipt at the office");
  const form = page.getByTestId("review-form");
  await page.locator('button[data-mark="talk.disposition"]').first().click();
  await expect(form.getByRole("textbox", { name: "Outcome of the visit" })).toBeFocused();
  await page.keyboard.type("Did the borrower agree?");
  await page.locator('button[data-mark="feedback"]').first().click();
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("a");
  await expect(form.getByRole("alert")).toContainText("Fields are marked.");
  await page.keyboard.press("r");
  await expect(form.getByText("Enter what should be corrected.")).toBeVisible();
  await form.getByRole("textbox", { name: "Borrower's feedback" }).fill("In the borrower's own words, please");
  await expectAccessible(page, "a record with marked fields");
  await page.screenshot({ path: test.info().outputPath("marked.png"), fullPage: true });
  await form.getByRole("button", { name: "Return (2)" }).click();
  await expect(page.getByTestId("returned-marks")).toContainText("In the borrower's own words, please");
  const { review } = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(review.marks).toEqual([
    { path: "talk.disposition", note: "Did the borrower agree?" },
    { path: "feedback", note: "In the borrower's own words, please" },
  ]);
  // A phone that knows no marks shows them as lines of the remark.
  expect(review.remark).toContain("Outcome of the visit: Did the borrower agree?");

  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  const phone = await context.newPage();
  await phone.goto(office.url);
  await signIn(phone, "chen.jie", DEMO);
  await inSync(phone);
  await phone.goto(`${office.url}/visit/${id}/talk`);
  const list = phone.getByTestId("returned-marks");
  await expect(list.getByRole("listitem")).toHaveText([
    "Outcome of the visit: Did the borrower agree?",
    "Borrower's feedback: In the borrower's own words, please",
  ]);
  await expect(phone.getByText("Did the borrower agree?")).toHaveCount(1);
  await list.getByRole("link", { name: "Borrower's feedback" }).click();
  const marks = phone.getByTestId("review-mark");
  await expect(marks).toHaveCount(2);
  expect(await marks.evaluateAll((all) => all.map((mark) => mark.getAttribute("data-path")))).toEqual([
    "talk.disposition",
    "feedback",
  ]);
  await expectAccessible(phone, "a returned record");
  await phone.screenshot({ path: test.info().outputPath("returned.png"), fullPage: true });
  await context.close();
});

test("an attachment that is named and has not arrived is a gap", async ({ page }) => {
  const [, , third] = await sealed();
  const desk = await office.api("lin.yue", DEMO);
  const named = { media_type: "image/png", size: 5, taken_at: 1, kind: "receipt", caption: "the transfer" };
  await desk.command(third?.id ?? "", { do: "add_attachment", sha256: "ab".repeat(32), ...named });
  await openDesk(page, `/office/visits/${third?.id}`);
  await expect(page.getByTestId("gaps")).toContainText("Attachment has not arrived: Receipt · the transfer");
  await expect(page.getByTestId("attachment")).toContainText("Not at the office yet");
});

test("sealed records are accepted together, and their acceptance is undone", async ({ page }) => {
  const rows = await sealed();
  await openDesk(page, "/office/?stage=sealed");
  await page.getByTestId("visit-list").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("Control+a");
  await page.getByRole("button", { name: "Accept…" }).click();
  const dialog = page.getByRole("dialog", { name: "Accept records" });
  await expect(dialog.getByTestId("bulk-preview")).toContainText("accepted.");
  await dialog.getByRole("button", { name: /Apply to/ }).click();
  const status = page.getByTestId("bulk-status");
  await expect(status).toHaveAttribute("data-state", "done");
  expect((await sealed()).length).toBeLessThan(rows.length);
  await status.getByRole("button", { name: "Undo" }).click();
  await expect(status).toContainText("Undone");
  await expect(status).toHaveAttribute("data-state", "done");
  expect((await sealed()).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
});

for (const look of LOOKS) {
  test(`a record to review, ${look.join(", ")}`, async ({ browser }) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
    await wear(context, look);
    const page = await context.newPage();
    const [, , third] = await sealed();
    await page.goto(`${office.url}/office/visits/${third?.id}?${QUEUE}`);
    await page.locator("input").first().fill("lin.yue");
    await page.locator("input[type=password]").fill(DEMO);
    await page.locator("button[type=submit]").click();
    await expect(page.getByTestId("timeline")).toBeVisible();
    await expect(page.getByTestId("history").locator("tbody tr").first()).toBeVisible();
    await expectAccessible(page, look.join(", "));
    await page.screenshot({ path: test.info().outputPath("review.png"), fullPage: true });
    await page.setViewportSize({ width: 768, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await context.close();
  });
}
