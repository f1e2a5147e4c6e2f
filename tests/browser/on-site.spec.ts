/** The visit itself on a small phone: three phases, the checklist with one thumb, and leaving from anywhere. */
import { expect, test, type Locator, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { inSync, saved, signIn, step, syncNow } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office, type Api } from "./support/office";

test.use({ viewport: SMALL_PHONE, hasTouch: true });

/** Taps and swipes of a visit with the borrower and all 13 items. Before the phases it took 36 and 20. */
const MOST_TAPS = 30;
const MOST_SWIPES = 9;

let office: Office;
let desk: Api;
let ids: string[];

test.beforeAll(async () => {
  office = await Office.open();
  desk = await office.api();
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=chen.jie");
  ids = rows.map(({ id }) => id);
});
test.afterAll(() => office.remove());

test.beforeEach(async ({ context }) => {
  await context.grantPermissions(["geolocation"]);
  await context.setGeolocation({ latitude: 29.8683, longitude: 121.544, accuracy: 12 });
});

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const answer = (page: Page, item: string, name: string) =>
  page.locator(`[data-check=${item}]`).getByRole("radio", { name, exact: true });
const isOnScreen = (control: Locator): Promise<boolean> =>
  control.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return hit !== null && element.contains(hit);
  });

/** Bars and messages have taken their places, which they measure once they are drawn. */
const settled = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise((done) => requestAnimationFrame(done));
  });

/** Swipes of 400 px that bring a control between the header and the bars at the foot. */
function swipesTo(control: Element): number {
  if (control.closest("nav, dialog, [data-testid=leave-bar]")) return 0;
  const { top, bottom } = control.getBoundingClientRect();
  const middle = (top + bottom) / 2;
  const foot = innerHeight - (document.querySelector("[data-testid=leave-bar]") ? 140 : 76);
  return Math.ceil(Math.max(0, 72 - middle, middle - foot) / 400);
}

/** The page has stopped scrolling. */
async function atRest(): Promise<void> {
  for (let still = 0, last = -1; still < 5; still += 1) {
    await new Promise((done) => requestAnimationFrame(done));
    if (scrollY !== last) still = 0;
    last = scrollY;
  }
}

async function open(page: Page, id: string, at = ""): Promise<void> {
  await desk.command(id, { do: "assign", collectors: ["chen.jie", "he.tao"] });
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await page.goto(`${office.url}/visit/${id}${at}`);
  await expect(page.getByRole("navigation", { name: "Steps" })).toBeVisible();
}

test("a visit from the call to the seal, counted in taps", async ({ page }) => {
  const [id = ""] = ids;
  await open(page, id);
  let taps = 0;
  let swipes = 0;
  const tap = async (control: Locator): Promise<void> => {
    await control.waitFor();
    await page.evaluate(atRest);
    swipes += await control.evaluate(swipesTo);
    await control.click();
    taps += 1;
  };
  const pick = (group: string, name: string): Promise<void> =>
    tap(page.getByRole("radiogroup", { name: group }).getByRole("radio", { name, exact: true }));
  const go = (name: string): Promise<void> =>
    tap(page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name }));

  await pick("Outcome", "Reached");
  await tap(button(page, "Log contact"));
  await tap(button(page, "Agreed to now: prepare the visit"));
  await tap(button(page, "Add me and he.tao"));
  await expect(page.getByTestId("conduct-before")).toHaveAttribute("data-verdict", "go");
  await tap(button(page, "Depart"));
  await tap(button(page, "Arrive"));
  await pick("Place type", "Home");
  await pick("Person met", "Borrower");
  const items = page.locator("[data-check]");
  await expect(items).toHaveCount(13);
  for (let at = 0; at < 13; at += 1) {
    await tap(items.nth(at).getByRole("radio", { name: at === 5 ? "No" : "Yes", exact: true }));
    await expect(items.nth(at)).toHaveAttribute("data-answered", "true");
  }
  await go("Talk");
  await pick("Reason for the delay", "Lost work or income");
  await pick("Willingness", "Willing and able");
  // Leaving is one tap from any step.
  await tap(button(page, "Leave"));
  await go("Record");
  await pick("Borrower met", "Considering");
  await pick("Read the record back", "Yes");
  await tap(button(page, "Seal record"));
  await tap(button(page, "Seal now"));
  await expect(page.getByTestId("signature")).toHaveCount(1);
  expect(taps).toBeLessThanOrEqual(MOST_TAPS);
  expect(swipes).toBeLessThanOrEqual(MOST_SWIPES);

  await syncNow(page);
  await inSync(page);
  const view = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(view).toMatchObject({ stage: "sealed", appointment: { status: "agreed" } });
  expect(view.checks.filter((check) => check.answer === "no").map(({ item }) => item)).toEqual(["convenient_now"]);
});

test("each phase shows what it needs, and a missing field opens its phase", async ({ page }) => {
  const [, id = ""] = ids;
  await open(page, id, "/on_site");
  const phase = (name: string) => page.locator(`[data-control=phase-${name}]`);
  await expect(phase("before")).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("checklist")).toBeHidden();
  await expect(page.getByTestId("leave-bar")).toBeHidden();
  await inEveryLook(page, "on-site-before", "[data-testid=conduct-before][data-verdict]");

  await page.getByRole("status").getByRole("link", { name: "Place type" }).click();
  await expect(phase("door")).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("radiogroup", { name: "Place type" })).toBeVisible();
  await phase("before").click();
  await button(page, "Add me").click();
  await button(page, "he.tao").click();
  await button(page, "Depart").click();
  await expect(phase("door")).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("conduct-before")).toBeHidden();
  await button(page, "Arrive").click();
  await expect(page.getByText(/^Arrived /)).toBeVisible();
  // A message covers neither way of leaving, on this step and on every other.
  await settled(page);
  expect(await isOnScreen(button(page, "Leave safely"))).toBe(true);
  expect(await isOnScreen(button(page, "Leave"))).toBe(true);
  await step(page, "Talk");
  await settled(page);
  expect(await isOnScreen(button(page, "Leave safely"))).toBe(true);
  await step(page, "On site");
  await inEveryLook(page, "on-site-door", "[data-testid=checklist]");

  await button(page, "Leave").click();
  await expect(phase("after")).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("leave-bar")).toBeHidden();
  await expect(page.getByTestId("conduct-door")).toBeVisible();
  await inEveryLook(page, "on-site-after", "[data-testid=conduct-door][aria-busy=false]");
  await button(page, "Answer the rest of the checklist (13)").click();
  await expect(page.getByTestId("checklist")).toBeVisible();
});

test("no answer on the checklist is easier than another", async ({ page }) => {
  const [, , id = ""] = ids;
  await open(page, id, "/on_site");
  await page.locator("[data-control=phase-door]").click();
  const first = answer(page, "identity_stated", "Yes");
  await first.scrollIntoViewIfNeeded();
  await first.click();
  // The next item has moved under the thumb, and a second tap at once does not answer it.
  const next = page.locator("[data-check=id_shown]");
  await expect.poll(() => isOnScreen(answer(page, "id_shown", "Yes"))).toBe(true);
  await expect(next).toHaveAttribute("data-answered", "false");

  // "Not possible" is two taps, and its reason is saved with it.
  await answer(page, "id_shown", "Not possible").click();
  await next.getByRole("button", { name: "Refused" }).click();
  await expect(next).toHaveAttribute("data-answered", "true");
  await expect(next.getByLabel("Reason why it was not possible")).toHaveValue("Refused");

  // Without a person, one tap marks every item that needs one, and one tap undoes it.
  await page.getByRole("radiogroup", { name: "Person met" }).getByRole("radio", { name: "Nobody" }).click();
  await button(page, "Nobody met: mark 8 items as not possible").click();
  await expect(page.locator("[data-check][data-answered=false]")).toHaveCount(3);
  await button(page, "Undo").click();
  await expect(page.locator("[data-check][data-answered=false]")).toHaveCount(11);
  await button(page, "Nobody met: mark 8 items as not possible").click();
  await expect(page.locator("[data-check][data-answered=false]")).toHaveCount(3);
  await saved(page);
  await syncNow(page);
  await inSync(page);
  const { checks } = await desk.get<VisitView>(`/api/visits/${id}`);
  expect(checks.filter((check) => check.answer === "yes").map(({ item }) => item)).toEqual(["identity_stated"]);
  expect(new Set(checks.filter((check) => check.answer === "not_possible").map(({ reason }) => reason))).toEqual(
    new Set(["Refused", "Nobody was met"]),
  );
});
