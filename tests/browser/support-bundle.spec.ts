/** The support bundle has nothing of a person, whatever is in the records. */
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { choose, inSync, openCase, saved, signIn, step } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office } from "./support/office";

test.use({ viewport: SMALL_PHONE });

// Four looks, each with a reload.
test.slow();

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

/** Each is in one field; none of them may be in the bundle. */
const MARKERS = {
  name: "Markername",
  phone: "19099887766",
  address: "Markerstreet",
  product: "markerproduct",
  office: "markerofficenote",
  instructions: "markerinstruction",
  contact: "markercontact",
  notes: "markernotes",
  feedback: "markerfeedback",
  draft: "markerdraft",
  channel: "markerchannel",
  remark: "markerremark",
  reason: "markerreason",
};

test("no name, number, address or text of any record is in what the user shares", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const desk = await office.api();
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000002");
  await desk.command(id, {
    do: "update_case",
    borrower_name: MARKERS.name,
    phones: [MARKERS.phone],
    address: MARKERS.address,
    product: MARKERS.product,
    note: MARKERS.office,
  });
  await desk.command(id, { do: "assign", instructions: MARKERS.instructions });
  await inSync(page);

  // Unsent work in every kind of text, and a draft.
  await context.setOffline(true);
  await step(page, "Contact");
  await choose(page, "Outcome", "No answer");
  await page.getByLabel("Notes on the contact").fill(MARKERS.contact);
  await page.getByRole("button", { name: "Log contact" }).click();
  await step(page, "Appointment");
  await page.getByLabel("Borrower's preferences").fill(MARKERS.remark);
  await step(page, "Talk");
  await page.getByLabel("In the borrower's words").fill(MARKERS.reason);
  await step(page, "Record");
  await page.getByLabel("Notes").fill(MARKERS.notes);
  await page.getByLabel("Borrower's feedback").fill(MARKERS.feedback);
  await page.getByRole("button", { name: "Add payment" }).click();
  await page.getByLabel("Payment method").fill(MARKERS.channel);
  await page.getByLabel("Reference").fill(MARKERS.draft);
  await saved(page);

  await page.goto(`${office.url}/settings`);
  await page.getByRole("button", { name: "Show diagnostics" }).click();
  const shown = await page.getByTestId("diagnostics").innerText();
  const bundle = JSON.parse(shown) as { unsent: object[]; sync_events: object[] };
  expect(bundle.unsent).toHaveLength(1);
  expect(bundle.unsent[0]).toMatchObject({ draft: true, problem: null });
  expect(bundle.sync_events.length).toBeGreaterThan(0);
  // What is copied and downloaded is what was shown.
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  const saved_ = readFileSync(await download.path(), "utf8");
  expect(JSON.parse(saved_)).toEqual(bundle);
  for (const text of [shown, copied, saved_]) {
    const lower = text.toLowerCase();
    for (const marker of Object.values(MARKERS)) expect(lower).not.toContain(marker.toLowerCase());
    for (const word of [id, "NB2026", "chen.jie"]) expect(text).not.toContain(word);
  }
  await inEveryLook(page, "support-bundle", "h1", async () => {
    await page
      .locator("section", { has: page.locator("pre, button.btn-quiet") })
      .last()
      .scrollIntoViewIfNeeded();
  });
});
