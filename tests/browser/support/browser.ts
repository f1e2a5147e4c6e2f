/** Browsers whose profile outlives them. */
import { readdirSync, readFileSync } from "node:fs";
import { chromium, test, type BrowserContext } from "@playwright/test";

/** A phone: a browser over a profile on disk, which a kill leaves as it is. `flags` are Chromium's. */
export function phone(profile: string, flags: string[] = []): Promise<BrowserContext> {
  const { args = [], ...options } = test.info().project.use.launchOptions ?? {};
  return chromium.launchPersistentContext(profile, {
    ...options,
    args: [...args, ...flags],
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
export async function kill(context: BrowserContext, profile: string): Promise<void> {
  const closed = new Promise((resolve) => context.once("close", resolve));
  // Playwright starts a browser as the leader of a process group of its own.
  for (const pid of browsers(profile)) process.kill(-pid, "SIGKILL");
  await closed;
}

/** Process ids of the browsers over a profile, without those that they started themselves. */
function browsers(profile: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const args = commandLine(pid);
      return args.includes(`--user-data-dir=${profile}`) && !args.some((arg) => arg.startsWith("--type="));
    })
    .map(Number)
    .filter(leadsGroup);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // ended meanwhile
  }
}

function leadsGroup(pid: number): boolean {
  // After the name, which may hold anything in its brackets: state, parent, process group.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(group) === pid;
}
