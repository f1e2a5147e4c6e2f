/** A working day on every engine: in short, and from the call to the seal. */
import type { VisitView } from "../../../www/src/wasm/doorstep";
import {
  addPhoto,
  agree,
  arrive,
  choose,
  firstSignIn,
  inSync,
  inSyncAgain,
  logCall,
  NOTES,
  openCase,
  readyOffline,
  saved,
  step,
  unlock,
  write,
} from "./support/app";
import { expect, test } from "./support/walk";

test("in short: sign in, work without the office, lose the browser, and the office has it all @short", async ({
  office,
  phone,
}) => {
  let page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  await readyOffline(page);

  await office.stop();
  await page.reload();
  await unlock(page);
  const id = await openCase(page, "NB2026000002");
  await logCall(page, "方便今天见面");
  await step(page, "Record");
  await page.type(NOTES, "second floor, ");
  await saved(page);
  await phone.kill();

  page = await phone.start(`${office.url}/visit/${id}/record`);
  await unlock(page);
  await page.waitFor(NOTES, ({ value }) => value === "second floor, ");
  await page.type(NOTES, "left");
  await page.blur();
  await saved(page);
  await office.start();
  await inSyncAgain(page);
  const view = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(view).toMatchObject({ case_no: "NB2026000002", notes: "second floor, left" });
  expect(view.contacts.map(({ note }) => note)).toEqual(["方便今天见面"]);
});

test("a visit from the call to the seal", async ({ office, phone }) => {
  const page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  await logCall(page, "方便今天见面");
  await step(page, "Appointment");
  await agree(page, office);

  // In the stairwell the network goes.
  await office.stop();
  await step(page, "On site");
  await arrive(page);
  await saved(page);
  await page.reload();
  await unlock(page);
  await page.waitFor({ text: "Location recorded, accurate to 12 m" });
  await step(page, "Talk");
  await choose(page, "Reason for the delay", "Lost work or income");
  await page.fill({ label: "In the borrower's words" }, "工厂停工两个月");
  await choose(page, "Willingness", "Willing and able");
  await step(page, "Record");
  await addPhoto(page);
  await page.waitFor({ testId: "attachment" }, ({ state }) => state === "waiting");
  await choose(page, "Borrower met", "Promise to pay");
  await write(page, "Borrower's feedback", "talked politely");
  await write(page, "Notes", "二楼左手");
  await step(page, "On site");
  await page.click({ role: "button", name: "Leave", exact: true });
  await step(page, "Record");
  await choose(page, "Read the record back", "Yes");
  await page.click({ role: "button", name: "Seal record" });
  await page.click({ role: "button", name: "Seal now" });
  await page.waitFor({ testId: "signature" }, ({ count }) => count === 1);

  await office.start();
  await inSync(page);
  await page.waitFor({ testId: "attachment" }, ({ state }) => state === "at-office");
  const view = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(view).toMatchObject({
    stage: "sealed",
    notes: "二楼左手",
    feedback: "talked politely",
    visit: { place_type: "home", person_met: "borrower", visitors: ["chen.jie", "he.tao"] },
    talk: { overdue_reason: "income_loss", overdue_reason_text: "工厂停工两个月", willingness: "willing" },
  });
  expect(view.attachments).toHaveLength(1);
  expect(view.seal?.signatures.map(({ by, sound }) => [by, sound])).toEqual([["chen.jie", true]]);
  await office.stop();
  expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({ ok: true });
});
