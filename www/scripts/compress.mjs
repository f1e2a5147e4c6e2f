/** Compresses the built files, once and as well as possible, beside each file: `.br` and `.gz`. */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const TEXTS_AND_CODE = /\.(css|html|js|json|svg|wasm|webmanifest)$/;

const ENCODINGS = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

const files = await readdir(dist, { recursive: true });
await Promise.all(
  files
    .filter((file) => TEXTS_AND_CODE.test(file))
    .map(async (file) => {
      const path = join(dist, file);
      const bytes = await readFile(path);
      for (const [suffix, compress] of Object.entries(ENCODINGS)) {
        await writeFile(`${path}.${suffix}`, await compress(bytes));
      }
    }),
);
