/**
 * The app's first load over slow 3G (400 kbit/s, 400 ms), sign-in and first sync of 100 records
 * included: `node firstLoad.mjs OUTPUT`. The proxy shapes the link, since the browser's own throttling
 * does not reach workers.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { CHROMIUM, COLLECTOR, FLAGS, PASSWORD, PIN, withOffice } from "../../www/scripts/office.mjs";
import { report } from "../../www/scripts/report.mjs";
import { startProxy } from "../peers/lib/proxy.mjs";

const { chromium } = createRequire(new URL("../../www/package.json", import.meta.url))("@playwright/test");
const LINK = { rtt: 400, bytesPerSecond: 50_000 };
const RECORDS = 100;
const RUNS = 3;

await withOffice(RECORDS, async (url) => {
  const executablePath = existsSync(CHROMIUM) ? CHROMIUM : undefined;
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) {
    const proxy = await startProxy(Number(new URL(url).port), LINK);
    const context = await browser.newContext();
    runs.push(await once(await context.newPage(), proxy));
    await context.close();
    proxy.close();
  }
  await browser.close();
  report(process.argv[2] ?? "bench", "first_load", { records: RECORDS, rtt_ms: LINK.rtt, kbit_per_s: 400 }, runs);
});

async function once(page, proxy) {
  const began = Date.now();
  await page.goto(`http://127.0.0.1:${proxy.port}`);
  await page.locator("input[type=password]").waitFor({ timeout: 120_000 });
  const sign_in_form_ms = Date.now() - began;
  await page.locator("input").first().fill(COLLECTOR);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("button[type=submit]").click();
  const form = page.getByTestId("choose-pin");
  await form.waitFor({ timeout: 120_000 });
  const signed_in_ms = Date.now() - began;
  for (const field of await form.locator("input[type=password]").all()) await field.fill(PIN);
  await form.locator("button[type=submit]").click();
  await page.getByTestId("visit-row").first().waitFor({ timeout: 120_000 });
  const list_ms = Date.now() - began;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const ready_offline_ms = Date.now() - began;
  return {
    sign_in_form_ms,
    signed_in_ms,
    list_ms,
    ready_offline_ms,
    bytes_down: proxy.counts.down,
  };
}
