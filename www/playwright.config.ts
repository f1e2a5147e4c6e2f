/** Browser tests: the real binary in a real Chromium, two files at a time. */
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** Where Debian's package puts it. Elsewhere Playwright's own is used; `.ci/setup` installs either. */
const SYSTEM_CHROMIUM = "/usr/bin/chromium";

export default defineConfig({
  testDir: "../tests/browser",
  testIgnore: "engines/**",
  outputDir: "./test-results",
  // Two cores in CI: a test often waits for what takes its time. Each has an office of its own.
  workers: 2,
  // What passes only then is named as flaky: a defect to look for, but no reason to stop everybody.
  retries: 1,
  forbidOnly: process.env.CI !== undefined,
  reporter: "list",
  // Whatever takes long on a busy machine is waited for.
  timeout: 180_000,
  expect: { timeout: 20_000 },
  use: {
    launchOptions: {
      executablePath: existsSync(SYSTEM_CHROMIUM) ? SYSTEM_CHROMIUM : undefined,
      args: [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
    locale: "en-GB",
    timezoneId: "Asia/Shanghai",
    // A trace costs a tenth of the time that a test takes, pictures of every moment a third.
    trace: { mode: "on-first-retry", screenshots: false, snapshots: true },
  },
});
