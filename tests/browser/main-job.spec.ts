/**
 * The main job, end to end: first sync, days without a network, a kill in the middle, and the
 * office shows it all.
 */
import * as Automerge from "@automerge/automerge";
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { kill, phone } from "./support/browser";
import {
  agree,
  atTheDoor,
  choose,
  inSync,
  inSyncAgain,
  logCall,
  openCase,
  readyOffline,
  saved,
  signIn,
  step,
  syncNow,
  unlocks,
} from "./support/field";
import { instant, Office, PASSWORD, wallClock } from "./support/office";

let office: Office;
let profile: string;

test.beforeEach(async () => {
  office = await Office.open();
  profile = mkdtempSync(join(tmpdir(), "doorstep-phone-"));
});

test.afterEach(async () => {
  await office.remove();
  rmSync(profile, { recursive: true, force: true });
});

async function start(context: BrowserContext): Promise<Page> {
  const page = context.pages()[0] ?? (await context.newPage());
  await unlocks(page);
  await page.goto(office.url);
  return page;
}

test("a visit with no network, a killed browser, and the office shows it all", async () => {
  test.setTimeout(240_000);
  let context = await phone(profile);
  let page = await start(context);
  await signIn(page, "chen.jie");
  await inSync(page);
  const rows = page.getByTestId("visit-row");
  const given = await (await office.api()).get<{ total: number }>("/api/visits?collector=chen.jie");
  const held = given.total;
  expect(held).toBeGreaterThan(50);
  await expect(rows).toHaveCount(held);
  await readyOffline(page);

  // No network: the office is gone and the browser knows it.
  await office.stop();
  await context.setOffline(true);
  await page.reload();
  await expect(rows).toHaveCount(held);
  const id = await openCase(page, "NB2026000002");
  const address = await page.getByRole("region", { name: "Case" }).locator("p").first().innerText();

  await logCall(page, "Reached", "方便明天晚上见面");

  await step(page, "Appointment");
  const starts = await agree(page, office.zone);

  await step(page, "On site");
  await atTheDoor(page);
  await saved(page);

  // The system kills the app without a word; the phone is still off line.
  await kill(context, profile);
  context = await phone(profile);
  await context.setOffline(true);
  page = await start(context);
  await expect(rows.first())
    .toBeHidden({ timeout: 1 })
    .catch(() => undefined);
  await page.goto(`${office.url}/visit/${id}/on_site`);
  await expect(
    page.getByRole("radiogroup", { name: "Verified the borrower's identity" }).getByRole("radio", { name: "Yes" }),
  ).toBeChecked();
  await expect(page.getByText("Location recorded, accurate to 12 m")).toBeVisible();
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", /offline|syncing/);

  await step(page, "Talk");
  await choose(page, "Reason for the delay", "Lost work or income");
  await page.getByLabel("In the borrower's words").fill("工厂停工两个月");
  await choose(page, "Willingness", "Willing and able");
  for (const [amount, instalments] of [
    ["5528.98", "3"],
    ["5528.98", "6"],
  ] as const) {
    await page.getByRole("button", { name: "Offer an option" }).click();
    await page.getByLabel("Amount (CNY)").first().fill(amount);
    await page.getByLabel("Instalments").fill(instalments);
    await page.getByLabel("First due date").fill("2026-12-15");
    await page.getByRole("button", { name: "Add option" }).click();
    await expect(page.getByText(`${instalments} × CN¥`, { exact: false })).toBeVisible();
  }
  await page.getByRole("button", { name: "Chosen by the borrower" }).first().click();

  await step(page, "Record");
  await choose(page, "Borrower met", "Promise to pay");
  await page.getByLabel("Borrower's feedback").fill("talked politely");
  await page.getByLabel("Notes").fill("二楼左手");
  await page.getByLabel("Notes").blur();
  await choose(page, "Read the record back", "Yes");
  await saved(page);
  await kill(context, profile);

  context = await phone(profile);
  await office.start();
  page = await start(context);
  await inSyncAgain(page);
  const desk = await office.api();
  const view = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(view).toMatchObject({
    case_no: "NB2026000002",
    stage: "recorded",
    notes: "二楼左手",
    feedback: "talked politely",
    appointment: {
      status: "agreed",
      place: address,
      borrower_remark: "after six, ring twice",
    },
    visit: {
      place_type: "home",
      person_met: "borrower",
      visitors: ["chen.jie", "he.tao"],
    },
    talk: {
      overdue_reason: "income_loss",
      overdue_reason_text: "工厂停工两个月",
      willingness: "willing",
      disposition: "ptp",
    },
  });
  expect(view.contacts.map((contact) => contact.note)).toEqual(["方便明天晚上见面"]);
  expect(view.appointment.starts_at).toBe(starts);
  expect(view.talk.options.map((option) => [option.amount, option.instalments])).toEqual([
    [552898, 3],
    [552898, 6],
  ]);
  expect(view.checks.map((check) => check.item).sort()).toEqual(["id_shown", "identity_verified", "read_back"]);

  // The office's page shows it, too.
  const console_ = await context.newPage();
  await context.clearCookies();
  await console_.goto(`${office.url}/office/visits/${id}`);
  await console_.getByLabel("User name").fill("lin.yue");
  await console_.getByLabel("Password").fill(PASSWORD);
  await console_.getByRole("button", { name: "Sign in" }).click();
  await expect(console_.getByText("工厂停工两个月").first()).toBeVisible();
  await expect(console_.getByText("talked politely").first()).toBeVisible();
  await context.close();

  // Exported documents load elsewhere, with the values that the office shows.
  const out = join(office.folder, "documents");
  office.run(["export", "visits", "--format", "automerge", "--out", out]);
  const files = readdirSync(out);
  expect(files).toHaveLength(500);
  const file = files.find((name) => name.startsWith("NB2026000002")) ?? "";
  const doc = Automerge.load<Record<string, never>>(readFileSync(join(out, file)));
  const plain = JSON.parse(JSON.stringify(Automerge.toJS(doc))) as Record<string, Record<string, unknown>>;
  expect(Automerge.getHeads(doc).sort()).toEqual(view.heads);
  expect(String(plain.notes)).toBe("二楼左手");
  expect(plain.talk?.overdue_reason_text).toBe("工厂停工两个月");
  expect(plain.case?.overdue).toBe(552898);
  expect(plain.case?.borrower_name).toBe(view.case.borrower_name);
});

test("an appointment changed on both sides is shown on both, and one is picked", async () => {
  const context = await phone(profile);
  const page = await start(context);
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Appointment");
  const starts = Math.floor(Date.now() / 60_000) * 60_000;
  await page.getByLabel("Start").fill(wallClock(starts, office.zone));
  await page.getByRole("button", { name: "Propose appointment" }).click();
  await expect(page.getByRole("heading", { name: "Appointment: Proposed" })).toBeVisible();
  await syncNow(page);
  await inSync(page);
  await readyOffline(page);

  await context.setOffline(true);
  await page.getByLabel("Start").fill("2026-11-24T19:00");
  await page.getByLabel("Start").blur();
  await step(page, "Record");
  await page.getByLabel("Notes").fill("phone");
  await page.getByLabel("Notes").blur();
  await saved(page);
  const desk = await office.api();
  const seen = await desk.get<VisitView>(`/api/visits/${id}`);
  await desk.command(id, {
    do: "edit_appointment",
    starts_at: instant("2026-11-24T17:00", office.zone),
  });
  await desk.command(id, {
    do: "edit_notes",
    base: seen.heads,
    text: "office",
  });

  await context.setOffline(false);
  await syncNow(page);
  const conflict = page.getByTestId("conflict");
  await expect(conflict).toHaveAttribute("data-path", "appointment.starts_at");
  await expect(conflict.getByText("chen.jie", { exact: false })).toBeVisible();
  await expect(conflict.getByText("lin.yue", { exact: false })).toBeVisible();
  await inSync(page);
  const both = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(both.conflicts[0]?.values.map((value) => value.by).sort()).toEqual(["chen.jie", "lin.yue"]);
  expect([...both.notes].sort().join("")).toBe([..."phoneoffice"].sort().join(""));
  await expect(page.getByLabel("Notes")).toHaveValue(both.notes);

  await page.getByRole("button", { name: /Keep 24 Nov 2026, 17:00/ }).click();
  await expect(conflict).toBeHidden();
  await syncNow(page);
  await inSync(page);
  const agreed = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(agreed.conflicts).toEqual([]);
  expect(agreed.appointment.starts_at).toBe(instant("2026-11-24T17:00", office.zone));
  await context.close();
});
