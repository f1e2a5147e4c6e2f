/**
 * Compares what work on a record costs, in instructions, and what a phone loads, in bytes, with
 * `baseline.json`. Growth above 3 % fails unless the commit takes it into the baseline, with a reason.
 *
 * `node guard.mjs` compares; `node guard.mjs --update REASON` writes a new baseline.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sizes } from "../www/scripts/sizes.mjs";

const LIMIT = 0.03;
const FILE = new URL("baseline.json", import.meta.url);
const MEASURED = "instructions::measured";

const baseline = JSON.parse(readFileSync(FILE, "utf8"));
const run = (command, args) =>
  execFileSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
/** What instruction counts depend on besides the code: libraries choose routines by the processor. */
const FEATURES = ["avx2", "avx512f", "bmi2", "erms", "fsrm", "pclmulqdq", "sha_ni", "sse4_2"];
const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].trim().split(" "));
const machine = [
  run("rustc", ["--version"]).trim(),
  run("valgrind", ["--version"]).trim(),
  ...FEATURES.filter((feature) => flags.has(feature)),
].join(", ");
const now = { instructions: count(), bytes: sizes() };

const [option, reason] = process.argv.slice(2);
if (option === "--update") update(reason);
else compare();

/** Instructions of each piece of work, counted by callgrind in the build that the tests use. */
function count() {
  const folder = mkdtempSync(join(tmpdir(), "doorstep-guard-"));
  try {
    const program = build();
    run(program, ["--prepare", folder]);
    const names = run("valgrind", [
      "--tool=callgrind",
      `--callgrind-out-file=${join(folder, "count")}`,
      `--toggle-collect=${MEASURED}`,
      `--dump-after=${MEASURED}`,
      program,
      "--measure",
      folder,
    ]);
    const dumps = readdirSync(folder).filter((name) => /^count\.\d+$/.test(name));
    const counts = names
      .trim()
      .split("\n")
      .map((name, at) => [name, total(join(folder, `count.${at + 1}`))]);
    if (dumps.length < counts.length) throw new Error(`${dumps.length} dumps for ${counts.length} pieces of work`);
    return Object.fromEntries(counts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function build() {
  const args = ["build", "--quiet", "--bench", "instructions"];
  const lines = run("cargo", [...args, "--message-format=json"])
    .trim()
    .split("\n");
  const artifacts = lines.map((line) => JSON.parse(line));
  return artifacts.find(({ target, executable }) => executable && target.name === "instructions").executable;
}

function total(file) {
  const found = /^(?:summary|totals): (\d+)/m.exec(readFileSync(file, "utf8"));
  if (!found || found[1] === "0") throw new Error(`callgrind counted nothing in ${file}`);
  return Number(found[1]);
}

function update(reason) {
  if (!reason?.trim()) throw new Error('say why: make baseline REASON="…"');
  writeFileSync(FILE, `${JSON.stringify({ reason, machine, ...now }, null, 2)}\n`);
  process.stdout.write(`baseline: updated, "${reason}"\n`);
}

function compare() {
  const same = machine === baseline.machine;
  if (!same)
    process.stdout.write(
      `costs: the baseline is of ${baseline.machine}; instructions are NOT compared with it on ${machine}\n`,
    );
  const grown = [];
  for (const kind of same ? ["instructions", "bytes"] : ["bytes"])
    for (const [name, value] of Object.entries(now[kind])) {
      const was = baseline[kind][name];
      const change = was === undefined ? Infinity : value / was - 1;
      const line = `${name.padEnd(18)}${String(was ?? "–").padStart(12)} → ${String(value).padStart(12)} ${kind.padEnd(13)}`;
      process.stdout.write(
        `${line}${Number.isFinite(change) ? `${(change * 100).toFixed(1)} %` : "not in the baseline"}\n`,
      );
      if (change > LIMIT) grown.push(name);
    }
  if (grown.length === 0) return;
  process.stderr.write(
    `costs: grown by more than ${LIMIT * 100} %: ${grown.join(", ")}. Find out why; if it is worth it: make baseline REASON="why"\n`,
  );
  process.exitCode = 1;
}
