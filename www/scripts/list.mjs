/**
 * The list of 5,000 records on a slow phone: from the start of the app, off line, over the PIN to the
 * first row, then flicks through all of it, and a search. What is measured are long tasks of the page: while
 * one runs, nothing that a person does is answered. `node list.mjs FOLDER`
 */
import { existsSync } from "node:fs";
import { chromium } from "@playwright/test";
import { CHROMIUM, FLAGS, inStep, report, signIn, unlock, withOffice } from "./office.mjs";

const RECORDS = 5_000;
/** As slow as a phone of the lower class is against this machine, by Chromium's own measure. */
const SLOWED = 6;
const RUNS = 3;

const executablePath = existsSync(CHROMIUM) ? CHROMIUM : undefined;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

await withOffice(RECORDS, async (url) => {
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await context.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) window.tasks.push({ startTime, duration });
    }).observe({ type: "longtask", buffered: true });
  });
  const page = await context.newPage();
  await signIn(page, url);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.reload();
  await unlock(page);
  await inStep(page);
  await context.setOffline(true);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await once(page, url));
  await browser.close();
  const figures = {};
  for (const name of Object.keys(runs[0])) figures[name] = Math.round(median(runs.map((run) => run[name])));
  report(process.argv[2] ?? "bench", "list_5000", { records: RECORDS, cpu_slowed: SLOWED }, figures, RUNS);
});

/** Longest task since the last look, ms; 0 where none was longer than 50. */
async function longest(page) {
  return page.evaluate(() => Math.max(0, ...window.tasks.splice(0).map(({ duration }) => duration)));
}

async function once(page, url) {
  await page.goto(url);
  await page.getByTestId("unlock").waitFor();
  const open_ms = await page.evaluate(() => performance.now());
  const shown = page.evaluate(
    () =>
      new Promise((done) => {
        addEventListener("submit", () => (window.submitted = performance.now()), { capture: true });
        const look = () =>
          document.querySelector("[data-testid=visit-row]")
            ? done(performance.now() - window.submitted)
            : requestAnimationFrame(look);
        look();
      }),
  );
  await unlock(page);
  const unlock_ms = await shown;
  // What the app still does once the first rows stand belongs to the opening.
  await page.waitForTimeout(2_000);
  const open_longest_task_ms = await longest(page);
  const frames = await page.evaluate(async () => {
    const gaps = [];
    let last = performance.now();
    for (let step = 0; step < 120; step += 1) {
      scrollBy(0, 900);
      await new Promise((done) => requestAnimationFrame(done));
      gaps.push(performance.now() - last);
      last = performance.now();
    }
    return gaps.sort((a, b) => a - b);
  });
  const scroll_longest_task_ms = await longest(page);
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
  await longest(page);
  await page.locator("input[type=search]").pressSequentially("M-0049", { delay: 60 });
  await page.waitForTimeout(1_000);
  const search_longest_task_ms = await longest(page);
  await page.locator("input[type=search]").fill("");
  await page.waitForTimeout(500);
  return {
    open_ms,
    unlock_ms,
    open_longest_task_ms,
    scroll_longest_task_ms,
    scroll_frame_p95_ms: frames[Math.floor(frames.length * 0.95)],
    search_longest_task_ms,
  };
}
