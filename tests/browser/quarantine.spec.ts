/** Refused work between phone and console, and a phone that is shut out while in use. */
import { expect, test, type BrowserContext, type Locator, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { abortNextSession } from "./support/disk";
import { choose, inSync, openCase, readyOffline, saved, signIn, step, syncNow } from "./support/field";
import { Office, PASSWORD } from "./support/office";
import { rewear } from "./support/walk";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
  office.addUser("gu.an", "auditor");
});
test.afterEach(() => office.remove());

interface Line {
  id: number;
  code: string;
  state: string;
  units: string[];
}

async function arrive(page: Page, user: string): Promise<void> {
  await page.goto(office.url);
  await signIn(page, user);
  await inSync(page);
}

async function note(page: Page, text: string): Promise<void> {
  await step(page, "Record");
  await page.getByLabel("Notes").fill(text);
  await page.getByLabel("Notes").blur();
  await saved(page);
}

/** The console, signed in. */
async function desk(page: Page, user: string): Promise<void> {
  await page.goto(`${office.url}/office/`);
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Quarantine", exact: true }).click();
}

function lines(): Line[] {
  return (JSON.parse(office.run(["quarantine", "list", "--json"])) as { rows: Line[] }).rows;
}

test("a phone that is revoked with unsent work hands it over and ends on a plain page", async ({
  page,
  context,
  browser,
}) => {
  await arrive(page, "chen.jie");
  await readyOffline(page);
  const id = await openCase(page, "NB2026");
  await context.setOffline(true);
  await note(page, "written before the office revoked this phone");
  const devices = JSON.parse(office.run(["device", "list", "--json"])) as {
    devices: { id: string; user: string }[];
  };
  const device = devices.devices.find(({ user }) => user === "chen.jie")?.id ?? "";
  office.run(["device", "revoke", device, "--reason", "lost"]);

  // The last contact is cut off the first time: nothing is erased without the office's word.
  await page.route("**/sync", (route) => route.abort());
  await context.setOffline(false);
  await syncNow(page);
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-unsent", "1");
  await page.unroute("**/sync");
  // An automatic retry may have removed the button.
  await page
    .getByTestId("sync-status")
    .click({ timeout: 5_000 })
    .then(() => page.getByRole("button", { name: "Sync now" }).click({ timeout: 5_000 }))
    .catch(() => undefined);

  await expect(page.getByTestId("revoked")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("heading", { name: "This phone has been revoked" })).toBeVisible();
  await expect(page.getByText("The office has revoked this phone's access.")).toBeVisible();
  await expectAccessible(page);
  await page.screenshot({ path: test.info().outputPath("ended.png") });
  const left = await page.evaluate(async () => {
    const request = indexedDB.open("doorstep");
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const tables = ["meta", "records", "chunks", "outbox", "damaged"];
    const tx = db.transaction(tables);
    const counts = await Promise.all(
      tables.map((table) => {
        const count = tx.objectStore(table).count();
        return new Promise<number>((done) => (count.onsuccess = () => done(count.result)));
      }),
    );
    db.close();
    return counts.reduce((sum, count) => sum + count, 0);
  });
  expect(left).toBe(0);
  expect(page.url()).not.toContain(id);

  // It stays so after a reload, and its work is at the office.
  await page.reload();
  await expect(page.getByTestId("revoked")).toBeVisible();
  expect(lines().map(({ code, units }) => [code, units])).toEqual([["device_revoked", ["notes"]]]);

  // A supervisor accepts it in the console; an auditor only reads.
  const contexts = [await browser.newContext(), await browser.newContext()] as const;
  const reader = await contexts[0].newPage();
  await desk(reader, "gu.an");
  await reader.getByTestId("quarantine-row").getByRole("link").click();
  await expect(reader.getByText("Only a supervisor can decide.")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Accept…" })).toHaveCount(0);
  await contexts[0].close();

  const console_ = await contexts[1].newPage();
  await desk(console_, "lin.yue");
  await expectAccessible(console_);
  await console_.screenshot({ path: test.info().outputPath("list.png") });
  await console_.getByTestId("quarantine-row").getByRole("link").press("Enter");
  await expect(console_.getByRole("row", { name: /Notes/ })).toContainText("written before the office revoked");
  await expectAccessible(console_);
  await console_.screenshot({ path: test.info().outputPath("item.png") });
  await console_.getByRole("button", { name: "Accept…" }).press("Enter");
  await console_.getByLabel("Reason (optional)").fill("spoke with Chen Jie");
  await console_.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(console_.getByText("Accepted: it is now part of the record.")).toBeVisible();
  await console_.getByRole("link", { name: "Back to quarantine" }).click();
  await expect(console_.getByText("Quarantine is empty")).toBeVisible();
  await contexts[1].close();
  const api = await office.api();
  const { notes } = await api.get<{ notes: string }>(`/api/visits/${id}`);
  expect(notes).toContain("written before the office revoked this phone");
  expect((JSON.parse(office.run(["verify", "--json"])) as { ok: boolean }).ok).toBe(true);

  await page.getByRole("button", { name: "Go to sign-in" }).click();
  await signIn(page, "chen.jie");
  await inSync(page);
});

test("work on a reassigned record is dismissed with a reason, and later accepted", async ({ page, context }) => {
  await arrive(page, "wu.min");
  await readyOffline(page);
  const id = await openCase(page, "NB2026");
  await context.setOffline(true);
  await note(page, "late note");
  const api = await office.api();
  await api.command(id, { do: "assign", collectors: ["he.tao"] });
  await context.setOffline(false);
  await expect(page.getByRole("heading", { name: "This record is no longer on this phone" })).toBeVisible({
    timeout: 60_000,
  });
  await page.goto(office.url);
  await inSync(page);
  await page.close();

  const console_ = await context.newPage();
  await context.clearCookies();
  await console_.setViewportSize({ width: 360, height: 780 });
  await desk(console_, "lin.yue");
  await console_.getByTestId("quarantine-row").getByRole("link").click();
  await console_.getByRole("button", { name: "Dismiss…" }).click();
  await console_.getByRole("button", { name: "Dismiss", exact: true }).click();
  await expect(console_.getByText("Enter a reason.")).toBeVisible();
  await console_.getByLabel("Reason", { exact: true }).fill("not needed");
  await console_.screenshot({ path: test.info().outputPath("dismiss-360.png") });
  await console_.getByRole("button", { name: "Dismiss", exact: true }).click();
  await expect(console_.getByText("not needed")).toBeVisible();
  expect(lines()[0]?.state).toBe("dismissed");

  // The record changes while the item is open.
  await console_.reload();
  await expect(console_.getByRole("button", { name: "Accept…" })).toBeVisible();
  await api.command(id, { do: "assign", instructions: "go by daylight" });
  await console_.getByRole("button", { name: "Accept…" }).click();
  await console_.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(console_.getByText("The record has changed.", { exact: false })).toBeVisible();
  await console_.getByRole("button", { name: "Accept…" }).click();
  await console_.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(console_.getByText("Accepted: it is now part of the record.")).toBeVisible();
  expect(lines()[0]?.state).toBe("accepted");
});

/**
 * Without a network a call is logged and a long text written; meanwhile the office writes one as long. Each is as it may
 * be, and together they are longer than a record takes: the office can't merge this phone's work.
 */
async function tooLongTogether(page: Page, context: BrowserContext): Promise<{ id: string; refused: Locator }> {
  await page.setViewportSize({ width: 360, height: 740 });
  await arrive(page, "chen.jie");
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  await context.setOffline(true);
  await choose(page, "Outcome", "Reached");
  await page.getByLabel("Notes on the contact").fill("will be at home on Friday");
  await page.getByRole("button", { name: "Log contact" }).click();
  await note(page, "门口有狗。".repeat(5_000));
  const api = await office.api();
  const { heads } = await api.get<VisitView>(`/api/visits/${id}`);
  await api.command(id, { do: "edit_notes", base: heads, text: "先打电话。".repeat(5_000) });
  await context.setOffline(false);
  await syncNow(page);
  const refused = page.getByTestId("refused");
  await expect(refused).toBeVisible();
  return { id, refused };
}

test("refused work is compared with the office's version, and is in the record after a supervisor accepts it", async ({
  page,
  context,
  browser,
}) => {
  const { id, refused } = await tooLongTogether(page, context);
  await expect(refused.getByRole("heading", { name: "Not accepted" })).toBeVisible();
  await expect(refused).toContainText("combined with the office's text, it exceeds the maximum length");
  await expect(refused).toContainText("Field: Notes");
  await expect(refused).toContainText("Nothing is lost");
  const notes = refused.locator("[data-unit=notes]");
  await expect(notes.getByRole("group", { name: "You wrote" })).toContainText("门口有狗。");
  await expect(notes.getByRole("group", { name: "The office has" })).toContainText("先打电话。");
  await expect(refused.locator("[data-unit^='contacts.']")).toContainText("will be at home on Friday");
  await expectAccessible(page, "refused work");
  await refused.screenshot({ path: test.info().outputPath("refused-en-light.png") });
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "attention");
  await rewear(page, ["zh-CN", "dark"]);
  await expect(refused.getByRole("heading", { name: "未被接受" })).toBeVisible();
  await expect(refused).toContainText("文字超出记录上限");
  await expectAccessible(page, "refused work in Chinese");
  await refused.screenshot({ path: test.info().outputPath("refused-zh-dark.png") });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(360);
  await rewear(page, ["en", "light"]);

  const desktop = await browser.newContext();
  const console_ = await desktop.newPage();
  await desk(console_, "lin.yue");
  await console_.getByTestId("quarantine-row").getByRole("link").click();
  await expect(console_.getByText("It can't be accepted: Combined with the record's text")).toBeVisible();
  await expect(console_.getByRole("button", { name: "Accept…" })).toBeDisabled();
  await expectAccessible(console_, "a piece that can't be accepted");
  await console_.screenshot({ path: test.info().outputPath("console.png") });
  await console_.getByRole("link", { name: "NB2026000002" }).click();
  await console_.getByLabel("Notes").fill("Call first.");
  await console_.getByRole("button", { name: "Save notes" }).click();
  // Gone once the office has them.
  await expect(console_.getByRole("button", { name: "Discard changes" })).toBeHidden();
  await console_.getByRole("link", { name: "Quarantine", exact: true }).click();
  await console_.getByTestId("quarantine-row").getByRole("link").click();
  await console_.getByRole("button", { name: "Accept…" }).click();
  await console_.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(console_.getByText("Accepted: it is now part of the record.")).toBeVisible();
  await desktop.close();

  // The phone's next contact.
  await syncNow(page);
  await expect(refused).toBeHidden();
  await inSync(page);
  const merged = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(merged.notes).toContain("门口有狗。".repeat(5_000));
  expect(merged.notes).toContain("Call first.");
  expect(merged.contacts.map(({ note, by }) => [note, by])).toEqual([["will be at home on Friday", "chen.jie"]]);
  expect((JSON.parse(office.run(["verify", "--json"])) as { ok: boolean }).ok).toBe(true);
});

test("of work that was set aside the phone says why, and writes again what still holds", async ({ page, context }) => {
  const { id, refused } = await tooLongTogether(page, context);
  office.run(["quarantine", "dismiss", String(lines()[0]?.id), "--reason", "keep the notes short, please"]);
  await syncNow(page);
  await expect(refused).toContainText("A supervisor reviewed this and did not accept it.");
  await expect(refused).toContainText("keep the notes short, please");
  await refused.screenshot({ path: test.info().outputPath("dismissed.png") });

  // Both together are still too long: it is said, and nothing is given up.
  await refused.getByRole("button", { name: "Use the office's version and add 2 again" }).click();
  await expect(refused.getByRole("alert")).toContainText("Notes:");
  await expect(refused.locator("[data-unit=notes]")).toContainText("门口有狗。");
  await refused.getByRole("checkbox", { name: "Add again: Notes" }).uncheck();
  await refused.getByRole("button", { name: "Use the office's version and add 1 again" }).click();
  await expect(refused).toBeHidden();
  await syncNow(page);
  await inSync(page);
  const view = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(view.contacts.map(({ note }) => note)).toEqual(["will be at home on Friday"]);
  expect(view.notes).toBe("先打电话。".repeat(5_000));
  // What was not written again is still kept.
  expect(lines().map(({ state, units }) => [state, units.includes("notes")])).toEqual([["dismissed", true]]);
});

test("a session number that could not be written costs the one try, and nothing that is written after it", async ({
  page,
  context,
}) => {
  const { id, refused } = await tooLongTogether(page, context);
  office.run(["quarantine", "dismiss", String(lines()[0]?.id), "--reason", "keep the notes short, please"]);
  await syncNow(page);
  await refused.getByRole("checkbox", { name: "Add again: Notes" }).uncheck();
  const [store] = page.workers();
  if (!store) throw new Error("no worker");
  await abortNextSession(store);
  await refused.getByRole("button", { name: "Use the office's version and add 1 again" }).click();
  await expect(refused.getByRole("alert")).toContainText("This phone could not save.");
  await page.getByLabel("Borrower's feedback").fill("written after the failed try");
  await page.getByLabel("Borrower's feedback").blur();
  await saved(page);
  // What was written later joins the refused work in quarantine before any of it is given up.
  await syncNow(page);
  await expect.poll(() => lines().length).toBe(2);
  await refused.getByRole("checkbox", { name: "Add again: Notes" }).uncheck();
  await refused.getByRole("button", { name: /Use the office's version and add/ }).click();
  await expect(refused).toBeHidden();
  await inSync(page);
  const view = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(view.contacts.map(({ note }) => note)).toEqual(["will be at home on Friday"]);
});
