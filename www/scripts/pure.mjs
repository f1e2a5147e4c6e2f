/**
 * Checks that the phone's core is pure: the wasm imports only the glue that wasm-bindgen generates,
 * and the glue uses only plain JavaScript values: no clock, no network, no storage, no DOM.
 */
import { readFile } from "node:fs/promises";
import ts from "typescript";

/** Globals that the glue may use: plain values, bytes and memory. */
const VALUES = `Array ArrayBuffer BigInt DataView Error FinalizationRegistry JSON Map Number Object Reflect String
  Symbol TextDecoder TextEncoder Uint8Array arguments toString undefined`;
const EXCEPTIONS = [
  "globalThis.crypto.getRandomValues", // Automerge's random actor ids; the core gives its own instead
  "console.log", // Automerge's warnings
];
const ALLOWED = new Set([...VALUES.split(/\s+/), ...EXCEPTIONS]);
/** The loader, which fetches the wasm, is not part of the core. */
const LOADER = new Set(["__wbg_load", "__wbg_init", "__wbg_init_once", "initSync"]);

const folder = new URL("../src/wasm/", import.meta.url);
const wasm = await WebAssembly.compile(await readFile(new URL("doorstep_bg.wasm", folder)));
const glue = await readFile(new URL("doorstep.js", folder), "utf8");

const imports = WebAssembly.Module.imports(wasm);
const foreign = imports.filter(({ module, kind }) => module !== "./doorstep_bg.js" || kind !== "function");
if (foreign.length > 0) throw new Error(`the core imports ${JSON.stringify(foreign)}`);

const used = [...globalsOf(glue)].filter((name) => !ALLOWED.has(name));
if (used.length > 0) throw new Error(`the core uses ${used.join(", ")}`);
process.stdout.write(`pure: ${imports.length} imports, all of them conversions of values\n`);

/** Names that the glue uses and does not define. */
function globalsOf(text) {
  const source = ts.createSourceFile("glue.js", text, ts.ScriptTarget.Latest, true);
  const own = new Set();
  const used = new Set();
  visit(source, (node) => {
    if (node.name && ts.isIdentifier(node.name) && !ts.isPropertyAccessExpression(node)) own.add(node.name.text);
  });
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && LOADER.has(statement.name?.text)) continue;
    if (ts.isExportDeclaration(statement)) continue;
    visit(statement, (node) => {
      if (ts.isIdentifier(node) && !isMember(node) && !own.has(node.text)) used.add(pathOf(node));
    });
  }
  return used;
}

function visit(node, each) {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
}

/** Whether a name follows a dot or precedes a colon. */
function isMember(node) {
  const { parent } = node;
  return (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) && parent.name === node;
}

/** A member of `globalThis` or `console` with its path; otherwise the name. */
function pathOf(node) {
  let path = node;
  if (!["globalThis", "console"].includes(node.text)) return node.text;
  while (ts.isPropertyAccessExpression(path.parent)) path = path.parent;
  return path.getText();
}
