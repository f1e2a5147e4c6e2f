import config from "./playwright.config";

/** The pictures of README: `make screenshots`. */
export default { ...config, testMatch: "screenshots.ts", use: { ...config.use, trace: "off" as const } };
