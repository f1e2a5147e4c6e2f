/** Another user signs in in the browser of a running workspace (rule R9). */
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { inSync, inSyncAgain, openCase, saved, signIn, step } from "./support/field";
import { Office, PASSWORD } from "./support/office";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
  office.addUser("gu.an", "auditor");
});
test.afterEach(() => office.remove());

/** What the office keeps of refused work. */
function quarantine(): unknown[] {
  return (JSON.parse(office.run(["quarantine", "list", "--json"])) as { rows: unknown[] }).rows;
}

/** Ids of the records on this phone. */
function held(page: Page): Promise<IDBValidKey[]> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const db = await done(indexedDB.open("doorstep"));
    const keys = await done(db.transaction("records").objectStore("records").getAllKeys());
    db.close();
    return keys;
  });
}

async function note(page: Page, text: string): Promise<void> {
  await page.getByLabel("Notes").fill(text);
  await page.getByLabel("Notes").blur();
  await saved(page);
}

/** The console, in another tab of the same browser. */
async function desk(page: Page, user: string): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto(`${office.url}/office/`);
  // It is the browser of a collector, who has no business there.
  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByLabel("User name").fill(user);
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign in" }).click();
  await expect(tab.getByLabel("Password")).toHaveCount(0);
  return tab;
}

for (const [other, role] of [
  ["wu.min", "collector"],
  ["lin.yue", "supervisor"],
] as const) {
  test(`a workspace keeps its work to itself while a ${role} is signed in, and sends it after`, async ({ page }) => {
    await page.goto(office.url);
    await signIn(page, "chen.jie");
    await inSync(page);
    const before = await held(page);
    const id = await openCase(page, "NB2026");
    await step(page, "Record");

    const tab = await desk(page, other);
    // The round after the edit is refused, and the app offers to sign in where it offered to sync.
    await note(page, "written while another user was signed in");
    const status = page.getByTestId("sync-status");
    await expect(status).toHaveAttribute("data-state", "attention");
    await expect(status).toHaveAttribute("data-unsent", "1");
    expect(quarantine()).toEqual([]);

    // The app says what happened and asks for the sign-in; the collector keeps working.
    await status.click();
    const sheet = page.getByRole("dialog");
    await expect(sheet.getByText("Another user signed in in this browser")).toBeVisible();
    await page.screenshot({ path: test.info().outputPath("signed-out.png") });
    await sheet.getByRole("button", { name: "Close" }).click();
    await note(page, "written while another user was signed in, and more");

    // The right user again: nothing came in, nothing was refused, and all of it arrives.
    await status.click();
    await sheet.getByLabel("Password").fill(PASSWORD);
    await sheet.getByRole("button", { name: "Sign in", exact: true }).click();
    await inSync(page);
    expect(quarantine()).toEqual([]);
    const { notes } = await (await office.api("gu.an")).get<VisitView>(`/api/visits/${id}`);
    expect(notes).toBe("written while another user was signed in, and more");
    expect(await held(page)).toEqual(before);

    // The console of the other one is asked to sign in, too: an edit there would be another's.
    if (role === "supervisor") {
      await tab.getByRole("link", { name: "Quarantine", exact: true }).click();
      await expect(tab.getByLabel("Password")).toBeVisible();
    }
  });
}

test("a phone that a restored office does not know shows its proof, and no other user can claim it", async ({
  page,
}) => {
  const backup = join(office.folder, "backup.sqlite3");
  office.run(["backup", backup]);
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  const devices = (): { id: string; user: string }[] =>
    (JSON.parse(office.run(["device", "list", "--json"])) as { devices: { id: string; user: string }[] }).devices;
  const [phone] = devices();
  const id = await openCase(page, "NB2026");
  await step(page, "Record");
  await office.stop();
  await note(page, "written while the office was away");
  office.run(["restore", backup]);
  expect(devices()).toEqual([]);
  await office.start();

  // A colleague names the phone's device, which is in every change that it wrote.
  const claim = await fetch(`${office.url}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "wu.min", password: PASSWORD, device: phone?.id }),
  });
  expect([claim.status, ((await claim.json()) as { code: string }).code]).toEqual([403, "device_unknown"]);

  await inSyncAgain(page);
  expect(devices().map(({ id, user }) => [id, user])).toContainEqual([phone?.id, "chen.jie"]);
  const { notes } = await (await office.api("gu.an")).get<VisitView>(`/api/visits/${id}`);
  expect(notes).toBe("written while the office was away");
  expect(quarantine()).toEqual([]);
});
