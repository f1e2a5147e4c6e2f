/** The browser that tests drive, and profiles that outlive it. */
import {
  chromium,
  type BrowserContext,
  type LaunchOptions,
} from "@playwright/test";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const DEBIAN_CHROMIUM = "/usr/bin/chromium";

const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Debian's Chromium where it is, else Playwright's own. */
export function launchOptions(): LaunchOptions {
  return {
    args: process.getuid?.() === 0 ? [...ARGS, "--no-sandbox"] : ARGS,
    ...(existsSync(DEBIAN_CHROMIUM) ? { executablePath: DEBIAN_CHROMIUM } : {}),
  };
}

export function browserOptions(): { launchOptions: LaunchOptions } {
  return { launchOptions: launchOptions() };
}

/** A phone: a browser over a profile on disk, which a kill leaves as it is. */
export function phone(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    ...launchOptions(),
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    locale: "en-GB",
    timezoneId: "Asia/Shanghai",
    geolocation: { latitude: 29.8683, longitude: 121.544, accuracy: 12 },
    permissions: ["geolocation"],
  });
}

/** Kills the browser over a profile as the system kills an app: no warning, nothing flushed. */
export async function kill(
  context: BrowserContext,
  profile: string,
): Promise<void> {
  const closed = new Promise((resolve) => context.once("close", resolve));
  const pids = execFileSync("pgrep", ["-f", `user-data-dir=${profile}`], {
    encoding: "utf8",
  });
  for (const pid of pids.trim().split("\n")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // A child that went with its parent.
    }
  }
  await closed;
}
