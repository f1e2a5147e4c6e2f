/** What was taken for a record outlives damage at the office, a phone that is shut out, and the record's leaving. */
import { expect, test, type Page } from "@playwright/test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { atRecordStep, kept, MICROPHONE, photo, start } from "./support/attachments";
import { expectAccessible } from "./support/axe";
import { kill, phone } from "./support/browser";
import { go, inSync, inSyncAgain, saved, syncNow, unlock } from "./support/field";
import { Office } from "./support/office";

let office: Office;
let profile: string;

test.beforeEach(async () => {
  profile = mkdtempSync(join(tmpdir(), "doorstep-phone-"));
  office = await Office.open();
});
test.afterEach(async () => {
  await office.remove();
  rmSync(profile, { recursive: true, force: true });
});

const NOTHING = { bytes: 0, thumbs: 0, rows: 0, waiting: 0, recordings: 0, pieces: 0 };

/** Where the office keeps an attachment. */
const fileOf = (sha256: string): string => join(office.folder, "office.sqlite3.blobs", sha256.slice(0, 2), sha256);

interface Line {
  id: number;
  code: string;
  units: string[];
}

/** Attachments that work in quarantine names. */
function named(): string[] {
  const { rows } = JSON.parse(office.run(["quarantine", "list", "--json"])) as { rows: Line[] };
  return rows.flatMap(({ units }) => units.filter((unit) => unit.startsWith("attachments.")));
}

function revoke(): void {
  const { devices } = JSON.parse(office.run(["device", "list", "--json"])) as {
    devices: { id: string; user: string }[];
  };
  const device = devices.find(({ user }) => user === "chen.jie")?.id ?? "";
  office.run(["device", "revoke", device, "--reason", "lost"]);
}

async function takePhoto(page: Page): Promise<void> {
  const file = { name: "p.jpg", mimeType: "image/jpeg", buffer: await photo(page) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
}

/** Begins a recording and leaves the page in its midst. */
async function cutOff(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Record audio" }).click();
  await expect(page.getByRole("button", { name: /Stop recording \(0:0[2-9]\)/ })).toBeVisible({ timeout: 60_000 });
  await go(page, "/");
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
}

test("what the office's disk has damaged goes up again before the phone erases its copy", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  await takePhoto(page);
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "at-office");
  const api = await office.api();
  const attachments = async (): Promise<string[]> =>
    (await api.get<VisitView>(`/api/visits/${id}`)).attachments.map(({ sha256 }) => sha256);
  // The bytes go apart from the records.
  await expect.poll(async () => (await attachments()).length).toBe(1);
  const file = fileOf((await attachments())[0] ?? "");
  const before = readFileSync(file);
  truncateSync(file, 1_000);

  // With the record its attachments are erased here: the last good copy.
  await go(page, "/");
  await api.command(id, { do: "assign", collectors: ["wu.min"] });
  await syncNow(page);
  await expect.poll(() => kept(page)).toEqual(NOTHING);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({ ok: true, blobs: 1, pending: [] });
  await context.close();
});

test("a phone that is shut out is erased only once the office has confirmed every attachment", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  await atRecordStep(page);
  await context.setOffline(true);
  await takePhoto(page);
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "waiting");
  await cutOff(page);
  let status = 500;
  const answered = new Map<number, number>();
  await page.route("**/api/blobs/*", async (route) => {
    if (status === 0) return route.continue();
    answered.set(status, (answered.get(status) ?? 0) + 1);
    const code = { 500: "internal", 401: "signed_out", 507: "too_much" }[status];
    return route.fulfill({ status, contentType: "application/problem+json", body: JSON.stringify({ code }) });
  });
  revoke();
  await context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  for (status of [500, 401, 507]) {
    await expect.poll(() => answered.get(status) ?? 0, { timeout: 60_000 }).toBeGreaterThan(1);
    await expect(page.getByTestId("revoked")).toHaveCount(0);
    expect((await kept(page)).bytes).toBeGreaterThan(0);
  }
  status = 0;
  await expect(page.getByTestId("revoked")).toBeVisible({ timeout: 90_000 });
  expect(await kept(page)).toEqual(NOTHING);
  // The photo, and what was recorded until then.
  const attachments = named();
  expect(attachments).toHaveLength(2);
  for (const unit of attachments) expect(statSync(fileOf(unit.split(".")[1] ?? "")).size).toBeGreaterThan(0);
  await context.close();
});

test("a phone that is locked when it is shut out keeps what is sealed until it is unlocked", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  await atRecordStep(page);
  await context.setOffline(true);
  await takePhoto(page);
  await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "waiting");
  await go(page, "/settings");
  await page.route("**/api/blobs/*", (route) => route.abort());
  // The office's last word is on its way while the phone is locked.
  let locked: () => void = () => undefined;
  const lock = new Promise<void>((done) => (locked = done));
  let came: () => void = () => undefined;
  const reply = new Promise<void>((done) => (came = done));
  await page.route("**/sync", async (route) => {
    const response = await route.fetch();
    came();
    await lock;
    await route.fulfill({ response });
  });
  revoke();
  await context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await reply;
  await page.removeLocatorHandler(page.getByTestId("unlock"));
  await page.getByRole("button", { name: "Lock now" }).click();
  await expect(page.getByTestId("unlock")).toBeVisible();
  locked();
  await expect(page.getByText("Unlock once more")).toBeVisible();
  await expectAccessible(page, "a phone that was shut out while locked");
  await page.screenshot({ path: test.info().outputPath("locked.png") });
  expect(await kept(page)).toMatchObject({ bytes: 1, waiting: 1 });

  await page.unroute("**/sync");
  await page.unroute("**/api/blobs/*");
  await unlock(page);
  await expect(page.getByTestId("revoked")).toBeVisible({ timeout: 60_000 });
  const [unit] = named();
  expect(existsSync(fileOf(unit?.split(".")[1] ?? ""))).toBe(true);
  await context.close();
});

test("an unfinished recording of a withdrawn record is uploaded, and nothing stays on the phone", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  await cutOff(page);
  const api = await office.api();
  await api.command(id, { do: "assign", collectors: ["wu.min"] });
  await syncNow(page);
  await expect.poll(() => kept(page), { timeout: 60_000 }).toEqual(NOTHING);
  await inSync(page);
  await expect.poll(() => named().length).toBe(1);

  // Accepted, it is part of the record, sound and all.
  office.run(["quarantine", "accept", "1"]);
  const { attachments } = await api.get<VisitView>(`/api/visits/${id}`);
  expect(attachments).toMatchObject([{ kind: "audio", by: "chen.jie" }]);
  expect((await api.bytes(`/api/blobs/${attachments[0]?.sha256}`)).length).toBe(attachments[0]?.size);
  // Nothing keeps the person from signing out.
  await page.getByTestId("sync-status").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
  await context.close();
});

test("an unfinished signature survives a kill, until it is saved or cancelled", async () => {
  const context = await phone(profile, MICROPHONE);
  const page = await start(context, office);
  const id = await atRecordStep(page);
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Add signature" }).click();
  await dialog.getByRole("radio", { name: "Collector" }).click();
  const pad = dialog.getByRole("img", { name: "Sign here with your finger" });
  await pad.hover();
  const box = await pad.boundingBox();
  if (!box) throw new Error("no pad");
  await page.mouse.move(box.x + 30, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 120, { steps: 6 });
  await page.mouse.up();
  await saved(page);
  const drawn = await ink(page);
  expect(drawn).toBeGreaterThan(50);
  await kill(context, profile);

  const again = await phone(profile, MICROPHONE);
  const next = await start(again, office);
  await inSyncAgain(next);
  await next.goto(`${office.url}/visit/${id}/record`);
  await expect(next.getByText("An unfinished signature")).toBeVisible();
  await next.getByRole("button", { name: "Add signature" }).click();
  const reopened = next.getByRole("dialog");
  await expect(reopened.getByRole("radio", { name: "Collector" })).toBeChecked();
  // Lines may be a little thicker where they are drawn anew.
  await expect.poll(() => ink(next)).toBeGreaterThan(drawn / 2);
  await reopened.getByRole("button", { name: "Save signature" }).click();
  await expect(next.getByTestId("attachment")).toHaveCount(1);
  await expect(next.getByText("An unfinished signature")).toBeHidden();

  // A typed one, closed by a slip, and then cancelled.
  await next.getByRole("button", { name: "Add signature" }).click();
  await reopened.getByRole("button", { name: "Type the name instead" }).click();
  await reopened.getByLabel("Signer's name").fill("Wang Fang");
  await next.keyboard.press("Escape");
  await expect(next.getByText("An unfinished signature")).toBeVisible();
  await next.getByRole("button", { name: "Add signature" }).click();
  await expect(reopened.getByLabel("Signer's name")).toHaveValue("Wang Fang");
  await reopened.getByRole("button", { name: "Cancel" }).click();
  await expect(next.getByText("An unfinished signature")).toBeHidden();
  await expect(next.getByTestId("attachment")).toHaveCount(1);
  await again.close();
});

/** How many points of the pad are not white. */
function ink(page: Page): Promise<number> {
  return page.getByRole("img", { name: "Sign here with your finger" }).evaluate((paper: HTMLCanvasElement) => {
    const { data = [] } = paper.getContext("2d")?.getImageData(0, 0, paper.width, paper.height) ?? {};
    return [...data].filter((value, at) => at % 4 === 0 && value < 128).length;
  });
}
