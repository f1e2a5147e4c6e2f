/** Runs the real binary with a database of its own, for measurements. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const COLLECTOR = "chen.jie";
export const SUPERVISOR = "lin.yue";
export const PASSWORD = "correct horse battery";
export const PIN = "246813";
/** Debian's Chromium; without it, the one that Playwright installs. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];

const binary = process.env.DOORSTEP_BINARY;
if (!binary) throw new Error("set DOORSTEP_BINARY to the built doorstep");

/** Serves `count` invented cases of one collector, with more `flags`, while `work` runs with the office's URL. */
export async function withOffice(count, work, flags = []) {
  const folder = mkdtempSync(join(tmpdir(), "doorstep-measure-"));
  const database = `sqlite:${join(folder, "office.sqlite3")}`;
  const run = (args, input = "") =>
    execFileSync(binary, [...args, "--database", database], { input, encoding: "utf8" });
  run(["user", "add", COLLECTOR, "--role", "collector"], `${PASSWORD}\n`);
  run(["user", "add", SUPERVISOR, "--role", "supervisor"], `${PASSWORD}\n`);
  const sheet = join(folder, "cases.csv");
  writeFileSync(sheet, cases(count));
  run(["import", "cases", sheet, "--assign-to", COLLECTOR, "--json"]);
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--database", database, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await work(await address(child));
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function address(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /listening on (https?:\S+)/.exec(line);
    if (found) {
      child.stdout.resume();
      return found[1];
    }
  }
  throw new Error("the office did not start");
}

/** A sheet of invented cases. */
function cases(count) {
  const rows = Array.from({ length: count }, (_, at) => {
    const due = new Date(Date.UTC(2026, 10, 1 + (at % 90))).toISOString().slice(0, 10);
    return [`M-${String(at).padStart(6, "0")}`, `借款人${at}`, `宁波市样板路${at}号`, 1000 + at * 7, "CNY", due].join(
      ",",
    );
  });
  return ["case_no,borrower_name,address,overdue_amount,currency,due_date", ...rows].join("\n");
}

async function enter(page, name) {
  await page.locator("input").first().fill(name);
  await page.locator("input[type=password]").fill(PASSWORD);
  await page.locator("button[type=submit]").click();
}

/** Signs the supervisor in at the console; resolves when the list is there. */
export async function openConsole(page, url) {
  await page.goto(`${url}/office/`);
  await enter(page, SUPERVISOR);
  await page.getByTestId("list-total").waitFor();
}

/** Signs the collector in on a new phone, with a PIN; resolves after the first sync. */
export async function signIn(page, url) {
  await page.goto(url);
  await enter(page, COLLECTOR);
  const form = page.getByTestId("choose-pin");
  await form.waitFor();
  for (const field of await form.locator("input[type=password]").all()) await field.fill(PIN);
  await form.locator("button[type=submit]").click();
  await waitForSync(page);
}

export async function unlock(page) {
  const form = page.getByTestId("unlock");
  await form.locator("input").fill(PIN);
  await form.locator("button[type=submit]").click();
}

export async function waitForSync(page) {
  await page.locator('[data-testid=sync-status][data-state="in-step"]').waitFor({ timeout: 300_000 });
}
