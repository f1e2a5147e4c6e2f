/** The complaint desk: from the door and by phone, held until decided, answered, decided, exported. */
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { Office } from "./support/office";
import { DEMO, LOOKS, wear } from "./support/walk";

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

async function openDesk(page: Page): Promise<void> {
  await page.goto(`${office.url}/office/complaints`);
  await signIn(page, "lin.yue", DEMO);
  await expect(page.getByRole("heading", { name: "Complaints", level: 1 })).toBeVisible();
}

test("a complaint by phone holds its case until it is answered and decided", async ({ page }) => {
  const desk = await office.api("lin.yue", DEMO);
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?stage=assigned");
  const of = rows.find(({ holds }) => holds.length === 0);
  await openDesk(page);
  await page.getByRole("button", { name: "Enter complaint" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Enter and hold case" }).click();
  await expect(dialog.getByText("This is needed.").first()).toBeVisible();
  await expectAccessible(page, "entering a complaint");
  await dialog.getByLabel("Case number").fill("DM0");
  await dialog.getByLabel("About").selectOption({ label: "Conduct" });
  await dialog.getByLabel("What the borrower said").fill("They called my workplace.");
  await dialog.getByRole("button", { name: "Enter and hold case" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await dialog.getByLabel("Case number").fill(of?.case_no ?? "");
  await dialog.getByRole("button", { name: "Enter and hold case" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /^Complaint \d+$/ })).toBeVisible();
  await expect(page.getByText("CN-16")).toBeVisible();
  await expectAccessible(page, "an undecided complaint");
  await page.screenshot({ path: test.info().outputPath("complaint.png"), fullPage: true });

  // Its hold cannot be lifted before.
  const lift = await desk
    .command(of?.id ?? "", { do: "lift_hold", flag: "complaint" })
    .catch((error: unknown) => error);
  expect(String(lift)).toContain("409");

  await page.getByLabel("Reply to the borrower").fill("We looked into the call.");
  await page.getByRole("button", { name: "Record reply" }).click();
  await expect(page.getByTestId("complaint-events").getByRole("listitem")).toHaveCount(2);
  await page.getByRole("radio", { name: "Decide" }).click();
  await page.getByRole("radio", { name: "Upheld", exact: true }).click();
  await page.getByLabel("Reason").fill("The log shows the call.");
  await page.getByRole("button", { name: "Decide complaint" }).click();
  await expect(page.getByText("The case is held because of the complaint.")).toBeVisible();
  await page.getByRole("button", { name: "Lift hold" }).click();
  await expect(page.getByText("The case is no longer held because of the complaint.")).toBeVisible();
  await page.getByRole("link", { name: "Back to complaints" }).click();
  await page.getByRole("radio", { name: "Decided", exact: true }).click();
  await expect(page.getByTestId("complaint-row").filter({ hasText: of?.case_no ?? "" })).toContainText("Upheld");

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export complaints CSV" }).click();
  const sheet = readFileSync(await (await download).path(), "utf8");
  expect(sheet).toContain(`"${of?.case_no}","phone","conduct"`);
  expect(sheet).not.toContain("workplace");
});

test("a complaint at the door arrives automatically", async ({ page }) => {
  const desk = await office.api("lin.yue", DEMO);
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?stage=contacted");
  const of = rows.find(({ holds }) => holds.length === 0);
  const hold = { flag: "complaint", since: Date.now(), until: null, note: "too late in the evening" };
  await desk.command(of?.id ?? "", { do: "raise_hold", ...hold });
  await expect
    .poll(async () =>
      (await desk.get<{ rows: { case_no: string }[] }>("/api/complaints")).rows.map((row) => row.case_no),
    )
    .toContain(of?.case_no);
  await openDesk(page);
  await page
    .getByTestId("complaint-row")
    .filter({ hasText: of?.case_no ?? "" })
    .getByRole("link")
    .click();
  await expect(page.getByText("too late in the evening").first()).toBeVisible();

  // 15 days to answer, 30 in difficult cases (CN-16).
  await page.getByRole("radio", { name: "Extend", exact: true }).click();
  await page.getByLabel("Reason").fill("The call's recording has to be found.");
  const extend = page.getByRole("button", { name: "Extend deadline" });
  const until = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("New deadline").fill(until(5));
  await extend.click();
  await expect(page.getByText("Choose a day after the present deadline.")).toBeVisible();
  await page.getByLabel("New deadline").fill(until(25));
  await extend.click();
  await expect(page.getByTestId("complaint-events")).toContainText("Deadline extended");
  await expect(page.getByText("First deadline")).toBeVisible();
  await page.getByRole("link", { name: "Back to complaints" }).click();
  await expect(page.getByTestId("complaint-row").filter({ hasText: of?.case_no ?? "" })).toContainText("Extended");
});

for (const look of LOOKS) {
  test(`the desk, ${look.join(", ")}`, async ({ browser }) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
    await wear(context, look);
    const page = await context.newPage();
    await page.goto(`${office.url}/office/complaints`);
    await page.locator("input").first().fill("lin.yue");
    await page.locator("input[type=password]").fill(DEMO);
    await page.locator("button[type=submit]").click();
    await expect(page.getByTestId("complaint-row").first()).toBeVisible();
    await expectAccessible(page, look.join(", "));
    await page.screenshot({ path: test.info().outputPath("complaints.png"), fullPage: true });
    await context.close();
  });
}
