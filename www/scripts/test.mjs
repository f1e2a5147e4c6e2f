/** Unit tests of the web apps: Vite bundles every `*.test.ts`, Node's test runner runs the bundles. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "vite";

const www = resolve(import.meta.dirname, "..");
const paths = await readdir(join(www, "src"), { recursive: true });
const tests = paths.filter((path) => path.endsWith(".test.ts")).map((path) => join(www, "src", path));
if (tests.length === 0) throw new Error("no unit tests found");
// Within the package, so that bundles find node_modules.
const outDir = await mkdtemp(join(www, "node_modules", ".unit-tests-"));
try {
  await build({
    root: www,
    configFile: false,
    logLevel: "error",
    build: { ssr: true, outDir, sourcemap: "inline", minify: false, rollupOptions: { input: tests } },
  });
  const bundles = (await readdir(outDir)).filter((name) => name.endsWith(".test.js")).map((name) => join(outDir, name));
  const args = [
    "--enable-source-maps",
    "--no-warnings",
    "--test",
    "--test-reporter=spec",
    ...process.argv.slice(2),
    ...bundles,
  ];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
} finally {
  await rm(outDir, { recursive: true, force: true });
}
