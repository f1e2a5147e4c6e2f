/** Sizes of the files that a phone loads, brotli 11: `node sizes.mjs FOLDER` reports them. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { report } from "./report.mjs";

const dist = fileURLToPath(new URL("../dist", import.meta.url));

/** Bytes of the core, and of the whole field app. */
export function sizes() {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !/\.(br|gz)$/.test(file.name))
    .map((file) => join(file.parentPath, file.name));
  // Phones do not load the console's files.
  const field = files.filter((path) => !/\/office\/|office-|\.map$|screenshots?\//.test(path.slice(dist.length)));
  const sum = (paths) => paths.reduce((bytes, path) => bytes + compressed(path), 0);
  return { wasm_bytes: sum(files.filter((path) => path.endsWith(".wasm"))), field_app_bytes: sum(field) };
}

function compressed(path) {
  return brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  report(process.argv[2] ?? "bench", "sizes", { encoding: "brotli 11" }, [sizes()]);
}
