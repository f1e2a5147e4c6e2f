/**
 * A phone of every released version, with unsent work, opened by this one over the office's database
 * of the same day: nothing is lost on the phone, on the way, or at the office.
 */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { go, inSync, inSyncAgain, unlock } from "./support/field";
import { PASSWORD, type Office } from "./support/office";
import { ADDRESS, browserOf, kept, KeptPhone, lying, type KeptRecord, type Manifest } from "./support/profile";

const VERSIONS = kept();

let phone: KeptPhone;
let context: BrowserContext;

test.afterEach(async () => {
  await context.close();
  await phone.remove();
});

test.beforeAll(() => expect(VERSIONS.length, "phones are kept").toBeGreaterThan(0));

for (const version of VERSIONS) {
  test(`a phone of ${version} keeps its work`, async () => {
    const page = await unlocked(version);
    const { manifest, office } = phone;
    await expect(page.getByTestId("visit-row")).toHaveCount(manifest.records.phone);
    await everyRecordOpens(page);
    for (const record of manifest.work) await everythingIsThere(page, record);
    await context.setOffline(false);
    await go(page, "/");
    // The session may have ended since: some days after the phone was kept it has.
    await inSyncAgain(page);
    await everythingCame(page, office, manifest);
  });

  test(`a phone of ${version} whose session has ended keeps its work until its user signs in again`, async () => {
    const page = await unlocked(version);
    const { manifest, office } = phone;
    await context.clearCookies();
    await context.setOffline(false);
    await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "attention");
    await expect(page.getByTestId("sync-status")).toHaveAttribute("data-unsent", String(manifest.unsent.changes));
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await inSync(page);
    await everythingCame(page, office, manifest);
  });
}

/** The app of this version over what was kept, unlocked before the office can be reached. */
async function unlocked(version: string): Promise<Page> {
  phone = new KeptPhone(version);
  const { manifest, office } = phone;
  await office.start();
  context = await phone.open();
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await page.goto(ADDRESS);
  const found = `${await browserOf(page)} finds what ${manifest.browser} left`;
  await expect(page.getByTestId("unlock"), found).toBeVisible();
  const { changes, attachments } = manifest.unsent;
  await expect(
    page.getByText(`${changes + attachments} changes on this phone are not sent yet`, { exact: false }),
  ).toBeVisible();
  expect((await lying(page)).unsent).toEqual(manifest.unsent);
  await context.setOffline(true);
  await unlock(page);
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-unsent", String(changes));
  return page;
}

/** Also untouched records: no page may report a damaged record. */
async function everyRecordOpens(page: Page): Promise<void> {
  const rows = await page.getByTestId("visit-row").all();
  const ids = await Promise.all(rows.map((row) => row.getAttribute("data-id")));
  for (const id of ids) {
    await go(page, `/visit/${id}/contact`);
    await expect(page.getByRole("navigation", { name: "Steps" })).toBeVisible();
    await go(page, "/");
    await expect(page.getByTestId("visit-row")).toHaveCount(ids.length);
  }
}

/** Nothing of it is at the office: the phone itself has it. */
async function everythingIsThere(page: Page, record: KeptRecord): Promise<void> {
  for (const [path, texts] of Object.entries(record.shown)) {
    await go(page, path);
    for (const text of texts) {
      await expect.poll(() => shown(page), { message: `${record.case_no} ${path}` }).toContain(text);
    }
  }
  const { attachments = [] } = record.office as Partial<VisitView>;
  if (attachments.length === 0) return;
  await go(page, `/visit/${record.id}/record`);
  await expect(page.getByTestId("attachment")).toHaveCount(attachments.length);
  for (const attachment of await page.getByTestId("attachment").all()) {
    await expect(attachment).toHaveAttribute("data-state", "waiting");
    await attachment.getByRole("button", { name: /^Open: / }).click();
    const picture = page.getByRole("dialog").getByRole("img");
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Close" }).click();
  }
}

/** The text of a page, including the values of its fields. */
function shown(page: Page): Promise<string> {
  return page.evaluate(() => {
    const fields = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")];
    return [document.body.innerText, ...fields.map(({ value }) => value)].join("\n");
  });
}

/** The office has every value and every byte, and is sound. */
async function everythingCame(page: Page, office: Office, manifest: Manifest): Promise<void> {
  // Bytes of attachments go their own way.
  await expect.poll(async () => (await lying(page)).unsent).toEqual({ changes: 0, attachments: 0 });
  await inSync(page);
  const desk = await office.api();
  for (const record of manifest.work) {
    const view = await desk.get<VisitView>(`/api/visits/${record.id}`);
    expect(view).toMatchObject({ case_no: record.case_no, conflicts: [], ...record.office });
    for (const { sha256, size } of view.attachments) {
      expect((await desk.bytes(`/api/blobs/${sha256}`)).length).toBe(size);
    }
  }
  await context.close();
  await office.stop();
  expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({
    ok: true,
    records: manifest.records.office,
    blobs: manifest.unsent.attachments,
    signatures: manifest.signatures,
    pending: [],
    problems: [],
  });
}
