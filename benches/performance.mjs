/**
 * Writes the tables and plots of measured figures into docs/PERFORMANCE.md:
 * `node performance.mjs target/bench`. What has not been measured is left out.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const docs = new URL("../docs/", import.meta.url);
const [BEGIN, END] = ["<!-- figures: begin -->", "<!-- figures: end -->"];

const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const measured = files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));

/** In the order of the tables. */
const SYSTEMS = [
  { title: "**Doorstep**, native client", client: "native" },
  { title: "**Doorstep**, WebAssembly in Node", client: "node" },
  { title: "**Doorstep**, Chromium with IndexedDB", client: "chromium" },
  {
    title: "loro, cursor batch by hand (no checks, no proof)",
    peer: "loro",
    client: "node",
  },
  {
    title: "PouchDB + express-pouchdb (no merge)",
    peer: "pouchdb",
    client: "node",
  },
  { title: "Yjs + Hocuspocus", peer: "yjs", client: "node" },
  {
    title: "automerge-repo, Node server",
    peer: "automerge-repo",
    client: "node",
  },
];

function find(scenario, wanted) {
  const matches = ({ parameters }) =>
    Object.entries({
      depth: 30,
      rtt_ms: 0,
      records: 1_000,
      peer: undefined,
      ...wanted,
    }).every(([name, value]) => parameters[name] === value);
  return measured.find((file) => file.scenario === scenario && matches(file));
}

const number = (value) =>
  value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));
const bytes = (value) => (value < 10_000 ? `${number(value)} B` : `${number(value / 1_000)} KB`);
const ms = (value) => (value < 10_000 ? `${number(value)} ms` : `${number(value / 1_000)} s`);

/** A median with the least and the greatest value. */
function spread(file, figure, unit) {
  if (!file || file.figures[figure] === undefined) return "–";
  const [least, greatest] = file.spread?.[figure] ?? [];
  const median = unit(file.figures[figure]);
  return least === undefined || unit(least) === unit(greatest)
    ? median
    : `${median} (${number(least)}–${number(greatest)})`;
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

function compared(scenario) {
  const heads = ["", "up", "down", "requests or messages", "time", "time at 200 ms", "client CPU"];
  const rows = SYSTEMS.flatMap(({ title, client, peer }) => {
    const file = find(scenario, { client, peer });
    if (!file) return [];
    const { bytes_up, bytes_down, requests, messages_up, messages_down } = file.figures;
    const exchanged =
      requests === undefined ? `${number(messages_up)} + ${number(messages_down)} messages` : number(requests);
    const slow = find(scenario, { client, peer, rtt_ms: 200 });
    const times = [spread(file, "wall_ms", ms), spread(slow, "wall_ms", ms), spread(file, "cpu_ms", ms)];
    return [[title, bytes(bytes_up), bytes(bytes_down), exchanged, ...times]];
  });
  return rows.length === 0 ? "" : table(heads, rows);
}

/** The native client for each number of records, and for deep records. */
function growth() {
  const all = ["reconnect", "idle", "first_sync"].flatMap((scenario) =>
    measured.filter(
      (file) => file.scenario === scenario && file.parameters.client === "native" && file.parameters.rtt_ms === 0,
    ),
  );
  const rows = all
    .sort((a, b) => a.parameters.depth - b.parameters.depth || a.parameters.records - b.parameters.records)
    .sort((a, b) => a.scenario.localeCompare(b.scenario))
    .map((file) => [
      file.scenario.replace("_", " "),
      number(file.parameters.records),
      number(file.parameters.depth),
      bytes(file.figures.bytes_up),
      bytes(file.figures.bytes_down),
      number(file.figures.requests),
      spread(file, "wall_ms", ms),
      spread(file, "cpu_ms", ms),
      spread(file, "endpoint_cpu_ms", ms),
    ]);
  const heads = ["scenario", "records", "changes deep", "up", "down", "requests", "time", "client CPU", "office CPU"];
  return rows.length === 0 ? "" : table(heads, rows);
}

function others() {
  const shown = new Set(["first_sync", "reconnect", "idle"]);
  const rows = measured
    .filter(({ scenario }) => !shown.has(scenario))
    .sort((a, b) => a.scenario.localeCompare(b.scenario) || (a.parameters.records ?? 0) - (b.parameters.records ?? 0))
    .map(({ scenario, parameters, figures, runs }) => {
      const text = (values, join) =>
        Object.entries(values)
          .map(([name, value]) => `${name} ${typeof value === "number" ? number(value) : value}`)
          .join(join);
      return [scenario, text(parameters, ", "), text(figures, ", "), String(runs)];
    });
  return rows.length === 0 ? "" : table(["scenario", "parameters", "medians", "runs"], rows);
}

/** Bars on a logarithmic scale. */
function plot(name, title, unit, values) {
  const [left, width, row, top] = [330, 330, 26, 34];
  const exponents = values.map(({ value }) => Math.log10(value));
  const [low, high] = [Math.floor(Math.min(...exponents)), Math.ceil(Math.max(...exponents) + 0.001)];
  const x = (exponent) => left + ((exponent - low) / (high - low)) * width;
  const height = top + values.length * row + 24;
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("*", "");
  const grid = Array.from({ length: high - low + 1 }, (_, at) => low + at).map(
    (exponent) =>
      `<line x1="${x(exponent)}" x2="${x(exponent)}" y1="${top - 6}" y2="${height - 18}" stroke="#ccd5d1"/>` +
      `<text x="${x(exponent)}" y="${height - 4}" text-anchor="middle">${unit(10 ** exponent)}</text>`,
  );
  const bars = values.map(({ label, value }, at) => {
    const y = top + at * row;
    const colour = label.includes("Doorstep") ? "#175c52" : "#9aaba5";
    return (
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escape(label)}</text>` +
      `<rect x="${left}" y="${y}" width="${Math.max(x(Math.log10(value)) - left, 1).toFixed(1)}" height="18" fill="${colour}"/>` +
      `<text x="${(x(Math.log10(value)) + 6).toFixed(1)}" y="${y + 14}">${unit(value)}</text>`
    );
  });
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 100}" height="${height}" font-family="sans-serif" font-size="12" fill="#24332e">`,
    `<rect width="100%" height="100%" fill="#fff"/><text x="8" y="18" font-weight="bold">${escape(title)}</text>`,
    ...grid,
    ...bars,
    "</svg>",
  ];
  mkdirSync(new URL("images/", docs), { recursive: true });
  writeFileSync(new URL(`images/${name}.svg`, docs), `${svg.join("\n")}\n`);
  return `![${title}](images/${name}.svg)`;
}

function plots() {
  const values = (wanted, figure) =>
    SYSTEMS.flatMap(({ title, client, peer }) => {
      const file = find("reconnect", { client, peer, ...wanted });
      return file ? [{ label: title, value: figure(file.figures) }] : [];
    });
  const sum = values({}, ({ bytes_up, bytes_down }) => bytes_up + bytes_down);
  const slow = values({ rtt_ms: 200 }, ({ wall_ms }) => wall_ms);
  return [
    sum.length > 0
      ? plot("reconnect-bytes", "Up to date again: bytes both ways, 1,000 records, 10 edited on each side", bytes, sum)
      : "",
    slow.length > 0 ? plot("reconnect-time", "Up to date again: time at a round trip of 200 ms", ms, slow) : "",
  ];
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
  encoding: "utf8",
}).trim();
const sections = [
  `Measured at ${commit} on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}), Node ${process.versions.node}. Medians; in brackets the least and the greatest value.`,
  "### Up to date again after edits on both sides\n\n1,000 records, 30 changes deep, ten edited on each side, three of them the same.",
  compared("reconnect"),
  ...plots(),
  "### Nothing changed",
  compared("idle"),
  "### First sync",
  compared("first_sync"),
  "### Growth with records and depth",
  growth(),
  "### Other scenarios",
  others(),
];
const file = new URL("PERFORMANCE.md", docs);
const text = readFileSync(file, "utf8");
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
if (begin < 0 || end < begin) throw new Error("docs/PERFORMANCE.md has no place for the figures");
const generated = sections.filter(Boolean).join("\n\n");
writeFileSync(file, `${text.slice(0, begin)}${BEGIN}\n\n${generated}\n\n${text.slice(end)}`);
