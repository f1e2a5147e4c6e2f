/** Conduct on the phone, with no network: before departure, at the door, after; and what the office adds. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { choose, depart, inSync, nameTwo, openCase, readyOffline, saved, signIn, step, syncNow } from "./support/field";
import { instant, NINGBO, noonZone, Office, wallClock } from "./support/office";

const DAY_MS = 86_400_000;
/** One for all: midnight may come while they run. */
const NOW = Date.now();
const CASE = "NB2026000002";

let office: Office;

test.beforeEach(() => {
  office = new Office();
  office.addPeople();
});
test.afterEach(() => office.remove());

async function serve(zone = office.zone): Promise<void> {
  office.zone = zone;
  office.importCases("cases.csv");
  await office.start();
}

/** Takes everything along, then goes where there is no network, and where no office answers. */
async function goOffline(page: Page, context: BrowserContext): Promise<void> {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await readyOffline(page);
  await context.setOffline(true);
}

/** A wall clock in Ningbo on a day after today, far from the day's edges: whenever this runs, it is to come. */
function ningbo(clock: string, days = 2): number {
  return instant(`${wallClock(NOW + days * DAY_MS, NINGBO).slice(0, 10)}T${clock}`, NINGBO);
}

/** Advances the clock, which locks the app, and unlocks it. */
async function passTo(page: Page, at: number): Promise<void> {
  await page.clock.setFixedTime(at);
  await page.reload();
}

const before = (page: Page) => page.getByTestId("conduct-before");
const rule = (page: Page, id: string) => page.locator(`[data-testid=conduct-answer][data-rule~="${id}"]`);
/** Opens a fold by the beginning of its title. */
const unfold = (page: Page, title: string) => page.locator("summary").filter({ hasText: title }).click();
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** The core refuses, whatever the page shows; nothing is written. */
async function refused(page: Page, words: string): Promise<void> {
  await press(page, "Depart");
  await expect(page.getByRole("alert").filter({ hasText: words })).toBeVisible();
  await expect(page.getByRole("button", { name: "Depart", exact: true })).toBeVisible();
}

test("whatever the hour, there is a zone in which it is about noon", () => {
  for (let half = 0; half < 48; half += 1) {
    const now = new Date(Date.UTC(2026, 10, 25, 0, half * 30));
    const [hour = 0, minute = 0] = wallClock(now.getTime(), noonZone(now)).slice(11).split(":").map(Number);
    expect(Math.abs(hour * 60 + minute - 12 * 60), now.toISOString()).toBeLessThanOrEqual(30);
  }
});

test("a visit at 21:30 in Ningbo waits until nine the next morning", async ({ page, context }) => {
  await serve(NINGBO);
  await goOffline(page, context);
  await office.stop();
  await passTo(page, ningbo("20:30"));
  const id = await openCase(page, CASE);
  await step(page, "On site");
  await nameTwo(page);
  await step(page, "Appointment");
  await page.getByLabel("Start").fill(wallClock(ningbo("21:30"), NINGBO));
  await press(page, "Propose appointment");
  const morning = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: NINGBO }).format(
    ningbo("09:00", 3),
  );
  for (const card of ["conduct-planned", "conduct-before"]) {
    if (card === "conduct-before") await step(page, "On site");
    await expect(page.getByTestId(card)).toHaveAttribute("data-verdict", "wait_until");
    await expect(page.getByTestId(card)).toContainText(`Wait until ${morning}, 09:00`);
    await expect(page.getByTestId(card)).toContainText("21:30, the borrower's local time (Asia/Shanghai)");
    // Two rules have a window; the country's is still open.
    await expect(rule(page, "P-01")).toContainText("Contact and visits between 09:00 and 19:00");
    await expect(rule(page, "P-01")).toContainText("21:30, outside 09:00–19:00");
    await expect(rule(page, "P-01")).toContainText("Doorstep's own");
    await expectAccessible(page, card);
  }
  await refused(page, "A conduct rule does not allow this departure");

  // The borrower agrees, and takes it back.
  await press(page, "Record consent…");
  await page.getByLabel("What the borrower said").fill("come after work");
  await expectAccessible(page, "the consent");
  await press(page, "Save consent");
  await expect(before(page)).toHaveAttribute("data-verdict", "go");
  await expect(page.getByTestId("consent")).toContainText("come after work");
  await press(page, "Withdraw");
  await expect(before(page)).toHaveAttribute("data-verdict", "wait_until");
  await expect(page.getByTestId("consent")).toContainText("Withdrawn");

  // The phone is closed and opened; it is the next morning.
  await saved(page);
  await page.clock.setFixedTime(ningbo("09:05", 3));
  await page.goto(`${office.url}/visit/${id}/on_site`);
  await expect(before(page)).toHaveAttribute("data-verdict", "go");
  await press(page, "Depart");
  await expect(page.getByText(/^Departed /)).toBeVisible();
});

test("one collector alone cannot depart", async ({ page, context }) => {
  await serve(NINGBO);
  await goOffline(page, context);
  await office.stop();
  await passTo(page, ningbo("11:00"));
  await openCase(page, CASE);
  await step(page, "On site");
  await expect(before(page)).toHaveAttribute("data-verdict", "dont");
  await press(page, "Add me");
  await expect(page.getByRole("button", { name: "Remove chen.jie" })).toBeVisible();
  await expect(before(page)).toHaveAttribute("data-verdict", "dont");
  await expect(before(page)).toContainText("Waiting does not help");
  await expect(rule(page, "CN-04")).toContainText("Add all 2 collectors who take part.");
  await expect(rule(page, "CN-04")).toContainText("Mainland China · Self-regulation · 中国银行业协会");
  // Doorstep's own rule asks the same: one line names both sources.
  await expect(rule(page, "CN-04")).toContainText("P-06 · Doorstep's own");
  await expect(rule(page, "P-06")).toHaveCount(1);
  await expect(rule(page, "P-06").getByRole("button", { name: "Continue with a reason…" })).toBeHidden();
  await expectAccessible(page);
  await refused(page, "A conduct rule does not allow this departure");
  await rule(page, "CN-04").getByRole("link", { name: "Collectors on this visit" }).click();
  await page.getByLabel("Name of another collector").fill("wu.min");
  await press(page, "Add collector");
  await expect(before(page)).toHaveAttribute("data-verdict", "go");
  await press(page, "Depart");
  await expect(page.getByText(/^Departed /)).toBeVisible();
});

test("a warning takes a reason, an open answer says what is missing", async ({ page, context }) => {
  await serve();
  await goOffline(page, context);
  const id = await openCase(page, CASE);
  await step(page, "On site");
  await press(page, "Add me");
  // No country's rules here: one collector is warned.
  await refused(page, "A conduct rule warns about this departure");
  await rule(page, "P-06").getByRole("button", { name: "Continue with a reason…" }).click();
  await expect(page.getByRole("button", { name: "Save reason" })).toBeDisabled();
  await page.getByLabel("Reason for continuing").fill("the second waits at the gate");
  await expectAccessible(page, "the reason");
  await press(page, "Save reason");
  await expect(rule(page, "P-06")).toContainText("Reason for continuing: the second waits at the gate");
  await expect(before(page)).toHaveAttribute("data-verdict", "go");

  await unfold(page, "Unknown");
  await expect(rule(page, "P-07")).toContainText("Missing:");
  await expect(rule(page, "P-07")).toContainText("A notice to the borrower");
  await rule(page, "P-07").getByRole("button", { name: "Record a notice…" }).click();
  await page.getByLabel("Informed at").fill(wallClock(Date.now() - 2 * DAY_MS, office.zone));
  await press(page, "Save notice");
  await unfold(page, "Met");
  await expect(rule(page, "P-07")).toHaveAttribute("data-answer", "pass");
  await expectAccessible(page);
  await press(page, "Depart");
  await expect(page.getByText(/^Departed /)).toBeVisible();

  await context.setOffline(false);
  await syncNow(page);
  await inSync(page);
  const view = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  const kept = view.conduct.map(({ kind, rule, note }) => [kind, rule, note]);
  expect(kept).toContainEqual(["override", "P-06", "the second waits at the gate"]);
  expect(view.conduct.map(({ kind }) => kind).sort()).toEqual(["evaluation", "notice", "override"]);
});

test("a dispute raised while the phone has no network changes the answer at the next contact", async ({
  page,
  context,
  browser,
}) => {
  await serve();
  await goOffline(page, context);
  const desk = await office.api();
  const { rows } = await desk.get<{ rows: { id: string; case_no: string }[] }>("/api/visits?collector=chen.jie");
  const ids = [rows[0]?.id ?? "", rows[1]?.id ?? ""] as const;
  for (const id of ids) {
    await desk.command(id, { do: "raise_hold", flag: "dispute", since: Date.now(), until: null, note: "by letter" });
  }
  await office.stop();

  // One visit is done without knowing, the other is about to begin.
  await page.goto(`${office.url}/visit/${ids[0]}/on_site`);
  await depart(page);
  await press(page, "Arrive without location");
  await expect(page.getByTestId("conduct-door")).toBeVisible();
  await expect(rule(page, "P-12")).toHaveAttribute("data-answer", "pass");
  await expectAccessible(page, "at the door");
  await press(page, "Leave");
  await step(page, "Record");
  await choose(page, "Borrower not met", "Not at home");
  await expect(page.getByTestId("conduct-after")).toContainText("Not met: 0");
  await expectAccessible(page, "before sealing");
  await press(page, "Seal record");
  await press(page, "Seal now");
  await expect(page.getByTestId("signature")).toHaveCount(1);
  await page.goto(`${office.url}/visit/${ids[1]}/on_site`);
  await nameTwo(page);
  await expect(before(page)).toHaveAttribute("data-verdict", "go");
  await saved(page);

  await office.start();
  await context.setOffline(false);
  await syncNow(page);
  await inSync(page);
  await expect(before(page)).toHaveAttribute("data-verdict", "dont");
  await expect(before(page)).toContainText("The earliest permitted time is not known.");
  await expect(rule(page, "P-12")).toContainText("There is a hold: Dispute");
  await refused(page, "A conduct rule does not allow this departure");

  // The phone's stored result and the office's current result are both shown.
  const console_ = await browser.newPage();
  await console_.goto(`${office.url}/office/conduct?answer=fail&rule=P-12`);
  await signIn(console_, "lin.yue");
  // The office evaluates in the background; the page follows.
  await expect(console_.getByTestId("conduct-row")).toHaveCount(2, { timeout: 60_000 });
  await console_.getByRole("link", { name: rows[0]?.case_no ?? "" }).click();
  const results = console_.locator("[data-testid=conduct-kept][data-moment=after]");
  await expect(results).toHaveCount(2);
  await expect(results.first()).toContainText("chen.jie");
  await expect(results.first()).not.toContainText("P-12");
  await expect(results.last()).toContainText("the office");
  await expect(results.last()).toContainText("Not metP-12 · No visit while there is a hold.");
  await console_.close();
  await page.goto(`${office.url}/visit/${ids[0]}/record`);
  await expect(rule(page, "P-12")).toHaveAttribute("data-answer", "fail");
  await syncNow(page);
  await unfold(page, "Results stored in this record");
  const kept = (by: string) => page.locator(`[data-testid=conduct-kept][data-moment=after][data-by="${by}"]`);
  await expect(kept("office")).toContainText("Not metP-12 · No visit while there is a hold.");
  await expect(kept("chen.jie")).toHaveCount(1);
  await expect(kept("chen.jie")).not.toContainText("P-12");
  await inSync(page);
  const view = await desk.get<VisitView>(`/api/visits/${ids[0]}`);
  const after = view.conduct.filter(({ moment }) => moment === "after");
  expect(after.map(({ by, answers }) => [by, answers.includes("!P-12")])).toEqual([
    ["chen.jie", false],
    ["office", true],
  ]);
});

test("drafts stand apart and stop nothing", async ({ page, context }) => {
  await serve();
  const desk = await office.api();
  const { rows } = await desk.get<{ rows: { id: string }[] }>(`/api/visits?q=${CASE}`);
  await desk.command(rows[0]?.id ?? "", { do: "assign", policy: "IN+elsewhere" });
  await goOffline(page, context);
  await openCase(page, CASE);
  await step(page, "On site");
  await nameTwo(page);
  await expect(before(page)).toHaveAttribute("data-verdict", "go");
  await expect(before(page)).toContainText("These rules of the record are not available on this phone: elsewhere.");
  await unfold(page, "Draft rules");
  await expect(before(page).getByText("Not in force: these are not violations")).toBeVisible();
  await expect(rule(page, "IN-01V")).toContainText("Draft, not in force");
  await expectAccessible(page);
});

test("a time that the borrower does not want is written down, and respected", async ({ page, context }) => {
  await serve();
  const desk = await office.api();
  const { rows } = await desk.get<{ rows: { id: string }[] }>(`/api/visits?q=${CASE}`);
  await desk.command(rows[0]?.id ?? "", { do: "assign", policy: "UK" });
  await goOffline(page, context);
  await openCase(page, CASE);
  await step(page, "On site");
  await expect(before(page)).toHaveAttribute("data-verdict", "go");
  await step(page, "Appointment");
  await press(page, "Add a time…");
  await page.getByLabel("From").fill("10:00");
  await page.getByLabel("Until").fill("09:00");
  await expect(page.getByRole("button", { name: "Save", exact: true })).toBeDisabled();
  await page.getByLabel("Until").fill("20:30");
  await page.getByLabel("What the borrower said").fill("the shop is open");
  await expectAccessible(page, "the wish");
  await press(page, "Save");
  await expect(page.getByTestId("wish")).toContainText("Every day 10:00–20:30");
  await step(page, "On site");
  await expect(before(page)).toHaveAttribute("data-verdict", "wait_until");
  await expect(before(page)).toContainText(/Wait until .*, 20:30/);
  await expect(rule(page, "UK-01")).toContainText("The borrower does not want visits at 10:00–20:30.");
  await expect(rule(page, "UK-01")).toContainText("United Kingdom · Guidance · FCA CONC 7.9");
  await refused(page, "A conduct rule does not allow this departure");
});

test.describe("a phone whose clock is off", () => {
  // The script of a worker that the service worker has kept would come without the test's clock.
  test.use({ serviceWorkers: "block" });

  test("says so, and goes by the office's", async ({ page, context }) => {
    await serve();
    const ahead = `{
      const Real = Date;
      globalThis.Date = class extends Real {
        constructor(...args) { super(...(args.length > 0 ? args : [Real.now() + ${8 * 3_600_000}])); }
        static now() { return Real.now() + ${8 * 3_600_000}; }
      };
    }`;
    await context.addInitScript(ahead);
    await context.route(/\/worker-[^/]*\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: ahead + (await response.text()) });
    });
    await page.goto(office.url);
    await signIn(page, "chen.jie");
    await inSync(page);
    await openCase(page, CASE);
    await step(page, "On site");
    await nameTwo(page);
    // The phone shows eight in the evening, it is noon.
    await expect(before(page)).toHaveAttribute("data-verdict", "go");
    await expect(before(page)).toContainText("This phone's clock is 8 hrs ahead of the office's.");
    await unfold(page, "Unknown");
    await expect(rule(page, "P-01")).toContainText("This phone's clock is off by 28");
    await expectAccessible(page);
  });
});
