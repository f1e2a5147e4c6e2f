/** The day plan: agreed times, lawful windows, short ways, and appointments that cannot both be kept. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitSummary } from "../../www/src/wasm/doorstep";
import { inSync, readyOffline, signIn } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { noonZone, Office } from "./support/office";

// About noon, so that no appointment of this test falls on another day.
test.use({ viewport: SMALL_PHONE, timezoneId: noonZone() });

const MINUTE_MS = 60_000;

// Four looks, each with a reload.
test.slow();

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

const stops = (page: Page) => page.getByTestId("stop");

test("today's visits are ordered on a sketch and in a list, and the phone's navigation opens", async ({
  page,
  context,
}) => {
  const desk = await office.api();
  const { rows } = await desk.get<{ rows: VisitSummary[] }>("/api/visits?collector=chen.jie&sort=case_no");
  const [first, second, far, none, stopped] = rows;
  if (!first || !second || !far || !none || !stopped) throw new Error("too few records");
  const now = Date.now();
  const at = async (row: VisitSummary, from: number, until: number, lat: number): Promise<void> => {
    await desk.command(row.id, { do: "update_case", lat, lon: 121.55 });
    await desk.command(row.id, {
      do: "propose_appointment",
      starts_at: now + from * MINUTE_MS,
      ends_at: now + until * MINUTE_MS,
      place: row.address,
      proposed_by: "borrower",
      borrower_remark: "",
    });
    await desk.command(row.id, { do: "answer_appointment", status: "agreed" });
  };
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: office.zone, dateStyle: "short" }).format(now);
  await at(second, 120, 150, 29.88);
  await at(first, 30, 60, 29.87);
  // 30 km away, and at the same time as the second.
  await at(far, 125, 155, 30.15);
  await desk.command(none.id, { do: "update_case", lat: 29.871, lon: 121.551 });
  await desk.command(none.id, { do: "assign", due_by: today });
  // On hold: no visit to be planned.
  await desk.command(stopped.id, { do: "assign", due_by: today });
  await desk.command(stopped.id, { do: "raise_hold", flag: "dispute", since: now, until: null, note: "" });

  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await readyOffline(page);
  await page.getByRole("link", { name: "Day plan" }).click();
  const names = stops(page).getByRole("heading");
  await expect(names).toHaveText([first, none, second, far].map((row) => row.borrower_name));
  await expect(stops(page).first()).toContainText("Agreed");
  await expect(stops(page).nth(1)).toContainText(/Lawful \d{1,2}:\d\d – 19:00/);
  await expect(stops(page).nth(1)).toContainText("150 m from the last stop");
  await expect(stops(page).nth(3)).toHaveAttribute("data-warning", "too_late");
  await expect(stops(page).nth(3)).toContainText(`Cannot be reached in time after ${second.borrower_name}`);
  await expect(page.getByTestId("day-sketch")).toBeVisible();
  const link = stops(page).first().getByRole("link", { name: "Navigate" });
  const href = (await link.getAttribute("href")) ?? "";
  expect(decodeURIComponent(href)).toBe(`geo:29.87,121.55?q=${first.address}`);
  expect(decodeURIComponent(href)).not.toContain(first.borrower_name);

  // All of it without a network, and the position is used once: nothing on the phone keeps it.
  await context.setOffline(true);
  await context.grantPermissions(["geolocation"]);
  await context.setGeolocation({ latitude: 29.8811, longitude: 121.5511 });
  await page.getByRole("button", { name: "Order from where I am" }).click();
  await expect(page.getByRole("button", { name: "Update my location" })).toBeVisible();
  await expect(stops(page).first()).toContainText("from the last stop");
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(stored).not.toContain("29.88");
  await inEveryLook(page, "day-plan", "[data-testid=stop]", async () => {
    await page.getByTestId("day-sketch").scrollIntoViewIfNeeded();
  });
  await stops(page).first().getByRole("link", { name: "Open record" }).click();
  await expect(page).toHaveURL(new RegExp(`/visit/${first.id}`));
});
