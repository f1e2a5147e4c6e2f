/** Drafts: form contents that are not submitted are never lost (rule D7). */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { kill, phone } from "./support/browser";
import { dump } from "./support/dump";
import { choose, inSync, inSyncAgain, openCase, readyOffline, saved, signIn, step, unlocks } from "./support/field";
import { Office } from "./support/office";

const SAID = "back at seven, ring twice";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

const said = (page: Page) => page.getByLabel("Notes on the contact");
const drafts = (page: Page) => page.getByTestId("drafts");
const row = (page: Page, id: string) => page.locator(`[data-testid=visit-row][data-id="${id}"]`);

async function arrive(page: Page, name: string, query: string): Promise<string> {
  await page.goto(office.url);
  await signIn(page, name);
  await inSync(page);
  const id = await openCase(page, query);
  await step(page, "Contact");
  return id;
}

async function startContact(page: Page): Promise<void> {
  await choose(page, "Channel", "Messaging app");
  await choose(page, "Outcome", "Reached");
  await said(page).fill(SAID);
}

/** The contact form still has its draft. */
async function expectContactDraft(page: Page): Promise<void> {
  await expect(said(page)).toHaveValue(SAID);
  await expect(page.getByRole("radio", { name: "Reached" })).toBeChecked();
  await expect(page.getByRole("radio", { name: "Messaging app" })).toBeChecked();
}

test("a draft survives a change of step, a killed browser and a locked app, and is submitted once", async () => {
  const profile = mkdtempSync(join(tmpdir(), "doorstep-forms-"));
  let context: BrowserContext = await phone(profile);
  let page = context.pages()[0] ?? (await context.newPage());
  const id = await arrive(page, "he.tao", "NB2026");
  await readyOffline(page);
  await startContact(page);
  await expect(
    page.getByText("Draft saved on this phone. It becomes part of the record when you submit it."),
  ).toBeVisible();

  // Left at once, before any pause in typing.
  await step(page, "Talk");
  await expect(drafts(page)).toHaveText("Drafts not submitted:Log a contact");
  await page.getByRole("button", { name: "Offer an option" }).click();
  await page.getByLabel("Instalments").fill("9");
  await expectAccessible(page, "a step with drafts");
  await saved(page);
  await context.setOffline(true);
  await kill(context, profile);

  context = await phone(profile);
  page = context.pages()[0] ?? (await context.newPage());
  await context.setOffline(true);
  await unlocks(page);
  await page.goto(`${office.url}/`);
  await expect(row(page, id)).toContainText("Draft");
  await row(page, id).click();
  await step(page, "Talk");
  await expect(page.getByLabel("Instalments")).toHaveValue("9");
  await drafts(page).getByRole("link", { name: "Log a contact" }).click();
  await expectContactDraft(page);

  // Text typed right before the app locks.
  await said(page).fill(`${SAID}!`);
  await page.getByTestId("sync-status").click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Lock now" }).click();
  await expect(page.getByTestId("save-state")).toHaveCount(0);
  await page.goto(`${office.url}/visit/${id}/contact`);
  await expect(said(page)).toHaveValue(`${SAID}!`);

  await page.getByRole("button", { name: "Log contact" }).click();
  await expect(said(page)).toHaveValue("");
  await expect(page.getByRole("listitem").filter({ hasText: `${SAID}!` })).toHaveCount(1);
  await saved(page);
  await kill(context, profile);

  context = await phone(profile);
  page = context.pages()[0] ?? (await context.newPage());
  await unlocks(page);
  await page.goto(`${office.url}/visit/${id}/contact`);
  await expect(page.getByRole("listitem").filter({ hasText: `${SAID}!` })).toHaveCount(1);
  await expect(said(page)).toHaveValue("");
  await inSyncAgain(page);
  const { contacts } = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(contacts.map(({ note }) => note)).toEqual([`${SAID}!`]);
  await context.close();
  rmSync(profile, { recursive: true, force: true });
});

test("drafts are encrypted on disk", async ({ page }) => {
  await arrive(page, "chen.jie", "NB2026");
  await startContact(page);
  await saved(page);
  for (const { where, bytes } of await dump(page)) {
    expect(bytes.includes(Buffer.from(SAID)), where).toBe(false);
  }
  await page.reload();
  await expectContactDraft(page);
});

test("a tap outside a dialog keeps its draft, and cancelling can be undone", async ({ page }) => {
  await arrive(page, "chen.jie", "NB2026");
  const open = page.getByRole("button", { name: "Place a hold" }).first();
  const why = page.getByRole("dialog").getByLabel("Reason");
  await open.click();
  await why.fill("says that it was paid");
  await page.mouse.click(5, 5);
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(drafts(page)).toContainText("Place a hold");
  await open.click();
  await expect(why).toHaveValue("says that it was paid");
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(why).toHaveValue("");
  await page.keyboard.press("Escape");
  await expect(drafts(page)).toHaveCount(0);

  await step(page, "Record");
  await page.getByRole("button", { name: "Add payment" }).click();
  await page.getByLabel("Reference").fill("slip 77");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByLabel("Reference")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(page.getByLabel("Reference")).toHaveValue("slip 77");
});

test("a text that is too long is reported at once and does not block other drafts", async ({ page }) => {
  await arrive(page, "sun.yan", "NB2026");
  await said(page).fill("x".repeat(300_000));
  await expect(page.getByText("This text is too long to save.", { exact: false })).toBeVisible();
  await expect(page.getByTestId("save-state")).not.toHaveAttribute("data-state", "saved");
  await page.getByRole("button", { name: "Place a hold" }).first().click();
  await page.getByRole("dialog").getByLabel("Reason").fill("says that it was paid");
  await page.keyboard.press("Escape");
  await said(page).fill(SAID);
  await saved(page);
  await page.reload();
  await expect(said(page)).toHaveValue(SAID);
  await expect(drafts(page)).toContainText("Place a hold");
});

test("signing out is refused while there are drafts, and the seal dialog lists them", async ({ page }) => {
  const id = await arrive(page, "wu.min", "NB2026");
  await startContact(page);
  await saved(page);
  await page.getByTestId("sync-status").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByText("You have drafts that are not submitted.", { exact: false })).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await step(page, "Record");
  await page.getByRole("button", { name: "Seal record" }).click();
  await expect(
    page.getByRole("dialog").getByText("will not be part of the sealed record", { exact: false }),
  ).toBeVisible();
  await page.keyboard.press("Escape");
  await drafts(page).getByRole("link", { name: "Log a contact" }).click();
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(said(page)).toHaveValue("");
  await saved(page);
  await page.getByRole("link", { name: "Today" }).click();
  await expect(row(page, id)).not.toContainText("Draft");
  await page.getByTestId("sync-status").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
});
