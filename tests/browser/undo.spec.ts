/** Undo: the first choice in a field, an appointment, a departure, and "Leave safely". */
import { expect, test, type Page } from "@playwright/test";
import { choose, depart, inSync, openCase, saved, signIn, step, syncNow } from "./support/field";
import { Office } from "./support/office";
import type { VisitView } from "../../www/src/wasm/doorstep";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

const undo = (page: Page) => page.getByRole("button", { name: "Undo", exact: true }).click();
const group = (page: Page, name: string) => page.getByRole("radiogroup", { name });

test("first entries can be undone at once and later, on the phone and at the office", async ({ page, context }) => {
  await context.grantPermissions(["geolocation"]);
  await context.setGeolocation({ latitude: 29.8683, longitude: 121.544, accuracy: 12 });
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026");

  await step(page, "Contact");
  await choose(page, "Outcome", "Reached");
  await page.getByRole("button", { name: "Log contact" }).click();
  await page.getByRole("button", { name: "Agreed to now: prepare the visit" }).click();
  await expect(page.getByTestId("conduct-before")).toBeVisible();
  await undo(page);
  await step(page, "Appointment");
  await page.getByLabel("Start").fill("2026-11-26T18:30");
  await page.getByRole("button", { name: "Propose appointment" }).click();
  await undo(page);
  await expect(page.getByRole("button", { name: "Propose appointment" })).toBeVisible();

  await step(page, "On site");
  await depart(page);
  await undo(page);
  await page.getByRole("button", { name: "Depart" }).click();
  await page.getByRole("button", { name: "Arrive", exact: true }).click();
  await expect(page.getByText("Location recorded", { exact: false })).toBeVisible();
  await undo(page);
  await expect(page.getByRole("button", { name: "Arrive", exact: true })).toBeVisible();
  await choose(page, "Place type", "Home");
  await undo(page);
  await expect(group(page, "Place type").getByRole("radio", { checked: true })).toHaveCount(0);

  await page.getByRole("button", { name: "Leave safely" }).click();
  await undo(page);
  await expect(page.getByRole("button", { name: "Leave safely" })).toBeVisible();
  await choose(page, "Showed identification", "Yes");
  await page.getByRole("button", { name: "Undo: Showed identification" }).click();

  await step(page, "Talk");
  await choose(page, "Willingness", "Undecided");
  await saved(page);
  await syncNow(page);
  await inSync(page);
  await page.reload();
  await page.getByRole("button", { name: "Undo: Willingness" }).click();
  await expect(group(page, "Willingness").getByRole("radio", { checked: true })).toHaveCount(0);
  await undo(page);
  await expect(group(page, "Willingness").getByRole("radio", { checked: true })).toHaveText("Undecided");
  await page.getByRole("button", { name: "Undo: Willingness" }).click();
  await saved(page);
  await syncNow(page);
  await inSync(page);

  const desk = await office.api();
  const view = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(view).toMatchObject({
    appointment: { status: null, starts_at: null, ends_at: null, place: "", borrower_remark: "" },
    visit: { arrived_at: null, left_at: null, position: null, place_type: null },
    talk: { willingness: null, disposition: null },
    checks: [],
  });
  expect(view.visit.departed_at).not.toBeNull();
});
