/** Bytes of the first load, as they are sent: all that the service worker caches. `node sizes.mjs FOLDER` */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { report } from "./report.mjs";

const dist = fileURLToPath(new URL("../dist", import.meta.url));

/** Bytes by kind of file, and of the whole field app. */
export function sizes() {
  const sw = readFileSync(join(dist, "sw.js"), "utf8");
  const cached = [...sw.matchAll(/url:"([^"]+)"/g)].map(([, url]) => url);
  const workbox = /workbox-[0-9a-f]+/.exec(sw)?.[0];
  const files = [...new Set([...cached, "sw.js", `${workbox}.js`])];
  const sum = (names) => names.reduce((bytes, name) => bytes + size(name), 0);
  const kind = (suffix) => sum(files.filter((file) => file.endsWith(suffix)));
  return {
    wasm_bytes: kind(".wasm"),
    js_bytes: kind(".js"),
    css_bytes: kind(".css"),
    field_app_bytes: sum(files),
  };
}

function size(file) {
  const path = join(dist, file);
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  report(process.argv[2] ?? "bench", "sizes", { encoding: "brotli 11" }, [sizes()]);
