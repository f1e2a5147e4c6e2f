/**
 * Proves that the phone's core does no I/O: the wasm imports nothing but the glue that wasm-bindgen
 * generates, and of that glue nothing that reaches a clock, the network or a store.
 */
import { readFile } from "node:fs/promises";

const folder = new URL("../src/wasm/", import.meta.url);
const module = await WebAssembly.compile(await readFile(new URL("doorstep_bg.wasm", folder)));
const glue = await readFile(new URL("doorstep.js", folder), "utf8");

const foreign = WebAssembly.Module.imports(module).filter(
  ({ module: from }) => from !== "./doorstep_bg.js" && from !== "wbg",
);
if (foreign.length > 0) throw new Error(`the core imports ${JSON.stringify(foreign)}`);

// The part of the glue that the wasm calls, without the loader (which fetches the module itself).
const called = glue.slice(0, glue.indexOf("async function __wbg_load"));
const reached = [
  "Date.now",
  "performance.now",
  "indexedDB",
  "XMLHttpRequest",
  "WebSocket",
  "setTimeout",
  "localStorage",
].filter((name) => called.includes(name));
if (reached.length > 0) throw new Error(`the core reaches ${reached.join(", ")}`);
console.log("pure: the core imports nothing but its own bindings");
