/** The first minutes on a small phone: what takes the time, and that nothing covers what is to be tapped. */
import { expect, test, type Locator } from "@playwright/test";
import { choosePin, inSync, openCase, readyOffline, signIn, step } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office, PASSWORD, wallClock } from "./support/office";
import { SlowNetwork } from "./support/slow";

test.use({ viewport: SMALL_PHONE });

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

interface Recorded {
  shown: string[];
}

/** Keeps every text that the page of the first sync shows: some are gone before a test can look. */
function recordFirstSync(): void {
  const shown: string[] = ((window as unknown as Recorded).shown = []);
  new MutationObserver(() => {
    const page = document.querySelector<HTMLElement>("[data-testid=first-sync]");
    if (page && page.innerText !== shown.at(-1)) shown.push(page.innerText);
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** Whether a tap in the middle of a control reaches it. */
async function expectTappable(control: Locator): Promise<void> {
  await control.scrollIntoViewIfNeeded();
  const reached = await control.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return hit !== null && element.contains(hit);
  });
  expect(reached).toBe(true);
}

test("the first sync says what it does, and no notice covers a button", async ({ page }) => {
  const network = await SlowNetwork.before(office.url);
  try {
    await page.goto(network.url);
    await readyOffline(page);
    await expectTappable(page.getByRole("button", { name: "Sign in", exact: true }));
    await page.getByLabel("User name").fill("chen.jie");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expectTappable(page.getByRole("button", { name: "Continue" }));
    await page.evaluate(recordFirstSync);
    await choosePin(page);
    await inSync(page);
    const shown = await page.evaluate(() => (window as unknown as Recorded).shown.join("\n"));
    expect(shown).toMatch(/Contact the office/);
    expect(shown).toMatch(/Download records\s+[^S]*\d+ KB/);
    // What is over says how long it took.
    expect(shown).toMatch(/Contact the office\s+[\d.]+ sec/);
    await expect(page.getByText("ready to work without a network")).toBeVisible();

    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Show diagnostics" }).click();
    const text = await page.getByTestId("diagnostics").innerText();
    const { first_sync_ms: took } = JSON.parse(text) as { first_sync_ms: Record<string, number> };
    expect(Object.keys(took)).toEqual(["contact", "download", "store"]);
  } finally {
    network.stop();
  }
});

test("dates follow the page's language, and forms fit", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  const id = await openCase(page, "NB2026000002");
  await step(page, "Appointment");
  const start = page.locator('[data-control="appointment.from"]');
  const shown = page.locator(".date-input", { has: start }).locator("[data-shown]");
  await expect(shown).toHaveText("Choose a date");
  const at = `${wallClock(Date.now() + 86_400_000, office.zone).slice(0, 10)}T18:30`;
  const inPage = (lang: string): string =>
    new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" }).format(Date.parse(`${at}Z`));
  await start.fill(at);
  await expect(start).toHaveValue(at);
  await expect(shown).toContainText(inPage("en-GB"));
  await expect(page.getByTestId("save-state")).toHaveAttribute("data-state", "saved");
  // While a keyboard changes a part, the browser shows which.
  await start.press("ArrowUp");
  await expect(shown).toBeHidden();
  await start.press("ArrowDown");
  await start.blur();
  await expect(shown).toBeVisible();
  await inEveryLook(page, "appointment", "#step", async ([lang]) => {
    if (lang === "zh-CN") await expect(shown).toContainText(inPage("zh-CN"));
  });

  await page.goto(`${office.url}/visit/${id}/on_site`);
  const label = page.getByText("Name of another collector");
  await expect(label).toBeVisible();
  const cut = (element: Element): boolean => element.scrollWidth > element.clientWidth;
  expect(await label.evaluate(cut)).toBe(false);
  await page.getByRole("button", { name: "Add me", exact: true }).click();
  const notice = page.locator("[aria-live=polite]").filter({ hasText: "chen.jie added" });
  await expect(notice).toBeVisible();
  // The page ends below the notice, so that nothing stays covered.
  const room = await page.evaluate(() => parseFloat(getComputedStyle(document.body).paddingBottom));
  expect(room).toBeGreaterThan(40);
});
