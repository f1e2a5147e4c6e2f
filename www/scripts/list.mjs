/**
 * The list of 5,000 records on a slow phone: from the start of the app, offline, to the first row after
 * the PIN; then the fastest fling that phones allow, the scroll bar dragged by a screen per frame, and a
 * search. It measures long tasks of the page, during which the page does not respond.
 * `node list.mjs FOLDER`
 */
import { existsSync } from "node:fs";
import { chromium } from "@playwright/test";
import { CHROMIUM, FLAGS, waitForSync, signIn, unlock, withOffice } from "./office.mjs";
import { report } from "./report.mjs";

const RECORDS = 5_000;
/** Chromium's factor for a low-end phone. */
const SLOWDOWN = 6;
const RUNS = 3;
/** Pixels per second: Android's limit. */
const FLING = 8_000;
const FLING_MS = 4_000;
/** Pixels per frame. */
const DRAG = 900;
const FRAMES = 120;

const executablePath = existsSync(CHROMIUM) ? CHROMIUM : undefined;
const p95 = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)];

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
  await waitForSync(page);
  await context.setOffline(true);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await once(page, url));
  await browser.close();
  report(process.argv[2] ?? "bench", "list_5000", { records: RECORDS, cpu_slowed: SLOWDOWN }, runs);
});

/** Longest task since the last call, ms; 0 if none was longer than 50. */
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
  // The work after the first rows are shown belongs to the opening.
  await page.waitForTimeout(2_000);
  const open_longest_task_ms = await longest(page);
  const flung = await page.evaluate(fling, [FLING, FLING_MS]);
  const fling_longest_task_ms = await longest(page);
  const pulled = await page.evaluate(pull, [DRAG, FRAMES]);
  const pull_longest_task_ms = await longest(page);
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
    fling_longest_task_ms,
    fling_frame_p95_ms: p95(flung),
    pull_longest_task_ms,
    pull_frame_p95_ms: p95(pulled),
    search_longest_task_ms,
  };
}

/** Scrolls at a constant speed, however long frames take; returns how long each took, ms. */
async function fling([speed, length]) {
  const frames = [];
  const begin = performance.now();
  for (let last = begin; last < begin + length;) {
    const now = await new Promise((done) => requestAnimationFrame(() => done(performance.now())));
    frames.push(now - last);
    scrollBy(0, (speed * (now - last)) / 1_000);
    last = now;
  }
  return frames;
}

/** Scrolls by the same distance in every frame; returns how long each took, ms. */
async function pull([step, count]) {
  const frames = [];
  for (let last = performance.now(); frames.length < count;) {
    scrollBy(0, step);
    const now = await new Promise((done) => requestAnimationFrame(() => done(performance.now())));
    frames.push(now - last);
    last = now;
  }
  return frames;
}
