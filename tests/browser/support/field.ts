/** User actions in the field app. */
import { expect, type Page } from "@playwright/test";
import { PASSWORD, wallClock } from "./office";

export const PIN = "246813";

const unlocking = new WeakSet<Page>();

/** From now on PINs are chosen and entered automatically on this page, in any language. */
export async function unlocks(page: Page): Promise<void> {
  if (unlocking.has(page)) return;
  unlocking.add(page);
  await page.addLocatorHandler(page.getByTestId("choose-pin"), () => choosePin(page));
  await page.addLocatorHandler(page.getByTestId("unlock"), () => unlock(page));
}

export async function choosePin(page: Page, pin = PIN): Promise<void> {
  const form = page.getByTestId("choose-pin");
  await form.waitFor();
  for (const field of await form.locator("input[autocomplete=new-password]").all()) await field.fill(pin);
  await form.locator("button[type=submit]").click();
}

export async function unlock(page: Page, pin = PIN): Promise<void> {
  const form = page.getByTestId("unlock");
  await form.locator("input").fill(pin);
  await form.locator("button[type=submit]").click();
}

/** Goes to another page of the app without loading it anew, so that it stays unlocked. */
export async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((path) => {
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

/** Signs in; PINs are then chosen and entered automatically. */
export async function signIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await unlocks(page);
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** The phone is up to date with the office. */
export async function inSync(page: Page): Promise<void> {
  await expect(page.getByTestId("sync-status")).toHaveAttribute("data-state", "in-step", { timeout: 60_000 });
}

/**
 * Up to date after another sign-in, if the office requires one: a browser killed soon after the
 * sign-in has not written the session cookie to disk yet.
 */
export async function inSyncAgain(page: Page): Promise<void> {
  const status = page.getByTestId("sync-status");
  await expect(status).toHaveAttribute("data-state", /in-step|attention/, { timeout: 60_000 });
  if ((await status.getAttribute("data-state")) === "attention") {
    const password = page.getByLabel("Password");
    // The list shows the sign-in form; other pages show it in the sync dialog.
    if (!(await password.isVisible())) await status.click();
    await password.fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await inSync(page);
}

/** The service worker holds the app: a reload works with no network. */
export async function readyOffline(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    while (registration.active?.state !== "activated") await new Promise((done) => setTimeout(done, 50));
  });
}

export async function openCase(page: Page, query: string): Promise<string> {
  await page.getByLabel("Search name, case number, address").fill(query);
  const row = page.getByTestId("visit-row").first();
  await row.click();
  await expect(page.getByRole("navigation", { name: "Steps" })).toBeVisible();
  return page.url().split("/visit/")[1]?.split("/")[0] ?? "";
}

export async function step(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name }).click();
}

/** Everything typed so far is durable. */
export async function saved(page: Page): Promise<void> {
  await expect(page.getByTestId("save-state")).toHaveAttribute("data-state", "saved");
}

export async function choose(page: Page, group: string, option: string): Promise<void> {
  const button = page.getByRole("radiogroup", { name: group }).getByRole("radio", { name: option, exact: true });
  await button.click();
  await expect(button).toBeChecked();
}

/** Adds both collectors. */
export async function nameTwo(page: Page, second = "he.tao"): Promise<void> {
  await page.getByRole("button", { name: "Add me", exact: true }).click();
  await page.getByLabel("Name of another collector").fill(second);
  await page.getByRole("button", { name: "Add collector" }).click();
  await expect(page.getByRole("button", { name: `Remove ${second}` })).toBeVisible();
}

/** Departs with a second collector, which the rules allow. */
export async function depart(page: Page): Promise<void> {
  await nameTwo(page);
  await expect(page.getByTestId("conduct-before")).toHaveAttribute("data-verdict", "go");
  await page.getByRole("button", { name: "Depart" }).click();
}

/** Step 1: logs a call. */
export async function logCall(page: Page, outcome: string, said: string): Promise<void> {
  await choose(page, "Outcome", outcome);
  await page.getByLabel("Notes on the contact").fill(said);
  await page.getByRole("button", { name: "Log contact" }).click();
  await expect(page.getByText(said).last()).toBeVisible();
}

/** Step 2: the borrower agrees to an appointment from this minute on; gives its start, ms. */
export async function agree(page: Page, zone: string): Promise<number> {
  const starts = Math.floor(Date.now() / 60_000) * 60_000;
  await page.getByLabel("Start").fill(wallClock(starts, zone));
  await page.getByLabel("Borrower's preferences").fill("after six, ring twice");
  await page.getByRole("button", { name: "Propose appointment" }).click();
  await page.getByRole("button", { name: "Mark as agreed" }).click();
  await expect(page.getByRole("heading", { name: "Appointment: Agreed" })).toBeVisible();
  return starts;
}

/** Step 3: at home, with the borrower. */
export async function atTheDoor(page: Page): Promise<void> {
  await depart(page);
  await page.getByRole("button", { name: "Arrive", exact: true }).click();
  await expect(page.getByText("Location recorded, accurate to 12 m")).toBeVisible();
  await choose(page, "Place type", "Home");
  await choose(page, "Person met", "Borrower");
  await choose(page, "Showed identification", "Yes");
  await choose(page, "Verified the borrower's identity", "Yes");
}

/** Step 5: seals, and signs. */
export async function seal(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Seal record" }).click();
  await page.getByRole("button", { name: "Seal now" }).click();
  await expect(page.getByTestId("signature")).toHaveCount(1);
}

export async function syncNow(page: Page): Promise<void> {
  await page.getByTestId("sync-status").click();
  await page.getByRole("button", { name: "Sync now" }).click();
  // What the round brings may move the button from under the pointer.
  const close = page.getByRole("button", { name: "Close" });
  await expect(async () => {
    if (await close.isVisible()) await close.click({ timeout: 2_000 });
    await expect(close).toBeHidden({ timeout: 2_000 });
  }).toPass();
}
