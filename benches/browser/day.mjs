/**
 * A day of 25 visits with 50 photos on a small phone: `DOORSTEP_BINARY=… node day.mjs OUTPUT`.
 *
 * The page runs at a sixth of the machine's speed and with 256 MiB of JavaScript memory. The browser's
 * throttling does not reach workers; their part is seen in the waits, not in the long tasks. Long tasks
 * are those of the page while a note is typed, a letter each 120 ms. A crash, a failed save or a photo
 * that does not arrive ends the run with an error. Figures of a busy machine mean nothing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { CHROMIUM, FLAGS, signIn, waitForSync, withOffice } from "../../www/scripts/office.mjs";
import { report } from "../../www/scripts/report.mjs";

const { chromium } = createRequire(new URL("../../www/package.json", import.meta.url))("@playwright/test");
const VISITS = Number(process.env.VISITS ?? 25);
const PHOTOS_PER_VISIT = 2;
const SLOWDOWN = 6;
const MEMORY_MIB = 256;
const LONG_MS = 100;
const LETTER_MS = 120;
const NOTE = "Spoke with the borrower at the door, will call again on Friday. 借款人在家，周五再联系。";
/** A phone waits longer than a person would. */
const PATIENCE_MS = 120_000;

await withOffice(VISITS, async (url) => {
  const executablePath = existsSync(CHROMIUM) ? CHROMIUM : undefined;
  const flags = [...FLAGS, `--js-flags=--max-old-space-size=${MEMORY_MIB}`];
  const browser = await chromium.launch({ executablePath, args: flags });
  const context = await browser.newContext({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  let crashed = false;
  page.on("crash", () => (crashed = true));
  await signIn(page, url);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  const rows = page.getByTestId("visit-row");
  const began = Date.now();
  let peakMib = 0;
  const tasks = [];
  const visits = [];
  for (let visit = 0; visit < VISITS; visit += 1) {
    const from = Date.now();
    await rows.nth(visit).click();
    await page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name: "Record" }).click();
    tasks.push(...(await type(page)));
    for (let photo = 1; photo <= PHOTOS_PER_VISIT; photo += 1) {
      const file = { name: "photo.jpg", mimeType: "image/jpeg", buffer: await picture(page, visit * 10 + photo) };
      await page.getByLabel("Take a photo").first().setInputFiles(file);
      await page.getByTestId("attachment").nth(photo - 1).waitFor();
    }
    peakMib = Math.max(peakMib, memoryMib());
    visits.push(Date.now() - from);
    if (crashed) throw new Error(`the page crashed at visit ${visit + 1}`);
    await page.goBack();
    await page.goBack();
    await rows.first().waitFor();
  }
  const day_ms = Date.now() - began;
  await waitForSync(page);
  // "At the office" is said after the office has verified the bytes.
  await page.waitForFunction(
    async () => {
      const { usage } = await navigator.storage.estimate();
      return usage > 0 && !document.body.textContent.includes("photo waiting");
    },
    undefined,
    { timeout: PATIENCE_MS },
  );
  const synced_ms = Date.now() - began - day_ms;
  const long = tasks.filter((ms) => ms > LONG_MS);
  report(process.argv[2] ?? "bench", "day", { visits: VISITS, photos: VISITS * PHOTOS_PER_VISIT, slowdown: SLOWDOWN }, [
    {
      day_ms,
      slowest_visit_ms: Math.max(...visits),
      synced_ms,
      long_tasks: long.length,
      longest_task_ms: Math.max(0, ...tasks),
      peak_mib: peakMib,
    },
  ]);
  await browser.close();
});
process.exit();

/** Types the note; gives the lengths of the page's tasks above 50 ms meanwhile, ms. */
async function type(page) {
  const notes = page.getByLabel("Notes");
  await notes.click();
  await page.evaluate(() => {
    window.tasks = [];
    window.observer = new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.duration)));
    window.observer.observe({ type: "longtask" });
  });
  for (const letter of NOTE) {
    await page.keyboard.insertText(letter);
    await page.waitForTimeout(LETTER_MS);
  }
  const tasks = await page.evaluate(() => {
    window.tasks.push(...window.observer.takeRecords().map((entry) => entry.duration));
    window.observer.disconnect();
    return window.tasks;
  });
  await notes.blur();
  await page.locator('[data-testid=save-state][data-state="saved"]').waitFor();
  return tasks;
}

/** A photo of 12 megapixels, each another one. */
async function picture(page, seed) {
  const encoded = await page.evaluate(async (seed) => {
    const canvas = new OffscreenCanvas(4000, 3000);
    const context = canvas.getContext("2d");
    for (let x = 0; x < 4000; x += 40) {
      context.fillStyle = `hsl(${(x + seed * 37) % 360} 60% 50%)`;
      context.fillRect(x, (x * seed) % 3000, 40, 1500);
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer());
    return bytes.reduce((text, byte) => text + String.fromCharCode(byte), "");
  }, seed);
  return Buffer.from(encoded, "latin1");
}

/** Memory of the largest process that this program's browser has, MiB. */
function memoryMib() {
  const listed = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = new Map(listed.map((line) => line.trim().split(/\s+/).map(Number)));
  const isOwn = (pid) => pid === process.pid || (parents.has(pid) && parents.get(pid) > 1 && isOwn(parents.get(pid)));
  const sizes = [...parents.keys()].filter(isOwn).map((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return status.includes("chrom") ? Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 : 0;
    } catch {
      return 0; // ended meanwhile
    }
  });
  return Math.round(Math.max(0, ...sizes));
}
