/**
 * Checks the packages of the web apps' lock file: permissive licences, one registry, and hashes.
 * Needs no network.
 */
import { readFile } from "node:fs/promises";

const PERMISSIVE = new Set(
  "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 CC0-1.0 ISC MIT Python-2.0 Unlicense Zlib".split(" "),
);
/** For development tools, which are not distributed. */
const FOR_TOOLS = new Set([...PERMISSIVE, "MPL-2.0", "CC-BY-4.0"]);
/** Licences of packages that declare theirs in a file only. */
const IN_A_FILE = new Map([["parse-cache-control@1.0.1", "BSD-3-Clause"]]);

/** Whether an SPDX expression of `OR` and `AND` is met. */
function isMet(expression, allowed) {
  const choices = expression.replace(/[()]/g, "").split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((licence) => allowed.has(licence)));
}

const lock = JSON.parse(await readFile(new URL("../package-lock.json", import.meta.url), "utf8"));
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
const problems = [];
const sources = new Set();
for (const [path, entry] of packages) {
  const allowed = entry.dev ? FOR_TOOLS : PERMISSIVE;
  const name = `${path.replace(/^.*node_modules\//, "")}@${entry.version}`;
  const licence = entry.license ?? IN_A_FILE.get(name) ?? "unknown";
  if (!isMet(licence, allowed)) problems.push(`${path}: licence ${licence}`);
  // Bundled packages are covered by the hash of the package that bundles them.
  if (!entry.integrity && !entry.inBundle) problems.push(`${path}: no hash`);
  if (entry.resolved) sources.add(new URL(entry.resolved).host);
}
if (sources.size > 1) problems.push(`packages come from ${[...sources].join(" and ")}`);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (packages.length === 0 || problems.length > 0) process.exit(1);
process.stdout.write(`licences: ${packages.length} packages, all permissive\n`);
