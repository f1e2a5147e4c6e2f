/**
 * Lighthouse over the built apps as the real binary serves them: the field app's sign-in page and list in
 * the mobile profile, the console's list, a record and the dashboard in the desktop profile. Fails below
 * the minimum score. `node lighthouse.mjs FOLDER`
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "@playwright/test";
import lighthouse, { desktopConfig } from "lighthouse";
import { CHROMIUM, FLAGS, openConsole, signIn, withOffice } from "./office.mjs";
import { report } from "./report.mjs";

const MIN_SCORE = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices"];

const MOBILE = { profile: "mobile" };
const DESKTOP = { profile: "desktop", config: desktopConfig };

let low = false;
await withOffice(200, async (url) => {
  await inBrowser(async ({ port, newPage }) => {
    await measure(url, "sign_in", port, MOBILE);
    // The measured tab is unlocked as long as this one is.
    await signIn(await newPage(), url);
    await measure(url, "today", port, MOBILE);
  });
  await inBrowser(async ({ port, newPage }) => {
    const page = await newPage();
    await openConsole(page, url);
    const { rows } = await page.evaluate(async () => (await fetch("/api/visits?limit=1")).json());
    await measure(`${url}/office/`, "console_list", port, DESKTOP);
    await measure(`${url}/office/visits/${rows[0].id}`, "console_record", port, DESKTOP);
    await measure(`${url}/office/dashboard`, "console_dashboard", port, DESKTOP);
  });
});
if (low) process.exitCode = 1;

async function inBrowser(work) {
  const { port, stop } = await start();
  let browser;
  // Connects late: a connection attaches to every tab, also to one that is being measured.
  const newPage = async () => {
    browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    return browser.contexts()[0].newPage();
  };
  try {
    await work({ port, newPage });
  } finally {
    await browser?.close();
    stop();
  }
}

async function measure(url, page, port, { profile, config }) {
  // Keeps the profile signed in.
  const flags = { port, onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: "error" };
  const { lhr } = await lighthouse(url, flags, config);
  const figures = {};
  for (const name of CATEGORIES) figures[name.replace("-", "_")] = Math.round((lhr.categories[name].score ?? 0) * 100);
  for (const audit of ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "speed-index"]) {
    figures[`${audit.replaceAll("-", "_")}_ms`] = Math.round(lhr.audits[audit].numericValue ?? 0);
  }
  figures.cumulative_layout_shift = Number((lhr.audits["cumulative-layout-shift"].numericValue ?? 0).toFixed(3));
  report(process.argv[2] ?? "bench", `lighthouse_${page}`, { profile, page }, [figures]);
  for (const category of CATEGORIES) {
    if ((lhr.categories[category].score ?? 0) * 100 >= MIN_SCORE) continue;
    low = true;
    const costs = lhr.categories[category].auditRefs
      .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 1)
      .map(({ id }) => `${id} ${lhr.audits[id].displayValue ?? ""}`);
    process.stderr.write(`lighthouse: ${page}: ${category} is below ${MIN_SCORE}: ${costs.join(", ")}\n`);
  }
}

async function start() {
  const profile = mkdtempSync(join(tmpdir(), "doorstep-lighthouse-"));
  const child = spawn(
    CHROMIUM,
    [...FLAGS, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  for await (const line of createInterface({ input: child.stderr })) {
    const found = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(line);
    if (!found) continue;
    child.stderr.resume();
    const stop = () => {
      child.once("exit", () => rmSync(profile, { recursive: true, force: true }));
      child.kill();
    };
    return { port: Number(found[1]), stop };
  }
  throw new Error("Chromium did not start");
}
