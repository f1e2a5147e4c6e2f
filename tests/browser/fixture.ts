/**
 * Keeps a phone of this version with a day's unsent work, and its office: `make fixture`, once for
 * each release. `upgrade.spec.ts` opens it with every later version.
 */
import { expect, test, type Page } from "@playwright/test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import {
  agree,
  atTheDoor,
  choose,
  go,
  inSync,
  logCall,
  openCase,
  saved,
  seal,
  signIn,
  step,
  syncNow,
} from "./support/field";
import { Office } from "./support/office";
import { ADDRESS, browserOf, isKept, keep, lying, manifestOf, openAt, type KeptRecord } from "./support/profile";

const ROOT = resolve(__dirname, "../..");
const VERSION = /^version = "(.+)"/m.exec(readFileSync(join(ROOT, "Cargo.toml"), "utf8"))?.[1] ?? "";
const USER = "chen.jie";
/** Enough to work on, and few enough to be small. */
const CASES = 12;
/** Made after the phone was gone; it meets what the phone has written meanwhile. */
const DESK_NOTE = "the office: ring twice";

let office: Office;
let profile: string;

test.beforeAll(async () => {
  office = new Office();
  office.addPeople();
  const [head = "", ...cases] = readFileSync(join(ROOT, "tests/data/cases.csv"), "utf8").split("\n");
  const own = cases.filter((line) => line.includes(`,${USER},`)).slice(0, CASES);
  const sheet = join(tmpdir(), `doorstep-cases-${process.pid}.csv`);
  writeFileSync(sheet, [head, ...own, ""].join("\n"));
  office.run(["import", "cases", sheet, "--zone", office.zone]);
  rmSync(sheet);
  await office.start();
  profile = mkdtempSync(join(tmpdir(), "doorstep-phone-"));
});
test.afterAll(async () => {
  await office.remove();
  rmSync(profile, { recursive: true, force: true });
});

test(`a phone of version ${VERSION}`, async () => {
  test.setTimeout(300_000);
  expect(isKept(VERSION), `${VERSION} is kept already; what was released is not made anew`).toBe(false);
  const context = await openAt(profile, office);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await page.goto(ADDRESS);
  await signIn(page, USER);
  await inSync(page);
  const past = await leavesACard(page);
  // Some of it the office has.
  const noted = await openCase(page, "NB2026000019");
  await step(page, "Record");
  await page.getByLabel("Notes").fill("synced before the network went");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await syncNow(page);
  await inSync(page);

  await context.setOffline(true);
  const work = [past, await wholeVisit(page), await notesGoOn(page, noted), await contactAlone(page)];
  const desk = await office.api();
  const { heads } = await desk.get<VisitView>(`/api/visits/${noted}`);
  const text = `${DESK_NOTE}\nsynced before the network went`;
  await desk.command(noted, { do: "edit_notes", base: heads, text });
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "offline");

  const { stores, rows, unsent } = await lying(page);
  expect(unsent.changes).toBeGreaterThan(20);
  expect(unsent.attachments).toBe(2);
  const browser = await browserOf(page);
  await context.close();
  await office.stop();
  keep(
    {
      version: VERSION,
      made: new Date().toISOString().slice(0, 10),
      browser,
      stores,
      rows,
      migration: lastMigration(),
      user: USER,
      records: { phone: CASES - 1, office: CASES },
      unsent,
      signatures: 2,
      work,
    },
    profile,
    office,
  );
  process.stdout.write(`${JSON.stringify(manifestOf(VERSION), null, 2)}\n`);
});

/** Number of the office's last migration. */
function lastMigration(): number {
  const names = readdirSync(join(ROOT, "src/office/store/sqlite/migrations"));
  return Math.max(...names.map((name) => Number(/^V(\d+)__/.exec(name)?.[1] ?? 0)));
}

/** Sealed, then reassigned: the phone keeps a summary of it. */
async function leavesACard(page: Page): Promise<KeptRecord> {
  const id = await openCase(page, "NB2026000030");
  await step(page, "Record");
  await choose(page, "Borrower not met", "Not at home");
  await seal(page);
  await inSync(page);
  await (await office.api()).command(id, { do: "assign", collectors: ["he.tao"] });
  await expect(page.getByRole("heading", { name: "This record is no longer on this phone" })).toBeVisible();
  await go(page, "/");
  await inSync(page);
  return {
    id,
    case_no: "NB2026000030",
    shown: { "/past": ["NB2026000030", "Not at home"] },
    office: { stage: "sealed", talk: { disposition: "not_home" } },
  };
}

/** From the call to the seal, with a photo and a signature under the seal. */
async function wholeVisit(page: Page): Promise<KeptRecord> {
  await go(page, "/");
  const id = await openCase(page, "NB2026000002");
  await logCall(page, "Reached", "方便今天见面");
  await step(page, "Appointment");
  const starts_at = await agree(page, office.zone);
  await step(page, "On site");
  await atTheDoor(page);
  await step(page, "Talk");
  await choose(page, "Reason for the delay", "Lost work or income");
  await page.getByLabel("In the borrower's words").fill("工厂停工两个月");
  await choose(page, "Willingness", "Willing and able");
  await page.getByRole("button", { name: "Offer an option" }).click();
  await page.getByLabel("Amount (CNY)").first().fill("5528.98");
  await page.getByLabel("Instalments").fill("3");
  await page.getByLabel("First due date").fill("2026-12-15");
  await page.getByRole("button", { name: "Add option" }).click();
  await page.getByRole("button", { name: "Chosen by the borrower" }).click();
  await page.getByLabel("Amount (CNY)").last().fill("1842.99");
  await page.getByLabel("Payment date").fill("2026-12-15");
  await page.getByRole("button", { name: "Save promise" }).click();
  await step(page, "Record");
  await choose(page, "Borrower met", "Promise to pay");
  await page.getByLabel("Borrower's feedback").fill("talked politely");
  await page.getByLabel("Notes").fill("二楼左手");
  await page.getByLabel("Notes").blur();
  await saved(page);
  await photo(page);
  await choose(page, "Read the record back", "Yes");
  await seal(page);
  await saved(page);
  return {
    id,
    case_no: "NB2026000002",
    shown: {
      [`/visit/${id}/contact`]: ["方便今天见面"],
      [`/visit/${id}/appointment`]: ["after six, ring twice"],
      [`/visit/${id}/talk`]: ["工厂停工两个月", "1,842.99"],
      [`/visit/${id}/record`]: ["talked politely", "二楼左手"],
    },
    office: {
      stage: "sealed",
      notes: "二楼左手",
      feedback: "talked politely",
      contacts: [{ note: "方便今天见面", by: USER }],
      appointment: { status: "agreed", starts_at, borrower_remark: "after six, ring twice" },
      visit: { place_type: "home", person_met: "borrower", visitors: [USER, "he.tao"] },
      talk: {
        overdue_reason: "income_loss",
        overdue_reason_text: "工厂停工两个月",
        willingness: "willing",
        disposition: "ptp",
        options: [{ amount: 552898, instalments: 3, first_due: "2026-12-15" }],
        promise: { amount: 184299, due_date: "2026-12-15" },
      },
      attachments: [{ kind: "photo", media_type: "image/jpeg", by: USER }],
      seal: { by: USER, signatures: [{ by: USER, sound: true, standing: true }] },
    },
  };
}

/** Typed on in a text that the office has, and that the office edits meanwhile. */
async function notesGoOn(page: Page, id: string): Promise<KeptRecord> {
  await go(page, `/visit/${id}/record`);
  const notes = page.getByLabel("Notes");
  await expect(notes).toHaveValue("synced before the network went");
  await notes.press("End");
  await notes.pressSequentially(", and went on without it");
  await notes.blur();
  await page.getByRole("button", { name: "Add signature" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Type the name instead" }).click();
  await dialog.getByLabel("Signer's name").fill("Cui Hui");
  await dialog.getByLabel("Reason for typing the name").fill("the screen is broken");
  await dialog.getByRole("button", { name: "Save signature" }).click();
  await expect(page.getByTestId("attachment")).toHaveCount(1);
  await saved(page);
  return {
    id,
    case_no: "NB2026000019",
    shown: {
      [`/visit/${id}/record`]: [
        "synced before the network went, and went on without it",
        "typed for Cui Hui: the screen is broken",
      ],
    },
    office: {
      notes: `${DESK_NOTE}\nsynced before the network went, and went on without it`,
      attachments: [{ kind: "signature", media_type: "image/png", by: USER }],
    },
  };
}

/** One change in a record that was not touched before. */
async function contactAlone(page: Page): Promise<KeptRecord> {
  await go(page, "/");
  const id = await openCase(page, "NB2026000029");
  await logCall(page, "No answer", "rang out at noon");
  await saved(page);
  return {
    id,
    case_no: "NB2026000029",
    shown: { [`/visit/${id}/contact`]: ["rang out at noon"] },
    office: { contacts: [{ note: "rang out at noon", outcome: "no_answer", by: USER }] },
  };
}

/** A picture of 60 × 40 from the camera. */
async function photo(page: Page): Promise<void> {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(60, 40);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    context.fillStyle = "hsl(160 60% 40%)";
    context.fillRect(0, 0, 60, 40);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer())];
  });
  const file = { name: "door.jpg", mimeType: "image/jpeg", buffer: Buffer.from(bytes) };
  await page.getByLabel("Take a photo").first().setInputFiles(file);
  await expect(page.getByTestId("attachment")).toHaveCount(1);
}
