/** Every engine keeps what the page showed as saved: over kills, locks, in tabs, and in drafts. */
import type { HistoryEntry, VisitView } from "../../../www/src/wasm/doorstep";
import {
  choose,
  firstSignIn,
  inSync,
  inSyncAgain,
  logCall,
  NOTES,
  openCase,
  openFirst,
  readyOffline,
  saved,
  step,
  unlock,
} from "./support/app";
import type { Page } from "./support/page";
import { expect, test } from "./support/walk";

const KILLS = 3;
const SAID = { label: "Notes on the contact" };
const LOCKED = { testId: "unlock" };

/** In the page: edits both texts in turn, as fast as each is shown as saved, until the browser is killed. */
function storm(round: number): void {
  const counter = globalThis as unknown as { savedEdits: number };
  counter.savedEdits = 0;
  const [feedback, notes] = document.querySelectorAll("textarea");
  const state = (): string | undefined =>
    document.querySelector<HTMLElement>("[data-testid=save-state]")?.dataset["state"];
  const edit = (n: number): void => {
    const field = n % 2 === 1 ? notes : feedback;
    if (!field) throw new Error("no field");
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(field, `${round}.${n}`);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("focusout", { bubbles: true }));
    let begun = false;
    const wait = (): void => {
      begun ||= state() !== "saved";
      if (!begun || state() !== "saved") return void setTimeout(wait, 1);
      counter.savedEdits = n;
      edit(n + 1);
    };
    wait();
  };
  edit(1);
}

test("what was shown as saved outlives a killed browser", async ({ office, phone }) => {
  let page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  const shown: string[] = [];
  for (let round = 1; round <= KILLS; round += 1) {
    await page.waitFor(NOTES);
    await page.tab.evaluate(storm, round);
    const count = (): Promise<number> =>
      page.tab.evaluate(() => (globalThis as unknown as { savedEdits: number }).savedEdits);
    let edits = 0;
    while (edits < 4 + 3 * round) edits = await count();
    await phone.kill();
    page = await phone.start(`${office.url}/visit/${id}/record`);
    await unlock(page);
    const { value } = await page.waitFor(NOTES, ({ value }) => value !== "");
    const [of, last] = value.split(".").map(Number);
    // The last edit of the notes that was shown as saved, or a later one.
    expect(of).toBe(round);
    expect(last).toBeGreaterThanOrEqual(edits - 1);
    for (let n = 1; n <= edits; n += 1) shown.push(`${n % 2 === 1 ? "notes" : "feedback"}: ${round}.${n}`);
  }
  await inSyncAgain(page);
  const desk = await office.api();
  const { entries } = await desk.get<{ entries: HistoryEntry[] }>(`/api/visits/${id}/history`);
  const there = new Set(entries.map(({ path, to }) => `${path}: ${to.type === "text" ? to.value : ""}`));
  expect(shown.filter((edit) => !there.has(edit))).toEqual([]);
});

/** Goes to another page of the app without loading it anew. */
async function go(page: Page, path: string): Promise<void> {
  await page.tab.evaluate((path) => {
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

test("two tabs see each other's edits, lock together, and go on without each other", async ({ office, phone }) => {
  const first = await phone.start(office.url);
  await firstSignIn(first, "wu.min");
  const id = await openFirst(first);
  await step(first, "Record");
  await first.type(NOTES, "one, ");
  await first.blur();
  await saved(first);
  const second = await phone.newTab(`${office.url}/visit/${id}/record`);
  await second.waitFor(NOTES, ({ value }) => value === "one, ");
  await second.type(NOTES, "two, ");
  await second.blur();
  await saved(second);
  await first.waitFor(NOTES, ({ value }) => value === "one, two, ");

  // The last word is typed right before the lock.
  await second.type(NOTES, "three, ");
  await go(first, "/settings");
  await first.click({ role: "button", name: "Lock now" });
  for (const page of [first, second]) await page.waitFor(LOCKED);
  expect(await second.tab.evaluate(() => document.body.innerText + document.title)).not.toContain("three");
  await unlock(second, "864213");
  await second.waitFor({ role: "alert", name: "Wrong PIN" });
  await unlock(second);
  await second.waitFor(NOTES, ({ value }) => value === "one, two, three, ");
  await first.waitFor({ role: "button", name: "Lock now" });

  await first.tab.close();
  await second.type(NOTES, "four");
  await second.blur();
  await saved(second);
  await inSync(second);
  await second.reload();
  await unlock(second);
  await second.waitFor(NOTES, ({ value }) => value === "one, two, three, four");
  expect((await (await office.api()).get<VisitView>(`/api/visits/${id}`)).notes).toBe("one, two, three, four");
});

test("a draft survives another step, a killed browser and a lock, and is submitted once", async ({ office, phone }) => {
  let page = await phone.start(office.url);
  await firstSignIn(page, "he.tao");
  await readyOffline(page);
  const id = await openFirst(page);
  await step(page, "Contact");
  await choose(page, "Channel", "Messaging app");
  await page.type(SAID, "back at seven");
  // Left before any pause in typing.
  await step(page, "Talk");
  await step(page, "Contact");
  await page.waitFor(SAID, ({ value }) => value === "back at seven");
  await office.stop();
  await page.waitFor({ text: "Draft saved on this phone." });
  await phone.kill();

  page = await phone.start(`${office.url}/visit/${id}/contact`);
  await unlock(page);
  await page.waitFor(SAID, ({ value }) => value === "back at seven");
  await page.waitFor({ role: "radio", name: "Messaging app" }, ({ checked }) => checked);
  await go(page, "/settings");
  await page.click({ role: "button", name: "Lock now" });
  await unlock(page);
  await go(page, `/visit/${id}/contact`);
  await page.waitFor(SAID, ({ value }) => value === "back at seven");
  await logCall(page, "back at seven, ring twice");
  await office.start();
  await inSyncAgain(page);
  const { contacts } = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
  expect(contacts.map(({ note }) => note)).toEqual(["back at seven, ring twice"]);
});
