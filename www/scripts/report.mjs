/** Files of measured figures, one a scenario. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const round = (value) => Math.round(value * 1_000) / 1_000;

/**
 * Writes medians, the least and the greatest value of `runs`, and prints a line. A run is an object of
 * figures. The file is named after the scenario unless `name` is given.
 */
export function report(folder, scenario, parameters, runs, name = scenario) {
  const of = (reduce) =>
    Object.fromEntries(Object.keys(runs[0]).map((figure) => [figure, reduce(runs.map((run) => run[figure]))]));
  const figures = of((values) => round(median(values)));
  const spread = of((values) => [round(Math.min(...values)), round(Math.max(...values))]);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ scenario, parameters, figures, spread, runs: runs.length }, null, 2);
  writeFileSync(join(folder, `${name}.json`), `${text}\n`);
  const line = Object.entries(figures).map(([figure, value]) => `${figure} ${Math.round(value)}`);
  process.stdout.write(`${name.padEnd(32)}  ${line.join("  ")}\n`);
}

/** The name of a file with its unusual parameters. */
export function nameOf(scenario, { records, depth, rtt_ms }, client) {
  const parts = [records === 1_000 ? "" : records, depth === 30 ? "" : `d${depth}`, rtt_ms === 0 ? "" : `rtt${rtt_ms}`];
  return [scenario, ...parts.filter(String), client].join("-");
}
