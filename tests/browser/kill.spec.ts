/**
 * The browser is killed in a storm of edits, again and again: every edit that the page showed as
 * saved is there afterwards, in the order in which it was made (rule D1).
 *
 * `DOORSTEP_KILLS` says how often, `DOORSTEP_SEED` brings a run's moments back.
 */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HistoryEntry } from "../../www/src/wasm/doorstep";
import { kill, phone } from "./support/browser";
import { inSync, inSyncAgain, openCase, readyOffline, signIn, unlocks } from "./support/field";
import { Office } from "./support/office";

const KILLS = Number(process.env.DOORSTEP_KILLS ?? 3);
const SEED = Number(process.env.DOORSTEP_SEED ?? Date.now() % 2 ** 31);
/** The storm lasts no longer than this. */
const LONGEST_MS = 2_500;

/** What the page shows of the record. */
interface State {
  notes: string;
  feedback: string;
  outcome: string;
}

/** Edit number `n` of a storm, counted from 1: one field after the other. */
interface Edit {
  field: keyof State;
  value: string;
}

const OUTCOMES = ["Considering", "Refuses to pay"];

function edit(storm: number, n: number): Edit {
  if (n % 3 === 0) return { field: "outcome", value: OUTCOMES[(n / 3) % 2] ?? "" };
  return { field: n % 3 === 1 ? "notes" : "feedback", value: `storm ${storm}, edit ${n}` };
}

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

test("what was shown as saved outlives a killed browser", async () => {
  test.setTimeout(120_000 + KILLS * 60_000);
  say(`${KILLS} kills, DOORSTEP_SEED=${SEED}`);
  const random = chance(SEED);
  const shown: Edit[] = [];
  let context = await phone(profile);
  let page = await firstPage(context, office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  const address = `${office.url}/visit/${id}/record`;
  await page.goto(address);
  let before = await read(page);

  for (let storm = 1; storm <= KILLS; storm += 1) {
    // Every other storm comes from a tab that does not lead.
    const from = storm % 2 === 0 ? await tabBeside(page) : page;
    await expect(from.getByLabel("Notes")).toBeVisible();
    let saved = 0;
    await from.exposeFunction("editSaved", (n: number) => (saved = n));
    const edits = Array.from({ length: 2_000 }, (_, at) => edit(storm, at + 1));
    const blows = from.evaluate(blow, edits).catch(() => undefined);
    await new Promise((done) => setTimeout(done, random() * LONGEST_MS));
    await kill(context, profile);
    await blows;

    context = await phone(profile);
    page = await firstPage(context, address);
    const now = await read(page);
    const kept = keptOf(before, edits, now);
    say(`kill ${storm}: ${saved} shown as saved, ${kept} there`);
    expect(kept, `${JSON.stringify(now)} after ${saved} of storm ${storm}`).toBeGreaterThanOrEqual(saved);
    shown.push(...edits.slice(0, saved));
    before = now;
  }

  await inSyncAgain(page);
  await context.close();
  const desk = await office.api();
  const history = await desk.get<{ entries: HistoryEntry[] }>(`/api/visits/${id}/history`);
  const there = new Set(history.entries.map(({ path, to }) => `${path}: ${to.type === "text" ? to.value : ""}`));
  const lost = shown.filter(({ field, value }) => field !== "outcome" && !there.has(`${field}: ${value}`));
  expect(lost).toEqual([]);
  say(`${shown.length} edits shown as saved over ${KILLS} kills, all at the office`);
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function firstPage(context: BrowserContext, address: string): Promise<Page> {
  const page = context.pages()[0] ?? (await context.newPage());
  await unlocks(page);
  await page.goto(address);
  return page;
}

/** Another tab at the same page. */
async function tabBeside(page: Page): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto(page.url());
  return tab;
}

async function read(page: Page): Promise<State> {
  await expect(page.getByLabel("Notes")).toBeVisible();
  const outcomes = await page.getByRole("radio", { checked: true }).allInnerTexts();
  return {
    notes: await page.getByLabel("Notes").inputValue(),
    feedback: await page.getByLabel("Borrower's feedback").inputValue(),
    outcome: outcomes.map((name) => name.trim()).find((name) => OUTCOMES.includes(name)) ?? "",
  };
}

/** How many of a storm's edits, in order, lead from one state to the other; -1 if none do. */
function keptOf(before: State, edits: Edit[], now: State): number {
  let state = before;
  let kept = same(state, now) ? 0 : -1;
  edits.forEach(({ field, value }, at) => {
    state = { ...state, [field]: value };
    if (same(state, now)) kept = at + 1;
  });
  return kept;
}

function same(a: State, b: State): boolean {
  return a.notes === b.notes && a.feedback === b.feedback && a.outcome === b.outcome;
}

/** In the page: makes the edits as fast as each is shown as saved. */
async function blow(edits: Edit[]): Promise<void> {
  const mark = (): string | undefined =>
    document.querySelector<HTMLElement>("[data-testid=save-state]")?.dataset["state"];
  const until = (met: () => boolean): Promise<void> =>
    new Promise((done) => {
      if (met()) return done();
      const observer = new MutationObserver(() => {
        if (!met()) return;
        observer.disconnect();
        done();
      });
      observer.observe(document.body, { subtree: true, childList: true, attributes: true });
    });
  const fields = [...document.querySelectorAll("textarea")];
  const named = { feedback: fields[0], notes: fields[1] };
  const report = (globalThis as unknown as { editSaved: (n: number) => void }).editSaved;
  for (const [at, { field, value }] of edits.entries()) {
    if (field === "outcome") {
      const radios = [...document.querySelectorAll<HTMLElement>("[role=radio]")];
      const radio = radios.find(({ innerText }) => innerText.trim() === value);
      if (!radio) throw new Error(`no ${value}`);
      // The storm before may have ended with it.
      if (radio.ariaChecked === "true") continue;
      radio.click();
    } else {
      const area = named[field];
      if (!area) throw new Error(`no ${field}`);
      area.focus();
      area.value = value;
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.blur();
    }
    await until(() => mark() !== "saved");
    await until(() => mark() === "saved");
    report(at + 1);
  }
}

/** Numbers below 1 from a seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
