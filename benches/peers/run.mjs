/**
 * Doorstep and its peers at the same work, through a proxy that counts bytes: a first sync, a
 * reconnect after edits on both sides, a start with nothing new.
 *
 * `node run.mjs OUTPUT WORLD [SYSTEM…]`. WORLD is a folder that `rounds --prepare` made. Writes one
 * file a scenario and system.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./lib/child.mjs";
import { nameOf, report } from "../../www/scripts/report.mjs";
import { startProxy } from "./lib/proxy.mjs";

const SYSTEMS = ["doorstep", "loro", "pouchdb", "yjs", "automerge-repo"];
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const RTTS = [0, 200];
/** A link is at rest when nothing has crossed it for so long, ms. */
const QUIET_MS = 1_000;

const [output, world, ...chosen] = process.argv.slice(2);
const workload = JSON.parse(readFileSync(join(world, "workload.json"), "utf8"));
const parameters = { records: workload.records.length, depth: workload.depth };
for (const system of chosen.length > 0 ? chosen : SYSTEMS) await measure(system);

async function measure(system) {
  const folder = mkdtempSync(join(tmpdir(), "doorstep-peers-"));
  let run = 0;
  try {
    if (system === "doorstep") cpSync(join(world, "office.sqlite3"), join(folder, "office.sqlite3"));
    const server = new Child(system);
    const { port, ids, lengths } = await server.call("serve", {
      folder,
      file: join(world, "workload.json"),
    });
    const enrolled = await server.call("enrol");
    const device = { folder: join(folder, "device"), ids, enrolled };
    for (const rtt of RTTS) {
      const proxy = await startProxy(port, { rtt });
      const runs = { first_sync: [], reconnect: [], idle: [] };
      // The device of the first run goes on.
      for (let number = 0; number < (rtt === 0 ? RUNS : 1); number += 1) {
        const isFirst = rtt === 0 && number === 0;
        const fresh = isFirst
          ? device
          : {
              ...device,
              folder: join(folder, `device-${rtt}-${number}`),
              enrolled: await server.call("enrol"),
            };
        const expected = lengths.map((length, record) => length + added(record, run));
        runs.first_sync.push(
          await once(system, proxy, {
            ...fresh,
            task: "first",
            lengths: expected,
          }),
        );
      }
      for (let number = 0; number < RUNS; number += 1) {
        const edits = workload.runs[run];
        await edit(system, { ...device, edits: edits.device });
        await server.call("edit", { edits: edits.office });
        run += 1;
        const task = { ...device, task: "reconnect", edits: edits.office };
        runs.reconnect.push(await once(system, proxy, task, () => server.call("holds", { edits: edits.device })));
        runs.idle.push(await once(system, proxy, { ...device, task: "idle" }));
      }
      proxy.close();
      for (const [scenario, figures] of Object.entries(runs)) {
        const who = system === "doorstep" ? { client: "node" } : { peer: system, client: "node" };
        const all = {
          ...parameters,
          rtt_ms: rtt,
          changed: scenario === "reconnect" ? 10 : 0,
          ...who,
        };
        report(output, scenario, all, figures, nameOf(scenario, all, system === "doorstep" ? "node" : system));
      }
    }
    server.kill();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many characters the runs so far have added to the notes of a record. */
function added(record, runs) {
  const edits = workload.runs.slice(0, runs).flatMap(({ device, office }) => [...device, ...office]);
  return edits.filter((edit) => edit.record === record).reduce((sum, { step }) => sum + step.append.length, 0);
}

async function edit(system, argument) {
  const child = new Child(system);
  await child.call("device", { ...argument, task: "edit" });
  child.kill();
}

/** Starts a device, waits until both sides are in step, and gives what it cost. */
async function once(system, proxy, argument, serverHolds) {
  proxy.hangUp();
  proxy.reset();
  const began = Date.now();
  const beganQuiet = performance.now();
  const child = new Child(system);
  // Doorstep's device proves that both sides hold the same: asking the office meanwhile would only disturb.
  const early = system === "doorstep" ? undefined : serverHolds?.();
  const device = await child.call("device", { ...argument, port: proxy.port });
  const heldAt = await early;
  if (system === "doorstep") await serverHolds?.();
  let end = Math.max(device.at, heldAt ?? 0);
  if (argument.task === "idle" && !device.proves) end = began + (await quiet(proxy)) - beganQuiet;
  else await quiet(proxy);
  const { up, down, messagesUp, messagesDown, requests } = proxy.counts;
  const { cpu_ms } = await child.call("close");
  child.kill();
  const messages = messagesUp + messagesDown;
  return {
    bytes_up: up,
    bytes_down: down,
    ...(messages > 0 ? { messages_up: messagesUp, messages_down: messagesDown } : { requests }),
    wall_ms: end - began,
    cpu_ms,
  };
}

/** Resolves with the time of the last byte. */
async function quiet({ counts }) {
  while (counts.last === 0 || performance.now() - counts.last < QUIET_MS)
    await new Promise((done) => setTimeout(done, 50));
  return counts.last;
}
