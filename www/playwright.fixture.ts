/** Keeps a phone of this version, with unsent work: `make fixture`. */
import config from "./playwright.config";

export default { ...config, testMatch: "fixture.ts", use: { ...config.use, trace: "off" as const } };
