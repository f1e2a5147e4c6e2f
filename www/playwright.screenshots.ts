/** The pictures of README and of every page: `make screenshots`. */
import config from "./playwright.config";

export default { ...config, workers: 1, testMatch: "screenshots.ts", use: { ...config.use, trace: "off" as const } };
