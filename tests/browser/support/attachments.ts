/** Takes photos and recordings, and counts the rows that the phone has of them. */
import { type BrowserContext, type Page } from "@playwright/test";
import { inSync, openCase, signIn, step, unlocks } from "./field";
import type { Office } from "./office";

/** A fake microphone that beeps once a second; no permission prompt. */
export const MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Opens the app; notices are dismissed and the PIN is typed by themselves. */
export async function start(
  context: BrowserContext,
  office: Office,
  permissions = ["geolocation", "microphone"],
): Promise<Page> {
  await context.grantPermissions(permissions);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await unlocks(page);
  await page.goto(office.url);
  return page;
}

export async function atRecordStep(page: Page): Promise<string> {
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  return id;
}

/** A picture of 3000 × 2000 as a camera writes it: on its side, with a position and a maker. */
export async function photo(page: Page): Promise<Buffer> {
  const plain = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(3000, 2000);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    for (let x = 0; x < 3000; x += 100) {
      context.fillStyle = `hsl(${x / 10} 60% 50%)`;
      context.fillRect(x, 0, 100, 2000);
    }
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer())];
  });
  // Orientation 6: to be turned by 90° clockwise. Then an entry that points to a position.
  const tiff = Buffer.from(
    "4d4d002a00000008" +
      "0002" +
      "0112000300000001" +
      "00060000" +
      "8825000400000001" +
      "00000026" +
      "00000000" +
      "0001" +
      "0001000200000002" +
      "4e000000" +
      "00000000",
    "hex",
  );
  const body = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  const jpeg = Buffer.from(plain);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

/** How much lies in the phone's store of attachments, by table. */
export function kept(page: Page): Promise<Record<string, number>> {
  return page.evaluate(async () => {
    const name = (await indexedDB.databases()).find((known) => known.name?.endsWith("-attachments"))?.name ?? "";
    const request = indexedDB.open(name);
    const db = await new Promise<IDBDatabase>((done) => (request.onsuccess = () => done(request.result)));
    const tables = [...db.objectStoreNames];
    const tx = db.transaction(tables);
    const counts = tables.map((table) => {
      const count = tx.objectStore(table).count();
      return new Promise<[string, number]>((done) => (count.onsuccess = () => done([table, count.result])));
    });
    const found = await Promise.all(counts);
    db.close();
    return Object.fromEntries(found);
  });
}

/** Records some seconds of what the browser's own microphone hears. */
export async function record(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Record audio" }).click();
  const stop = page.getByRole("button", { name: /Stop recording \(0:0[2-9]\)/ });
  await stop.click({ timeout: 60_000 });
}
