/** The walks of `tests/browser/engines`, once per engine, one browser at a time. */
import { defineConfig } from "@playwright/test";
import type { EngineOption } from "../tests/browser/engines/support/walk";

const ENGINES: EngineOption["engineName"][] = ["chromium", "firefox", "webkit"];

export default defineConfig<EngineOption>({
  testDir: "../tests/browser/engines",
  outputDir: "./test-results/engines",
  workers: 1,
  retries: 1,
  forbidOnly: process.env.CI !== undefined,
  reporter: "list",
  timeout: 240_000,
  projects: ENGINES.map((name) => ({ name, use: { engineName: name } })),
});
