/** A collector's actions in the field app, on any engine. */
import { PASSWORD, wallClock, type Office } from "../../support/office";
import { until, type Page } from "./page";

export const PIN = "246813";
export const NOTES = { label: "Notes" };

export async function signIn(page: Page, name: string): Promise<void> {
  await page.fill({ label: "User name" }, name);
  await page.fill({ label: "Password" }, PASSWORD);
  await page.click({ role: "button", name: "Sign in", exact: true });
}

/** The first sign-in on a phone: also chooses a PIN, and ends when the work is there. */
export async function firstSignIn(page: Page, name: string): Promise<void> {
  await signIn(page, name);
  await page.waitFor({ testId: "choose-pin" });
  await page.fill({ css: "[data-testid=choose-pin] input[autocomplete=new-password]" }, PIN);
  await page.fill({ css: "[data-testid=choose-pin] input[autocomplete=new-password]", last: true }, PIN);
  await page.click({ css: "[data-testid=choose-pin] button[type=submit]" });
  await inSync(page);
}

export async function unlock(page: Page, pin = PIN): Promise<void> {
  await page.fill({ css: "[data-testid=unlock] input" }, pin);
  await page.click({ css: "[data-testid=unlock] button[type=submit]" });
}

export async function inSync(page: Page): Promise<void> {
  await page.waitFor({ testId: "sync-status" }, ({ state }) => state === "in-step");
}

/** Up to date after a kill, which may have cost the session cookie. */
export async function inSyncAgain(page: Page): Promise<void> {
  const { state } = await page.waitFor({ testId: "sync-status" }, ({ state }) =>
    ["in-step", "attention"].includes(state),
  );
  if (state === "attention") {
    if (!(await page.seen({ label: "Password" }))) await page.click({ testId: "sync-status" });
    await page.fill({ label: "Password" }, PASSWORD);
    await page.click({ role: "button", name: "Sign in", exact: true });
  }
  await inSync(page);
}

/** The service worker holds the app: a reload works with no network. */
export async function readyOffline(page: Page): Promise<void> {
  await until("the service worker", async () => {
    const state = await page.tab.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state);
    return state === "activated" ? true : undefined;
  });
}

/** Opens the only record that a search finds; gives its id. */
export async function openCase(page: Page, query: string): Promise<string> {
  await page.fill({ label: "Search name" }, query);
  await page.waitFor({ testId: "visit-row" }, ({ count }) => count === 1);
  return openFirst(page);
}

/** Opens the first record of the list; gives its id. */
export async function openFirst(page: Page): Promise<string> {
  await page.click({ testId: "visit-row" });
  await page.waitFor({ css: "nav[aria-label=Steps]" });
  const path = await page.tab.evaluate(() => location.pathname);
  return path.split("/visit/")[1]?.split("/")[0] ?? "";
}

export async function step(page: Page, name: string): Promise<void> {
  await page.click({ role: "link", name, within: { css: "nav[aria-label=Steps]" } });
}

export async function saved(page: Page): Promise<void> {
  await page.waitFor({ testId: "save-state" }, ({ state }) => state === "saved");
}

export async function choose(page: Page, group: string, option: string): Promise<void> {
  const radio = { role: "radio", name: option, exact: true, within: { role: "radiogroup", name: group } } as const;
  await page.click(radio);
  await page.waitFor(radio, ({ checked }) => checked);
}

/** Fills a field that saves itself, and waits until it is on disk. */
export async function write(page: Page, label: string, text: string): Promise<void> {
  await page.fill({ label }, text);
  await page.blur();
  await saved(page);
}

export async function logCall(page: Page, said: string): Promise<void> {
  await choose(page, "Outcome", "Reached");
  await page.fill({ label: "Notes on the contact" }, said);
  await page.click({ role: "button", name: "Log contact" });
  await page.waitFor({ text: said });
}

/** The borrower agrees to a visit from this minute on. */
export async function agree(page: Page, office: Office): Promise<void> {
  const starts = Math.floor(Date.now() / 60_000) * 60_000;
  await page.fill({ label: "Start" }, wallClock(starts, office.zone));
  await page.click({ role: "button", name: "Propose appointment" });
  await page.click({ role: "button", name: "Mark as agreed" });
  await page.waitFor({ role: "heading", name: "Appointment: Agreed" });
}

/** Departs with a second collector, and meets the borrower at home. */
export async function arrive(page: Page): Promise<void> {
  await page.click({ role: "button", name: "Add me", exact: true });
  await page.fill({ label: "Name of another collector" }, "he.tao");
  await page.click({ role: "button", name: "Add collector" });
  await page.waitFor({ role: "button", name: "Remove he.tao" });
  await page.click({ role: "button", name: "Depart" });
  await page.click({ role: "button", name: "Arrive", exact: true });
  await page.waitFor({ text: "Location recorded, accurate to 12 m" });
  await choose(page, "Place type", "Home");
  await choose(page, "Person met", "Borrower");
  await choose(page, "Showed identification", "Yes");
  await choose(page, "Verified the borrower's identity", "Yes");
}

/** Chooses a photo of 1,600 × 1,200, as from the camera. */
export async function addPhoto(page: Page): Promise<void> {
  await page.waitFor({ text: "Take a photo" });
  await page.tab.evaluate(async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1600, 1200];
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    for (let x = 0; x < 1600; x += 100) {
      context.fillStyle = `hsl(${x / 5} 60% 50%)`;
      context.fillRect(x, 0, 100, 1200);
    }
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg"));
    const input = document.querySelector<HTMLInputElement>("input[type=file]");
    if (!blob || !input) throw new Error("no photo");
    const chosen = new DataTransfer();
    chosen.items.add(new File([blob], "door.jpg", { type: "image/jpeg" }));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
