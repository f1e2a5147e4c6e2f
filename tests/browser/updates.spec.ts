/** A new version of the app: it waits, a person chooses, every tab changes over, nothing typed is lost. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { choose, go, inSync, openCase, readyOffline, saved, signIn, step, syncNow, unlocks } from "./support/field";
import { Office } from "./support/office";
import { Rollout } from "./support/rollout";

let office: Office;
let rollout: Rollout;

test.beforeEach(async () => {
  office = await Office.open();
  rollout = await Rollout.before(office.url);
});
test.afterEach(async () => {
  rollout.stop();
  await office.remove();
});

const offer = (page: Page) => page.getByText("A new version is available.");
const updateNow = (page: Page) => page.getByRole("button", { name: "Update now" });
const notes = (page: Page) => page.getByLabel("Notes");

/** The version whose program runs in a page. */
function version(page: Page): Promise<number> {
  return page.evaluate(() => {
    const names = [...document.scripts].map(({ src }) => /\/field-[\w-]{8}(?:\.v(\d+))?\.js$/.exec(src));
    const name = names.find((found) => found !== null);
    if (!name) throw new Error("no program");
    return Number(name[1] ?? 1);
  });
}

async function updated(page: Page, to: number): Promise<void> {
  // While a page is loaded anew there is nothing to be asked.
  await expect.poll(() => version(page).catch(() => 0)).toBe(to);
}

/** Marks a page, to see that it is not loaded anew. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(globalThis, { marked: true }));
}

async function notReloaded(page: Page): Promise<void> {
  expect(await page.evaluate(() => "marked" in globalThis)).toBe(true);
}

/** The first page of all: it was there before the service worker was. */
async function firstVisit(context: BrowserContext): Promise<{ first: Page; id: string }> {
  const first = await context.newPage();
  await first.goto(rollout.url);
  await signIn(first, "chen.jie");
  await inSync(first);
  const id = await openCase(first, "NB2026000002");
  await readyOffline(first);
  return { first, id };
}

/** Another tab; a browser looks for a new version whenever a page is loaded. */
async function anotherTab(context: BrowserContext, path: string): Promise<Page> {
  const tab = await context.newPage();
  await unlocks(tab);
  await tab.goto(rollout.url + path);
  return tab;
}

test("both tabs offer the update, neither reloads on its own, and one tap updates both and keeps typed text", async ({
  context,
}) => {
  const { first, id } = await firstVisit(context);
  await step(first, "Record");
  await mark(first);
  await notes(first).pressSequentially("begun before the update, ");

  const two = rollout.next();
  const second = await anotherTab(context, `/visit/${id}/record`);
  await mark(second);
  for (const page of [first, second]) {
    await expect(offer(page)).toBeVisible();
    expect(await version(page)).toBe(1);
  }
  await notes(first).pressSequentially("went on under the offer");
  await second.getByLabel("Borrower's feedback").fill("a kind word");
  // The last typed text is not saved yet at the tap.
  await second.getByLabel("Borrower's feedback").press("End");
  await second.getByLabel("Borrower's feedback").pressSequentially(" at the door");
  await Promise.all([first, second].map(notReloaded));
  // All of the new version is on the phone already.
  await context.setOffline(true);
  await updateNow(first).click();

  for (const page of [first, second]) {
    await updated(page, two);
    await expect(notes(page)).toHaveValue("begun before the update, went on under the offer");
    await expect(page.getByLabel("Borrower's feedback")).toHaveValue("a kind word at the door");
    await expect(updateNow(page)).toBeHidden();
  }
  await second.getByLabel("Borrower's feedback").press("End");
  await second.getByLabel("Borrower's feedback").pressSequentially(", under the new version");
  await second.getByLabel("Borrower's feedback").blur();
  await saved(second);
  await expect(first.getByLabel("Borrower's feedback")).toHaveValue("a kind word at the door, under the new version");
  await context.setOffline(false);
  await inSync(first);
  await inSync(second);
});

test("a tab that does not answer may hold anything: all stay where they are until it does", async ({ context }) => {
  const { first } = await firstVisit(context);
  const two = rollout.next();
  const second = await anotherTab(context, "/settings");
  await Promise.all([first, second].map(mark));
  for (const page of [first, second]) await expect(offer(page)).toBeVisible();
  // Longer than anybody waits for its answer.
  const stopped = second.evaluate(() => {
    const end = Date.now() + 20_000;
    while (Date.now() < end);
  });
  await updateNow(first).click();
  await expect(first.getByText("Something in another Doorstep tab", { exact: false })).toBeVisible();
  await stopped;
  await Promise.all([first, second].map(notReloaded));
  await updateNow(first).click();
  for (const page of [first, second]) await updated(page, two);
});

test("a draft keeps every tab from updating, and is not lost", async ({ context }) => {
  const { first, id } = await firstVisit(context);
  const two = rollout.next();
  const second = await anotherTab(context, `/visit/${id}/contact`);
  await choose(second, "Outcome", "Reached");
  await second.getByLabel("Notes on the contact").fill("call me in the evening");
  await Promise.all([first, second].map(mark));

  await updateNow(first).click();
  await expect(first.getByText("Something in another Doorstep tab is not saved yet", { exact: false })).toBeVisible();
  await updateNow(second).click();
  await expect(second.getByText("Something on this page is not saved yet", { exact: false })).toBeVisible();
  await expectAccessible(second, "an update that is held up");
  await Promise.all([first, second].map(notReloaded));
  await expect(second.getByLabel("Notes on the contact")).toHaveValue("call me in the evening");

  await second.getByRole("button", { name: "Log contact" }).click();
  await expect(second.getByText("call me in the evening").last()).toBeVisible();
  await expect(second.getByLabel("Notes on the contact")).toHaveValue("");
  await updateNow(second).click();
  for (const page of [first, second]) await updated(page, two);
  await expect(second.getByText("call me in the evening").last()).toBeVisible();
});

test("what a full phone could not keep stays on the page, and the update waits for it", async ({ context }) => {
  const { first } = await firstVisit(context);
  await step(first, "Record");
  const [store] = first.workers();
  // What a full disk answers, in the worker that writes: a quota cannot be set from here.
  await store?.evaluate(() => {
    const kept = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    Object.assign(self, { makeRoom: () => (IDBObjectStore.prototype.put = kept) });
  });
  const two = rollout.next();
  const second = await anotherTab(context, "/settings");
  await mark(first);
  await notes(first).fill("written while the phone was full");
  await notes(first).blur();
  await expect(first.getByText("This phone is out of space.", { exact: false }).first()).toBeVisible();
  // From a tab that has nothing of its own to save: what is not on disk is all tabs' concern.
  await updateNow(second).click();
  await expect(second.getByText(/^Something .* is not saved yet/)).toBeVisible();
  await notReloaded(first);
  await store?.evaluate(() => (self as unknown as { makeRoom: () => void }).makeRoom());
  await expect(first.getByTestId("save-state")).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await updateNow(second).click();
  for (const page of [first, second]) await updated(page, two);
  await expect(notes(first)).toHaveValue("written while the phone was full");
});

test("it can be postponed, and is offered again: at the next start, for the next version, and in the settings", async ({
  context,
}) => {
  const { first } = await firstVisit(context);
  rollout.next();
  const second = await anotherTab(context, "/");
  for (const page of [first, second]) await expect(offer(page)).toBeVisible();
  await first.getByRole("button", { name: "Later" }).click();
  for (const page of [first, second]) await expect(offer(page)).toBeHidden();
  await inSync(second);

  await second.reload();
  await expect(offer(second)).toBeVisible();
  expect(await version(second)).toBe(1);
  await second.getByRole("button", { name: "Later" }).click();
  await expect(offer(second)).toBeHidden();

  // The settings always offer it.
  await go(first, "/settings");
  const about = first.getByRole("region", { name: "About" });
  await expect(about.getByRole("button", { name: "Update now" })).toBeVisible();
  await expectAccessible(first, "settings with an update");

  const three = rollout.next();
  const third = await anotherTab(context, "/");
  for (const page of [first, second, third]) await expect(offer(page)).toBeVisible();
  await expect(about.getByRole("button", { name: "Update now" })).toBeHidden();
  await updateNow(third).click();
  for (const page of [first, second, third]) await updated(page, three);
});

test("an app shown again after an hour checks for updates, in Chinese and by keyboard too", async ({ context }) => {
  const { first } = await firstVisit(context);
  await go(first, "/settings");
  await first.getByRole("radio", { name: "中文" }).click();
  await first.clock.install();
  const two = rollout.next();
  /** The page comes back to the front; a browser in a test has no back. */
  const lookedAt = (): Promise<boolean> => first.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await first.clock.fastForward("04:00");
  await lookedAt();
  await first.clock.fastForward("01:00:00");
  await lookedAt();
  const offered = first.getByText("有新版本可用。");
  await unlocks(first);
  await expect(offered).toBeVisible();
  await expectAccessible(first, "an offer in Chinese");

  const focused = (): Promise<string> => first.evaluate(() => document.activeElement?.textContent ?? "");
  const tabTo = async (name: string): Promise<void> => {
    for (let presses = 0; presses < 100 && (await focused()) !== name; presses += 1) await first.keyboard.press("Tab");
    expect(await focused()).toBe(name);
  };
  await tabTo("稍后");
  await first.keyboard.press("Enter");
  await expect(offered.and(first.locator("[aria-live] *"))).toBeHidden();
  await first.clock.fastForward("01:01:00");
  await lookedAt();
  await unlocks(first);
  await tabTo("立即更新");
  await first.keyboard.press("Enter");
  await updated(first, two);
});

test("an office that has moved on is no loss: the work waits, the update is found at once, and then all is sent", async ({
  context,
}) => {
  const { first, id } = await firstVisit(context);
  await step(first, "Record");
  const two = rollout.next();
  rollout.estranged = true;
  await notes(first).fill("written for a newer office");
  await notes(first).blur();
  await saved(first);
  await expect(offer(first)).toBeVisible();
  await first.getByTestId("sync-status").click();
  await expect(first.getByRole("alert").getByText("The office uses a newer version of Doorstep.")).toBeVisible();
  await first.getByRole("button", { name: "Close" }).click();
  await expect(first.getByTestId("sync-status")).toHaveAttribute("data-unsent", "1");

  await updateNow(first).click();
  await updated(first, two);
  rollout.estranged = false;
  // The new version is unlocked first.
  await expect(notes(first)).toHaveValue("written for a newer office", { timeout: 60_000 });
  await syncNow(first);
  await inSync(first);
  const desk = await office.api();
  expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toBe("written for a newer office");
});
