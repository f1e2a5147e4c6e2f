/** A phone with one of the engines, and the office that it talks to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base } from "@playwright/test";
import { Office } from "../../support/office";
import type { Browser, Engine, EngineName } from "./driver";
import { Page } from "./page";
import { chromium, firefox } from "./puppeteer";
import { webkit } from "./webkit";

const ENGINES: Record<EngineName, Engine> = { chromium, firefox, webkit };

/** A browser over a profile that outlives it. */
export class Phone {
  private readonly profile = mkdtempSync(join(tmpdir(), "doorstep-engine-"));
  private browser: Browser | undefined;

  constructor(readonly engine: Engine) {}

  async start(url: string): Promise<Page> {
    this.browser = await this.engine.start(this.profile);
    const page = new Page(this.browser.first);
    await page.open(url);
    return page;
  }

  async newTab(url: string): Promise<Page> {
    if (!this.browser) throw new Error("the phone is off");
    const page = new Page(await this.browser.newTab());
    await page.open(url);
    return page;
  }

  async kill(): Promise<void> {
    await this.browser?.kill();
    this.browser = undefined;
  }

  async remove(): Promise<void> {
    await this.browser?.close();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

export interface EngineOption {
  engineName: EngineName;
}

export const test = base.extend<EngineOption & { office: Office; phone: Phone }>({
  engineName: ["firefox", { option: true }],
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of the fixtures
  office: async ({}, use) => {
    const office = await Office.open();
    await use(office);
    await office.remove();
  },
  phone: async ({ engineName }, use, info) => {
    const engine = ENGINES[engineName];
    const missing = engine.missing();
    info.skip(missing !== undefined, `to test ${engineName}, install ${missing}`);
    const phone = new Phone(engine);
    await use(phone);
    await phone.remove();
  },
});

export { expect } from "@playwright/test";
