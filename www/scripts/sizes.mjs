/** Bytes of the first load, as they are sent: all that the service worker caches. `node sizes.mjs FOLDER` */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const folder = process.argv[2] ?? "bench";
const sw = readFileSync(join(dist, "sw.js"), "utf8");
const cached = [...sw.matchAll(/url:"([^"]+)"/g)].map(([, url]) => url);
const workbox = /workbox-[0-9a-f]+/.exec(sw)?.[0];
const files = [...new Set([...cached, "sw.js", `${workbox}.js`])];

const size = (file) => {
  const path = join(dist, file);
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
};
const sum = (names) => names.reduce((bytes, name) => bytes + size(name), 0);
const kind = (suffix) => sum(files.filter((file) => file.endsWith(suffix)));

const report = {
  scenario: "sizes",
  parameters: { encoding: "brotli 11" },
  figures: {
    wasm_bytes: kind(".wasm"),
    js_bytes: kind(".js"),
    css_bytes: kind(".css"),
    field_app_bytes: sum(files),
  },
  runs: 1,
};
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "sizes.json"), `${JSON.stringify(report, null, 2)}\n`);
const { figures } = report;
process.stdout.write(`sizes         wasm ${figures.wasm_bytes}  field app ${figures.field_app_bytes}\n`);
