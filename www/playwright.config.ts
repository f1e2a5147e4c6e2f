/** Browser tests: the real binary in a real Chromium, one test at a time. */
import { defineConfig } from "@playwright/test";
import { launchOptions } from "../tests/browser/launch";

export default defineConfig({
  testDir: "../tests/browser",
  outputDir: "./test-results",
  workers: 1,
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  reporter: "list",
  timeout: 60_000,
  use: {
    launchOptions,
    locale: "en-GB",
    timezoneId: "Asia/Shanghai",
    trace: "retain-on-failure",
  },
});
