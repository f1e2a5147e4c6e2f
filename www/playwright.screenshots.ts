/** The pictures of README: `make screenshots`. */
import config from "./playwright.config";

export default { ...config, testMatch: "screenshots.ts", use: { ...config.use, trace: "off" as const } };
