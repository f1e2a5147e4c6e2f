/** Photos, signatures and recordings on every engine, from the phone to the office. */
import type { VisitView } from "../../../www/src/wasm/doorstep";
import { addPhoto, firstSignIn, inSyncAgain, openCase, readyOffline, step, unlock } from "./support/app";
import { until } from "./support/page";
import { expect, test } from "./support/walk";
import type { Office } from "../support/office";

const ATTACHMENT = { testId: "attachment" };

/** The attachments that the record names at the office; their bytes may be there before. */
function named(office: Office, id: string, count: number): Promise<VisitView["attachments"]> {
  return until(`${count} attachments at the office`, async () => {
    const { attachments } = await (await office.api()).get<VisitView>(`/api/visits/${id}`);
    return attachments.length === count ? attachments : undefined;
  });
}

test("a photo and a signature outlive a killed browser, and reach the office", async ({ office, phone }) => {
  let page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  await readyOffline(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  await office.stop();
  await addPhoto(page);
  await page.waitFor(ATTACHMENT, ({ count, state }) => count === 1 && state === "waiting");
  await page.click({ role: "button", name: "Add signature" });
  await page.scribble({ role: "img", name: "Sign here with your finger" });
  await page.click({ role: "button", name: "Save signature" });
  await page.waitFor(ATTACHMENT, ({ count }) => count === 2);
  await phone.kill();

  page = await phone.start(`${office.url}/visit/${id}/record`);
  await unlock(page);
  await page.waitFor(ATTACHMENT, ({ count, state }) => count === 2 && state === "waiting");
  await office.start();
  await inSyncAgain(page);
  for (const last of [false, true]) await page.waitFor({ ...ATTACHMENT, last }, ({ state }) => state === "at-office");
  const attachments = await named(office, id, 2);
  const desk = await office.api();
  expect(attachments.map(({ kind }) => kind).sort()).toEqual(["photo", "signature"]);
  for (const { sha256, size } of attachments) expect((await desk.bytes(`/api/blobs/${sha256}`)).length).toBe(size);
  await page.click({ role: "button", name: "Open: Photo" });
  await page.waitFor({ role: "img", within: { role: "dialog" } }, ({ width }) => width > 0);
  await office.stop();
  expect(JSON.parse(office.run(["verify", "--json"]))).toMatchObject({ ok: true, blobs: 2, pending: [] });
});

test("a recording outlives a killed browser, or the page says that this browser makes none", async ({
  office,
  phone,
}) => {
  let page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  const id = await openCase(page, "NB2026000002");
  await step(page, "Record");
  await page.waitFor({ text: "Take a photo" });
  const records = await page.tab.evaluate(
    () =>
      "MediaRecorder" in globalThis && ["audio/mp4", "audio/webm"].some((type) => MediaRecorder.isTypeSupported(type)),
  );
  if (!records) {
    await page.waitFor({ text: "This browser can't record audio." });
    return;
  }
  await page.click({ role: "button", name: "Record audio" });
  // Some pieces are on disk once the length has moved on.
  await page.waitFor({ role: "button", name: "Stop recording" }, ({ text }) => /0:0[4-9]|0:[1-9]/.test(text));
  await phone.kill();

  page = await phone.start(`${office.url}/visit/${id}/record`);
  await unlock(page);
  await inSyncAgain(page);
  await page.click({ role: "button", name: "Keep recording" });
  await page.waitFor(ATTACHMENT, ({ state }) => state === "at-office");
  expect(await named(office, id, 1)).toMatchObject([{ kind: "audio", caption: "interrupted" }]);
});
