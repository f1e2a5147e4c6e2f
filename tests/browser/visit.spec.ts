/** A whole visit on a slow phone over a slow network, with the interruptions of a usual day. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { kill, phone } from "./support/browser";
import {
  agree,
  choose,
  depart,
  inSync,
  inSyncAgain,
  logCall,
  openCase,
  readyOffline,
  saved,
  seal,
  signIn,
  step,
  unlocks,
} from "./support/field";
import { Office } from "./support/office";
import { SlowNetwork } from "./support/slow";

/** `slowdown` is Chromium's CPU throttling: 6 is a low-end phone. */
const PHONES = [
  { name: "a Pixel", width: 412, height: 839, slowdown: 1 },
  { name: "360 px", width: 360, height: 640, slowdown: 6 },
];
type Phone = (typeof PHONES)[number];

let office: Office;
let network: SlowNetwork;
let profile: string;

test.describe.configure({ mode: "parallel" });

test.beforeEach(async () => {
  office = await Office.open();
  network = await SlowNetwork.before(office.url);
  profile = mkdtempSync(join(tmpdir(), "doorstep-phone-"));
});
test.afterEach(async () => {
  network.stop();
  await office.remove();
  rmSync(profile, { recursive: true, force: true });
});

async function wake(context: BrowserContext, { width, height, slowdown }: Phone): Promise<Page> {
  const page = context.pages()[0] ?? (await context.newPage());
  await page.setViewportSize({ width, height });
  const tools = await context.newCDPSession(page);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await unlocks(page);
  return page;
}

for (const kind of PHONES) {
  test(`from the list to the seal and the office's word, on ${kind.name}`, async () => {
    test.setTimeout(400_000);
    let context = await phone(profile);
    let page = await wake(context, kind);
    await page.goto(network.url);
    await signIn(page, "chen.jie");
    await inSync(page);
    await readyOffline(page);
    const id = await openCase(page, "NB2026000002");

    await logCall(page, "Reached", "方便今天见面");
    await step(page, "Appointment");
    await agree(page, office.zone);

    // In the stairwell the network goes.
    await context.setOffline(true);
    await step(page, "On site");
    await depart(page);
    await page.getByRole("button", { name: "Arrive", exact: true }).click();
    await expect(page.getByText(/^Arrived /)).toBeVisible();
    await choose(page, "Place type", "Home");
    await choose(page, "Person met", "Borrower");
    await choose(page, "Showed identification", "Yes");
    await step(page, "Talk");
    await choose(page, "Reason for the delay", "Lost work or income");
    await page.getByLabel("In the borrower's words").fill("工厂停工两个月");
    await choose(page, "Willingness", "Willing and able");
    await step(page, "Record");
    await page.getByLabel("Notes").fill("二楼左手");
    await saved(page);

    // The camera is open in front of the app, and the system takes the app away.
    const picker = page.waitForEvent("filechooser");
    await page.getByText("Take a photo").first().click();
    await picker;
    await kill(context, profile);
    context = await phone(profile);
    await context.setOffline(true);
    page = await wake(context, kind);
    await page.goto(network.url);
    // The page position may not have been on disk yet; typed text is.
    await openCase(page, "NB2026000002");
    await step(page, "Record");
    await expect(page.getByLabel("Notes")).toHaveValue("二楼左手");
    const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const file = { name: "door.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") };
    await page.getByLabel("Take a photo").first().setInputFiles(file);
    await expect(page.getByTestId("attachment")).toHaveCount(1);

    // Put away for a moment, and locked.
    await page.reload();
    await expect(page.getByLabel("Notes")).toHaveValue("二楼左手");
    await choose(page, "Borrower met", "Promise to pay");
    await page.getByLabel("Borrower's feedback").fill("talked politely");
    await page.getByLabel("Borrower's feedback").blur();
    await step(page, "On site");
    await page.getByRole("button", { name: "Leave", exact: true }).click();
    await step(page, "Record");
    await choose(page, "Read the record back", "Yes");
    await seal(page);

    // Back in the street.
    await context.setOffline(false);
    await inSyncAgain(page);
    await expect(page.getByTestId("attachment")).toHaveAttribute("data-state", "at-office", { timeout: 60_000 });
    const desk = await office.api();
    const view = await desk.get<VisitView>(`/api/visits/${id}`);
    expect(view).toMatchObject({
      stage: "sealed",
      notes: "二楼左手",
      feedback: "talked politely",
      visit: { place_type: "home", person_met: "borrower" },
      talk: { overdue_reason: "income_loss", overdue_reason_text: "工厂停工两个月", willingness: "willing" },
    });
    expect(view.contacts.map(({ note }) => note)).toEqual(["方便今天见面"]);
    expect(view.attachments).toHaveLength(1);
    expect(view.seal?.signatures.map(({ by, sound }) => [by, sound])).toEqual([["chen.jie", true]]);
    await desk.command(id, { do: "review", status: "accepted", remark: "clear and complete", at: Date.now() });
    await expect(page.getByText("The office accepted this record")).toBeVisible({ timeout: 60_000 });
    await inSync(page);
    await context.close();
    await office.stop();
    expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({ ok: true });
  });
}
