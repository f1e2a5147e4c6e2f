/** Sizes of the files that a phone loads, brotli 11: `node sizes.mjs FOLDER`. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const folder = process.argv[2] ?? "bench";
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((file) => file.isFile())
  .map((file) => join(file.parentPath, file.name));
const size = (path) =>
  brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const sum = (paths) => paths.reduce((bytes, path) => bytes + size(path), 0);

const wasm = files.filter((path) => path.endsWith(".wasm"));
// Phones do not load the console's files.
const field = files.filter((path) => !/\/office\/|office-|\.map$|screenshots?\//.test(path.slice(dist.length)));
const report = {
  scenario: "sizes",
  parameters: { encoding: "brotli 11" },
  figures: { wasm_bytes: sum(wasm), field_app_bytes: sum(field) },
  runs: 1,
};
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "sizes.json"), `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(`sizes         wasm ${report.figures.wasm_bytes}  field app ${report.figures.field_app_bytes}\n`);
