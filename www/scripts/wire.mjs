/**
 * Bytes of an idle round between Chromium and the office over TLS, counted on the TCP connection:
 * frames, headers and TLS records, without TCP/IP. `node wire.mjs FOLDER`
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { CHROMIUM, FLAGS, signIn, waitForSync, withOffice } from "./office.mjs";
import { report } from "./report.mjs";

const RECORDS = 100;
const ROUNDS = 10;
/** No bytes for this long: nothing is under way. */
const QUIET_MS = 1_500;

const folder = mkdtempSync(join(tmpdir(), "doorstep-wire-"));
const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(folder, name));
execFileSync(
  "openssl",
  ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"].concat([
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost",
    "-out",
    cert,
    "-keyout",
    key,
  ]),
  { stdio: "ignore" },
);

/** Counts what passes between browser and office. */
const count = { sent: 0, received: 0, last: 0, connections: 0 };
async function proxyTo(port) {
  const server = createServer((near) => {
    count.connections += 1;
    const far = connect(port, "127.0.0.1");
    for (const [from, to, direction] of [
      [near, far, "sent"],
      [far, near, "received"],
    ]) {
      from.on("data", (bytes) => {
        count[direction] += bytes.length;
        count.last = Date.now();
        to.write(bytes);
      });
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

async function quiet(page) {
  do await page.waitForTimeout(100);
  while (Date.now() - count.last < QUIET_MS);
}

try {
  await withOffice(
    RECORDS,
    async (url) => {
      const proxy = await proxyTo(Number(new URL(url).port));
      const executablePath = existsSync(CHROMIUM) ? CHROMIUM : undefined;
      const browser = await chromium.launch({ executablePath, args: [...FLAGS, "--ignore-certificate-errors"] });
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const protocols = new Set();
      const cdp = await context.newCDPSession(page);
      await cdp.send("Network.enable");
      cdp.on("Network.responseReceived", ({ response }) => protocols.add(response.protocol));
      await signIn(page, `https://localhost:${proxy.address().port}/`);
      await page.getByTestId("sync-status").click();
      const button = page.locator("dialog .btn-primary").first();
      await button.waitFor();
      const rounds = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await quiet(page);
        const before = { ...count };
        await button.click();
        await page.waitForTimeout(200);
        await quiet(page);
        rounds.push({
          sent: count.sent - before.sent,
          received: count.received - before.received,
          connections: count.connections - before.connections,
        });
      }
      await waitForSync(page);
      await browser.close();
      proxy.close();
      const figures = rounds.map(({ sent, received, connections }) => ({
        sent_bytes: sent,
        received_bytes: received,
        new_connections: connections,
      }));
      const parameters = { records: RECORDS, protocols: [...protocols].join(" "), browser: "Chromium" };
      report(process.argv[2] ?? "bench", "idle_round_tls", parameters, figures);
    },
    ["--tls-cert", cert, "--tls-key", key],
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
