/** Chromium and Firefox, over Puppeteer: the DevTools protocol and WebDriver BiDi. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chromium as playwright } from "@playwright/test";
import puppeteer, { type Browser as PuppeteerBrowser, type LaunchOptions, type Page } from "puppeteer-core";
import { killGroup, POSITION, SCREEN, type Browser, type Engine, type Point, type Tab } from "./driver";

const FIREFOX = "/usr/bin/firefox-esr";
const SYSTEM_CHROMIUM = "/usr/bin/chromium";

const chromiumPath = (): string => (existsSync(SYSTEM_CHROMIUM) ? SYSTEM_CHROMIUM : playwright.executablePath());

export const chromium: Engine = {
  name: "chromium",
  missing: () => (existsSync(chromiumPath()) ? undefined : "chromium"),
  start: (profile) =>
    start({
      browser: "chrome",
      executablePath: chromiumPath(),
      userDataDir: profile,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--lang=en-GB",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
      ],
    }),
};

export const firefox: Engine = {
  name: "firefox",
  missing: () => (existsSync(FIREFOX) ? undefined : "firefox-esr"),
  start: (profile) =>
    start({
      browser: "firefox",
      executablePath: FIREFOX,
      userDataDir: profile,
      extraPrefsFirefox: {
        "intl.accept_languages": "en-GB, en",
        // The position comes from here, without a prompt.
        "geo.prompt.testing": true,
        "geo.prompt.testing.allow": true,
        "geo.provider.network.url": `data:application/json,${JSON.stringify({
          location: { lat: POSITION.latitude, lng: POSITION.longitude },
          accuracy: POSITION.accuracy,
        })}`,
        "media.navigator.streams.fake": true,
        "media.navigator.permission.disabled": true,
        // After a kill it starts like any other time.
        "browser.sessionstore.resume_from_crash": false,
        "toolkit.startup.max_resumed_crashes": -1,
      },
    }),
};

async function start(options: LaunchOptions): Promise<Browser> {
  const browser = await puppeteer.launch({ ...options, headless: true, defaultViewport: SCREEN, timeout: 60_000 });
  const pid = browser.process()?.pid;
  if (pid === undefined) throw new Error("the browser has no process");
  const gone = new Promise<void>((done) => browser.process()?.once("exit", () => done()));
  const [page] = await browser.pages();
  return {
    first: tab(page ?? (await browser.newPage()), browser),
    newTab: async () => tab(await browser.newPage(), browser),
    async kill() {
      killGroup(pid);
      await gone;
      await preferencesRestored(options.userDataDir ?? "");
    },
    async close() {
      await browser.close().catch(() => undefined);
      killGroup(pid);
      await gone;
    },
  };
}

/** After Firefox has ended Puppeteer puts the preferences back that it replaced; the next start must not meet that. */
async function preferencesRestored(profile: string): Promise<void> {
  const copies = ["prefs.js", "user.js"].map((name) => join(profile, `${name}.puppeteer`));
  for (let n = 0; n < 50 && copies.some(existsSync); n += 1) await new Promise((done) => setTimeout(done, 100));
  for (const copy of copies) rmSync(copy, { force: true });
}

function tab(page: Page, browser: PuppeteerBrowser): Tab {
  // Chromium takes its position from the protocol, per page and origin.
  const chrome = browser.wsEndpoint().includes("/devtools/");
  return {
    async open(url) {
      if (chrome) {
        await browser.defaultBrowserContext().overridePermissions(new URL(url).origin, ["geolocation"]);
        await page.setGeolocation(POSITION);
      }
      await page.goto(url, { waitUntil: "load", timeout: 60_000 });
    },
    async reload() {
      await page.reload({ waitUntil: "load", timeout: 60_000 });
    },
    // Puppeteer's types also allow handles of elements.
    evaluate: (fn, ...args) => page.evaluate(fn as never, ...(args as unknown as never[])),
    async drag([from, ...rest]: Point[]) {
      if (!from) return;
      await page.bringToFront();
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      for (const { x, y } of rest) await page.mouse.move(x, y);
      await page.mouse.up();
    },
    async type(text) {
      await page.keyboard.type(text);
    },
    close: () => page.close(),
  };
}
