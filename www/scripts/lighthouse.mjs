/**
 * Lighthouse's mobile profile of the built app as the real binary serves it: the sign-in page, and
 * the list of a signed-in user. Fails below the minimum score. `node lighthouse.mjs FOLDER`
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "@playwright/test";
import lighthouse from "lighthouse";
import { CHROMIUM, FLAGS, signIn, withOffice } from "./office.mjs";
import { report } from "./report.mjs";

const MIN_SCORE = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices"];

let low = false;
await withOffice(200, async (url) => {
  const browser = await start();
  try {
    await measure(url, "sign_in", browser.port);
    const phone = await chromium.connectOverCDP(`http://127.0.0.1:${browser.port}`);
    // The measured tab is unlocked as long as this one is.
    await signIn(await phone.contexts()[0].newPage(), url);
    await measure(url, "today", browser.port);
    await phone.close();
  } finally {
    browser.stop();
  }
});
if (low) process.exitCode = 1;

async function measure(url, page, port) {
  // Keeps the profile signed in.
  const flags = { port, onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: "error" };
  const { lhr } = await lighthouse(url, flags);
  const figures = {};
  for (const name of CATEGORIES) figures[name.replace("-", "_")] = Math.round((lhr.categories[name].score ?? 0) * 100);
  for (const audit of ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "speed-index"]) {
    figures[`${audit.replaceAll("-", "_")}_ms`] = Math.round(lhr.audits[audit].numericValue ?? 0);
  }
  figures.cumulative_layout_shift = Number((lhr.audits["cumulative-layout-shift"].numericValue ?? 0).toFixed(3));
  report(process.argv[2] ?? "bench", `lighthouse_${page}`, { profile: "mobile", page }, [figures]);
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
