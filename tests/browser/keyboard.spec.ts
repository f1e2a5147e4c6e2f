/**
 * The console with the keyboard alone: import, assignment, a phone's visit, a conflict, review, a complaint, a revoked
 * phone, quarantine and undo. Everything is reached with Tab, arrows and the console's own keys.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type Download, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { inSync, openCase, saved, signIn, step, syncNow } from "./support/field";
import { press, reach, type } from "./support/keyboard";
import { instant, NINGBO, Office, wallClock } from "./support/office";
import { DEMO } from "./support/walk";

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());
test.setTimeout(300_000);

/** One of a group: Tab reaches the group, arrows move in it. */
async function pick(page: Page, name: string): Promise<void> {
  const radio = page.getByRole("radio", { name, exact: true });
  const group = page.getByRole("radiogroup").filter({ has: radio });
  const stop = group.locator('[role=radio][tabindex="0"]');
  await reach(stop);
  for (let at = 0; at < (await group.getByRole("radio").count()); at++) {
    if (await radio.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press("ArrowRight");
  }
  await page.keyboard.press("Space");
  await expect(radio).toHaveAttribute("aria-checked", "true");
}

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const goTo = (page: Page, name: string) =>
  press(page.getByRole("navigation", { name: "Console pages" }).getByRole("link", { name, exact: true }));

/** Chooses a file, checks it and imports it. */
async function bringIn(page: Page, name: string, buffer: Buffer, cases: number): Promise<void> {
  const choosing = page.waitForEvent("filechooser");
  await press(page.getByLabel("File (CSV or XLSX)"));
  await (await choosing).setFiles({ name, mimeType: "text/csv", buffer });
  await press(button(page, "Check file"));
  await press(button(page, `Import ${cases} cases`));
  await expect(page.getByTestId("import-outcome")).toHaveAttribute("data-state", "done");
}

test("a supervisor's day without a mouse", async ({ page, browser }) => {
  const desk = await office.api("admin", DEMO);
  const list = async (query: string) => (await desk.get<{ rows: VisitSummary[] }>(`/api/visits?${query}`)).rows;

  await page.goto(`${office.url}/office/`);
  await type(page.getByLabel("User name"), "admin");
  await type(page.getByLabel("Password"), DEMO);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("visit-row").first()).toBeVisible();

  // A list with eight bad rows; one is corrected and brought in again.
  await goTo(page, "Import");
  await bringIn(page, "cases.csv", readFileSync(join(__dirname, "../data/cases_zh.csv")), 60);
  await expect(page.getByTestId("import-outcome")).toContainText("60 created, 0 updated, 0 unchanged, 8 refused");
  const downloading: Promise<Download> = page.waitForEvent("download");
  await press(page.getByRole("link", { name: "Download refused rows" }));
  const refused = readFileSync(await (await downloading).path(), "utf8");
  await press(page.getByRole("link", { name: "Import another file" }));
  await bringIn(page, "corrected.csv", Buffer.from(refused.replaceAll("2026-02-30", "2026-02-28")), 2);

  // Sixty of them are assigned to two collectors in one action, which is undone.
  await goTo(page, "Visit records");
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("NB202601");
  await expect(page).toHaveURL(/q=NB202601/);
  await expect(page.getByTestId("list-total")).toHaveText("60 records");
  await reach(page.getByTestId("visit-list"));
  await page.keyboard.press("j");
  await page.keyboard.press("Control+a");
  await expect(page.getByTestId("selection")).toHaveAttribute("data-count", "60");
  await page.keyboard.press("a");
  const dialog = page.getByRole("dialog");
  for (const name of ["wu.min", "he.tao"]) await press(dialog.getByRole("checkbox", { name }), "Space");
  await press(button(page, "Apply to 60 records"));
  const status = page.getByTestId("bulk-status");
  await expect(status).toHaveAttribute("data-state", "done", { timeout: 60_000 });
  // Some had these collectors already.
  await press(status.getByRole("button", { name: "Undo" }));
  await expect(status).toContainText(/Undone: (\d+) of \1/, { timeout: 60_000 });

  // A phone works without a network on an appointment that the office changes too.
  const context = await browser.newContext();
  const phone = await context.newPage();
  await phone.goto(office.url);
  await signIn(phone, "chen.jie", DEMO);
  await inSync(phone);
  const of = (await list("stage=contacted&collector=chen.jie")).find(({ holds }) => holds.length === 0);
  const id = await openCase(phone, of?.case_no ?? "");
  await step(phone, "Appointment");
  await phone.getByLabel("Start").fill(wallClock(Date.now(), NINGBO));
  await phone.getByRole("button", { name: "Propose appointment" }).click();
  await expect(phone.getByRole("heading", { name: "Appointment: Proposed" })).toBeVisible();
  await syncNow(phone);
  await inSync(phone);
  await context.setOffline(true);
  await phone.getByLabel("Start").fill("2026-11-24T19:00");
  await phone.getByLabel("Start").blur();
  await saved(phone);
  await desk.command(id, { do: "edit_appointment", starts_at: instant("2026-11-24T17:00", NINGBO) });

  // Its work arrives while the record is open, and the conflict is settled.
  await page.goto(`${office.url}/office/visits/${id}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await context.setOffline(false);
  const conflict = page.getByTestId("conflict");
  await expect(conflict).toHaveCount(1, { timeout: 90_000 });
  await press(conflict.getByRole("button", { name: /Keep 24 Nov 2026, 17:00/ }));
  await expect(conflict).toHaveCount(0);
  expect((await desk.get<VisitView>(`/api/visits/${id}`)).conflicts).toEqual([]);

  // One sealed record is returned with a remark, another one is accepted and the acceptance undone.
  const [first, second] = await list("stage=sealed&sort=case_no");
  await page.goto(`${office.url}/office/visits/${first?.id}?stage=sealed&sort=case_no`);
  await type(page.getByLabel("Remark for the collector"), "Please add the address.");
  await press(page.getByTestId("review-form").getByRole("button", { name: "Return" }));
  await expect(page.getByTestId("review-form")).toHaveCount(0);
  await page.goto(`${office.url}/office/visits/${second?.id}?stage=sealed&sort=case_no`);
  await expect(page.getByTestId("review-form")).toBeVisible();
  await page.keyboard.press("a");
  await expect(button(page, "Undo review")).toBeVisible();
  await page.keyboard.press("u");
  await expect(page.getByTestId("review-form")).toBeVisible();

  // A complaint is entered and decided.
  await goTo(page, "Complaints");
  await press(button(page, "Enter complaint"));
  const free = (await list("stage=assigned")).find(({ holds }) => holds.length === 0);
  await type(dialog.getByLabel("Case number"), free?.case_no ?? "");
  await type(dialog.getByLabel("About"), "Conduct");
  await type(dialog.getByLabel("What the borrower said"), "They called my workplace.");
  await press(dialog.getByRole("button", { name: "Enter and hold case" }));
  await expect(page.getByRole("heading", { level: 1, name: /^Complaint \d+$/ })).toBeVisible();
  await pick(page, "Decide");
  await pick(page, "Upheld");
  await type(page.getByLabel("Reason"), "The log shows the call.");
  await press(button(page, "Decide complaint"));
  await press(button(page, "Lift hold"));
  await expect(page.getByText("The case is no longer held because of the complaint.")).toBeVisible();

  // The phone is revoked with unsent work, which arrives in quarantine and is released.
  await inSync(phone);
  await context.setOffline(true);
  await step(phone, "Record");
  await phone.getByLabel("Notes").fill("written before the phone was revoked");
  await phone.getByLabel("Notes").blur();
  await saved(phone);
  await goTo(page, "People and devices");
  const unsent = page.getByTestId("device-row").filter({ hasText: "chen.jie" });
  await press(unsent.getByRole("button", { name: /Revoke/ }).last());
  await type(dialog.getByRole("textbox", { name: "Reason" }), "lost");
  await press(dialog.getByRole("button", { name: /Revoke/ }));
  await expect(unsent.filter({ hasText: "lost" })).toHaveCount(1);
  const devices = await desk.get<{ id: string; user: string; revoked_at: number | null }[]>("/api/devices");
  for (const { id: other } of devices.filter((device) => device.user === "chen.jie" && device.revoked_at === null))
    office.run(["device", "revoke", other, "--reason", "lost"]);
  await context.setOffline(false);
  await expect(phone.getByTestId("revoked")).toBeVisible({ timeout: 90_000 });
  await goTo(page, "Quarantine");
  await press(
    page
      .getByTestId("quarantine-row")
      .filter({ hasText: of?.case_no ?? "" })
      .getByRole("link"),
  );
  await press(button(page, "Accept…"));
  await press(button(page, "Accept"));
  await expect(page.getByText("Accepted: it is now part of the record.")).toBeVisible();
  expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toContain("written before the phone was revoked");
  await context.close();
});
