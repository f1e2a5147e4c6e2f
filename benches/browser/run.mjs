/**
 * The phone's core in Chromium, with IndexedDB and the app's driver, through the proxy that counts:
 * a first sync, a reconnect after edits on both sides, a start with nothing new.
 *
 * `node run.mjs OUTPUT WORLD`. WORLD is a folder that `rounds --prepare` made.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHROMIUM, FLAGS } from "../../www/scripts/office.mjs";
import { nameOf, report } from "../../www/scripts/report.mjs";
import { startProxy } from "../peers/lib/proxy.mjs";
import { serve } from "../peers/systems/doorstep.mjs";

const web = createRequire(new URL("../../www/package.json", import.meta.url));
const { chromium } = web("@playwright/test");
const RUNS = 3;
const RTTS = [0, 200];
const PASSWORD = "correct horse battery";

const [output, world] = process.argv.slice(2);
const workload = JSON.parse(readFileSync(join(world, "workload.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "doorstep-browser-"));
try {
  await measure();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function measure() {
  cpSync(join(world, "office.sqlite3"), join(folder, "office.sqlite3"));
  const office = await serve(folder, workload);
  const executablePath = existsSync(CHROMIUM) ? CHROMIUM : undefined;
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  let run = 0;
  for (const rtt of RTTS) {
    const proxy = await startProxy(office.port, { rtt });
    const page = await (await browser.newContext()).newPage();
    await prepare(page, proxy.port);
    const runs = { first_sync: [], reconnect: [], idle: [] };
    let device;
    for (let number = 0; number < (rtt === 0 ? RUNS : 1); number += 1) {
      const session = await page.evaluate(signIn, PASSWORD);
      device = { session, store: `bench-${number}` };
      runs.first_sync.push(await once(page, proxy, device));
    }
    for (let number = 0; number < RUNS; number += 1) {
      const edits = workload.runs[run];
      run += 1;
      const own = edits.device.map(({ record, step }) => ({
        id: office.ids[record],
        step,
      }));
      await page.evaluate(start, { ...device, edits: own });
      await office.edit(edits.office);
      const { list_ms: _, ...reconnect } = await once(page, proxy, device);
      runs.reconnect.push(reconnect);
      await office.holds(edits.device);
      const { list_ms: __, ...idle } = await once(page, proxy, device);
      runs.idle.push(idle);
    }
    proxy.close();
    for (const [scenario, figures] of Object.entries(runs)) {
      const changed = scenario === "reconnect" ? 10 : 0;
      const parameters = {
        records: office.ids.length,
        depth: workload.depth,
        rtt_ms: rtt,
        changed,
        client: "chromium",
      };
      report(output, scenario, parameters, figures, nameOf(scenario, parameters, "chromium"));
    }
  }
  await browser.close();
}

/** An empty page of the office's origin that has the worker's program. */
async function prepare(page, port) {
  const { build } = web("esbuild");
  const built = await build({
    entryPoints: [fileURLToPath(new URL("worker.js", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    define: { __VERSION__: '"bench"' },
  });
  const url = `http://127.0.0.1:${port}/bench`;
  await page.route(url, (route) => route.fulfill({ contentType: "text/html", body: "<title>bench</title>" }));
  await page.goto(url);
  await page.unroute(url);
  const wasm = readFileSync(new URL("../../www/src/wasm/doorstep_bg.wasm", import.meta.url)).toString("base64");
  await page.evaluate(
    ([program, wasm]) => {
      window.program = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
      window.wasm = Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0));
    },
    [built.outputFiles[0].text, wasm],
  );
}

async function signIn(password) {
  const response = await fetch("/api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "chen.jie", password }),
  });
  return response.json();
}

async function once(page, proxy, device) {
  proxy.hangUp();
  proxy.reset();
  const times = await page.evaluate(start, device);
  const { up, down, requests } = proxy.counts;
  return {
    bytes_up: up,
    bytes_down: down,
    requests,
    list_ms: times.list,
    wall_ms: times.inStep,
  };
}

/** Runs a worker until it has edited or is up to date; gives when, ms after its start. */
async function start(message) {
  const began = performance.timeOrigin + performance.now();
  const worker = new Worker(window.program, { type: "module" });
  worker.postMessage({
    ...message,
    wasm: window.wasm,
    origin: location.origin,
  });
  const answer = await new Promise((done) => (worker.onmessage = ({ data }) => done(data)));
  worker.terminate();
  if (answer.failed) throw new Error(answer.failed);
  return {
    list: (answer.list ?? began) - began,
    inStep: answer.inStep - began,
  };
}
