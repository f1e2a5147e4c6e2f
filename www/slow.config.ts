import base from "./playwright.config";
export default { ...base, workers: 1, timeout: 600_000, expect: { timeout: 150_000 }, use: { ...base.use, trace: "off" } };
