/** Walks through every page of both apps over the demo, in both languages and both themes. */
import { expect, type Browser, type BrowserContext, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../../www/src/wasm/doorstep";
import { choosePin, go, inSync, unlocks } from "./field";
import { SMALL_PHONE } from "./looks";
import type { Office } from "./office";

export const DEMO = "doorstep-demo";
const STEPS = ["contact", "appointment", "on_site", "talk", "record"];
export const LOOKS = [
  ["en", "light"],
  ["en", "dark"],
  ["zh-CN", "light"],
  ["zh-CN", "dark"],
] as const;

export type Look = (typeof LOOKS)[number];
/** What is done at each page; its name would do for a file's. */
export type AtPage = (page: Page, name: string) => Promise<void>;

const NOT_HELD = "01990000-0000-7000-8000-000000000000";

/** One record of the collector in each stage that the demo has: stage and id. */
async function oneInEachStage(office: Office): Promise<Map<string, string>> {
  const desk = await office.api("lin.yue", DEMO);
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=chen.jie");
  return new Map(rows.map(({ stage, id }) => [stage, id]));
}

const remember = ([lang, theme]: Look): void => {
  localStorage.setItem("doorstep.lang", lang);
  localStorage.setItem("doorstep.theme", theme);
};

/** All pages of a browser look so from the beginning. */
export async function wear(context: BrowserContext, look: Look): Promise<void> {
  await context.addInitScript(remember, look);
}

/** A page that is open looks otherwise from now on. */
export async function rewear(page: Page, look: Look): Promise<void> {
  await page.evaluate(remember, look);
  await page.reload();
}

/** Signs in by the places of the fields, whatever the language. */
export async function enter(page: Page, name: string): Promise<void> {
  await page.locator("input").first().fill(name);
  await page.locator("input[type=password]").fill(DEMO);
  await page.locator("button[type=submit]").click();
}

/** `text` is the size of the text, of 100 as usual. */
export async function walkFieldApp(
  browser: Browser,
  office: Office,
  look: Look,
  at: AtPage,
  text = "100",
): Promise<void> {
  const records = await oneInEachStage(office);
  const context = await browser.newContext({ viewport: SMALL_PHONE, reducedMotion: "reduce" });
  await wear(context, look);
  if (text !== "100") await context.addInitScript((text) => localStorage.setItem("doorstep.text", text), text);
  const page = await context.newPage();
  await page.goto(office.url);
  await expect(page.locator("input[type=password]")).toBeVisible();
  await at(page, "sign-in");
  await enter(page, "chen.jie");
  await expect(page.getByTestId("choose-pin")).toBeVisible();
  await at(page, "choose-pin");
  await choosePin(page);
  await inSync(page);
  await page.reload();
  await expect(page.getByTestId("unlock")).toBeVisible();
  await at(page, "locked");
  await unlocks(page);
  await inSync(page);
  await at(page, "today");
  await page.getByTestId("sync-status").click();
  await at(page, "sync");
  await page.keyboard.press("Escape");
  await go(page, "/settings");
  await expect(page.locator("h1")).toBeVisible();
  await at(page, "settings");
  await go(page, "/past");
  await expect(page.locator("h1")).toBeVisible();
  await at(page, "past-empty");
  await takenAway(office, page, records, () => at(page, "past"));
  await go(page, "/figures");
  await expect(page.getByTestId("own-month").first()).toBeVisible();
  await at(page, "figures");
  await go(page, "/nothing");
  await at(page, "no-such-page");
  await go(page, `/visit/${NOT_HELD}/talk`);
  await expect(page.locator("h1")).toBeVisible();
  await at(page, "not-held");
  for (const [stage, id] of records) {
    for (const step of STEPS) {
      await go(page, `/visit/${id}/${step}`);
      await expect(page.locator("#step")).toBeVisible();
      await at(page, `${stage}-${step}`);
    }
    await go(page, `/visit/${id}/copy`);
    await expect(page.locator("h1")).toBeVisible();
    await at(page, `${stage}-copy`);
  }
  await withFormBegun(page, records.get("scheduled") ?? "", at);
  await context.close();
}

/** A contact that is begun: its form, another step of the record, and the list. */
async function withFormBegun(page: Page, id: string, at: AtPage): Promise<void> {
  await go(page, `/visit/${id}/contact`);
  const form = page.locator('[data-field="contacts"]');
  await form.getByRole("radiogroup").last().getByRole("radio").first().click();
  await form.getByRole("textbox").fill("…");
  await expect(page.getByTestId("save-state")).toHaveAttribute("data-state", "saved");
  await at(page, "draft-contact");
  await go(page, `/visit/${id}/talk`);
  await expect(page.getByTestId("drafts")).toBeVisible();
  await at(page, "draft-talk");
  await go(page, "/");
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
  await at(page, "draft-today");
}

/** Has a record that was visited leave the phone, as long as something is done there. */
async function takenAway(
  office: Office,
  page: Page,
  records: Map<string, string>,
  work: () => Promise<void>,
): Promise<void> {
  const desk = await office.api("lin.yue", DEMO);
  const id = records.get("reviewed") ?? "";
  const { assignment } = await desk.get<VisitView>(`/api/visits/${id}`);
  await desk.command(id, { do: "assign", collectors: [] });
  await expect(page.getByTestId("past-card")).toHaveCount(1);
  await work();
  await desk.command(id, { do: "assign", collectors: assignment.collectors });
  await expect(page.getByTestId("past-card")).toHaveCount(0);
}

export async function walkConsole(browser: Browser, office: Office, look: Look, at: AtPage): Promise<void> {
  const records = await oneInEachStage(office);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  await wear(context, look);
  const page = await context.newPage();
  await page.goto(`${office.url}/office/`);
  await expect(page.locator("input[type=password]")).toBeVisible();
  await at(page, "sign-in");
  await enter(page, "lin.yue");
  await expect(page.getByTestId("visit-row").first()).toBeVisible();
  await at(page, "list");
  // Every page that the console's own navigation leads to.
  const links = await page
    .locator("header a[href], nav a[href]")
    .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
  for (const url of new Set(links.filter((url) => /\/office\/\w/.test(url) && !url.includes("#")))) {
    // With what it lists.
    await page.goto(url, { waitUntil: "networkidle" });
    await expect(page.locator("h1, h2").first()).toBeVisible();
    await at(page, url.split("/").pop() ?? "");
  }
  for (const [stage, id] of records) {
    await page.goto(`${office.url}/office/visits/${id}`, { waitUntil: "networkidle" });
    await expect(page.locator("h1, h2").first()).toBeVisible();
    await at(page, `record-${stage}`);
  }
  await context.close();
}
