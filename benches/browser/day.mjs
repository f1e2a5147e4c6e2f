/**
 * A day of 25 visits with 50 photos on a phone of 2 GB: `DOORSTEP_BINARY=… node day.mjs OUTPUT`.
 *
 * The browser has 1 GiB in all and 256 MiB of JavaScript memory; the process of the page and of its
 * workers has a sixth of a core. Without permission for control groups only the page is slowed, by the
 * browser, and memory is not limited; the figures name which. A task is what the page does while it
 * cannot respond, here while a note is typed, a letter each 120 ms. Its CPU time, times the slowdown,
 * depends less on what else the machine does than its duration. A crash, a failed save or a photo that
 * does not arrive at the office ends the run with an error.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHROMIUM, FLAGS, signIn, waitForSync, withOffice } from "../../www/scripts/office.mjs";
import { report } from "../../www/scripts/report.mjs";
import { limit } from "./limits.mjs";

const { chromium } = createRequire(new URL("../../www/package.json", import.meta.url))("@playwright/test");
/** The browser. */
const PROGRAM = existsSync(CHROMIUM) ? CHROMIUM : chromium.executablePath();
const VISITS = Number(process.env.VISITS ?? 25);
const PHOTOS_PER_VISIT = 2;
const SLOWDOWN = 6;
const HEAP_MIB = 256;
const MEMORY_MIB = 1_024;
const LONG_MS = 100;
const LETTER_MS = 120;
const NOTE = "Spoke with the borrower at the door, will call again on Friday. 借款人在家，周五再联系。";
/** A slow phone on a busy machine. */
const PATIENCE_MS = 300_000;
/** Name of the trace event for one task of a thread. */
const TASK = "ThreadControllerImpl::RunTask";

await withOffice(VISITS, async (url) => {
  const memory = limit("memory", MEMORY_MIB * 1024 * 1024);
  const cpu = limit("cpu", 1 / SLOWDOWN);
  const folder = mkdtempSync(join(tmpdir(), "doorstep-day-"));
  const browser = await chromium.launch({
    executablePath: memory ? startedIn(memory, folder) : PROGRAM,
    args: [...FLAGS, "--enable-low-end-device-mode", `--js-flags=--max-old-space-size=${HEAP_MIB}`],
  });
  try {
    const photos = await takePhotos();
    const context = await browser.newContext({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const crashed = new Promise((_, reject) => page.on("crash", () => reject(new Error("the page crashed"))));
    await signIn(page, url);
    if (cpu) for (const pid of renderers()) cpu.add(pid);
    else await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
    // Where the browser slows the page, it does so by burning CPU time.
    const figures = await Promise.race([day(browser, page, photos, cpu ? SLOWDOWN : 1), crashed]);
    const peak = memory?.peakBytes();
    if (peak) figures.peak_mib = peak / 1024 / 1024;
    const parameters = { visits: VISITS, photos: photos.length, slowdown: SLOWDOWN, slowed: cpu ? "process" : "page" };
    report(process.argv[2] ?? "bench", "day", parameters, [figures]);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
    for (const group of [memory, cpu]) group?.remove();
  }
});
process.exit();

/** A program that joins a group and becomes the browser. */
function startedIn(group, folder) {
  const program = join(folder, "browser");
  writeFileSync(program, `#!/bin/sh\necho $$ > ${group.processes}\nexec ${PROGRAM} "$@"\n`, { mode: 0o755 });
  return program;
}

/** `factor`: from CPU time here to CPU time on the phone. */
async function day(browser, page, photos, factor) {
  const began = Date.now();
  const tasks = [];
  const visits = [];
  for (let number = 0; number < VISITS; number += 1) {
    const from = Date.now();
    await page.getByRole("searchbox").fill(`M-${String(number).padStart(6, "0")}`);
    await page.getByTestId("visit-row").first().click();
    await choose(page, "Outcome", "Reached");
    await page.getByRole("button", { name: "Log contact" }).click();
    await page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name: "Record" }).click();
    const typing = await type(browser, page);
    tasks.push(...typing.map(({ ms, cpu_ms }) => ({ ms, cpu_ms: cpu_ms * factor })));
    for (let nth = 0; nth < PHOTOS_PER_VISIT; nth += 1) {
      const buffer = photos[number * PHOTOS_PER_VISIT + nth];
      const file = { name: "photo.jpg", mimeType: "image/jpeg", buffer };
      await page.getByLabel("Take a photo").first().setInputFiles(file);
      await page.getByTestId("attachment").nth(nth).waitFor();
    }
    await choose(page, "Borrower met", "Considering");
    await page.getByRole("button", { name: "Seal record" }).click();
    await page.getByRole("button", { name: "Seal now" }).click();
    await page.getByTestId("signature").waitFor();
    visits.push(Date.now() - from);
    const cpu = longest(tasks, "cpu_ms");
    process.stderr.write(
      `visit ${number + 1}: ${visits.at(-1)} ms, longest task ${longest(tasks, "ms")} ms, ${cpu} ms of CPU time\n`,
    );
    await page.getByRole("link", { name: "Today" }).click();
    await page.getByRole("searchbox").waitFor();
  }
  const day_ms = Date.now() - began;
  await waitForSync(page);
  await photosArrive(page);
  return {
    day_ms,
    slowest_visit_ms: Math.max(...visits),
    synced_ms: Date.now() - began - day_ms,
    long_tasks: tasks.filter(({ ms }) => ms > LONG_MS).length,
    long_tasks_by_cpu: tasks.filter(({ cpu_ms }) => cpu_ms > LONG_MS).length,
    longest_task_ms: longest(tasks, "ms"),
    longest_task_cpu_ms: longest(tasks, "cpu_ms"),
  };
}

function longest(tasks, figure) {
  return Math.round(Math.max(0, ...tasks.map((task) => task[figure])));
}

function choose(page, group, name) {
  return page.getByRole("radiogroup", { name: group }).getByRole("radio", { name, exact: true }).click();
}

/** The sync dialog says how many files the office has not verified; nothing if it has all. */
async function photosArrive(page) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    await page.getByTestId("sync-status").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Sync now" }).waitFor();
    // The number is read after the dialog is shown.
    await page.waitForTimeout(1_000);
    const unsent = await dialog.locator(".lucide-paperclip").count();
    await page.keyboard.press("Escape");
    if (unsent === 0) return;
    await page.waitForTimeout(2_000);
  }
  throw new Error("photos did not arrive at the office");
}

/** Types the note and waits until it is saved; gives the page's tasks meanwhile, duration and CPU time, ms. */
async function type(browser, page) {
  const notes = page.getByLabel("Notes", { exact: true });
  await notes.click();
  await browser.startTracing(page, { categories: ["toplevel"] });
  for (const letter of NOTE) {
    await page.keyboard.insertText(letter);
    await page.waitForTimeout(LETTER_MS);
  }
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await notes.blur();
  await page.locator('[data-testid=save-state][data-state="saved"]').waitFor();
  const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const isMain = ({ pid, tid }) => mains.some((main) => main.pid === pid && main.tid === tid);
  return traceEvents
    .filter((event) => event.name === TASK && event.ph === "X" && isMain(event))
    .map(({ dur, tdur }) => ({ ms: dur / 1_000, cpu_ms: (tdur ?? 0) / 1_000 }));
}

/** Photos of 12 megapixels, each another one, from a browser without limits. */
async function takePhotos() {
  const browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
  const page = await browser.newPage();
  const photos = [];
  for (let seed = 1; seed <= VISITS * PHOTOS_PER_VISIT; seed += 1) {
    const encoded = await page.evaluate(async (seed) => {
      const canvas = new OffscreenCanvas(4_000, 3_000);
      const context = canvas.getContext("2d");
      for (let x = 0; x < 4_000; x += 40) {
        context.fillStyle = `hsl(${(x + seed * 37) % 360} 60% 50%)`;
        context.fillRect(x, (x * seed) % 3_000, 40, 1_500);
      }
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer());
      return bytes.reduce((text, byte) => text + String.fromCharCode(byte), "");
    }, seed);
    photos.push(Buffer.from(encoded, "latin1"));
  }
  await browser.close();
  return photos;
}

/** Process ids of this program's browser that run pages and their workers. */
function renderers() {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  const isOwn = (pid) => pid === String(process.pid) || (pid !== undefined && isOwn(parents.get(pid)));
  return all.filter((pid) => read(pid, "cmdline").includes("--type=renderer") && isOwn(pid));
}

function parentOf(pid) {
  return /^PPid:\s+(\d+)/m.exec(read(pid, "status"))?.[1];
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // ended meanwhile
  }
}
