/** Notices by Web Push while the app is closed, and the user's own figures, at 360 × 640. */
import { createECDH } from "node:crypto";
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { go, inSync, readyOffline, unlocks } from "./support/field";
import { inEveryLook, SMALL_PHONE } from "./support/looks";
import { Office } from "./support/office";
import { enter } from "./support/walk";

test.use({ viewport: SMALL_PHONE, hasTouch: true, isMobile: true });

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

async function signedIn(page: Page): Promise<void> {
  await unlocks(page);
  await page.goto(office.url);
  await enter(page, "chen.jie");
  await inSync(page);
}

/** Subscriptions without the browser maker's push service, which tests cannot reach. */
async function fakePushService(context: BrowserContext): Promise<void> {
  const browser = createECDH("prime256v1");
  browser.generateKeys();
  const keys = { p256dh: browser.getPublicKey("base64url"), auth: Buffer.alloc(16, 7).toString("base64url") };
  await context.addInitScript((keys) => {
    const name = "fake-subscription";
    const endpoint = "https://push.example/phone";
    const unsubscribe = (): Promise<boolean> => Promise.resolve((localStorage.removeItem(name), true));
    const subscription = { endpoint, unsubscribe, toJSON: () => ({ endpoint, keys }) } as unknown as PushSubscription;
    PushManager.prototype.subscribe = () => Promise.resolve((localStorage.setItem(name, "1"), subscription));
    PushManager.prototype.getSubscription = () => Promise.resolve(localStorage.getItem(name) ? subscription : null);
  }, keys);
}

/** Delivers a message to the app's service worker, as a push service does. */
async function pushService(context: BrowserContext, page: Page): Promise<(text: string) => Promise<void>> {
  const cdp = await context.newCDPSession(page);
  const registered = new Promise<string>((found) => {
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [first] = registrations;
      if (first) found(first.registrationId);
    });
  });
  await cdp.send("ServiceWorker.enable");
  const registrationId = await registered;
  return async (data) => {
    await cdp.send("ServiceWorker.deliverPushMessage", { origin: office.url, registrationId, data });
  };
}

/** Title, text and tag of the notices that are shown. */
const shown = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const notices = await (await navigator.serviceWorker.ready).getNotifications();
    return notices.map(({ title, body, tag }) => `${title}: ${body} (${tag})`);
  });

const subscription = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const get = async <T>(path: string, workspace = ""): Promise<T> =>
      (await (await fetch(path, { headers: { "X-Doorstep": `test${workspace}` } })).json()) as T;
    const { device } = await get<{ device: string }>("/api/session");
    const { subscription } = await get<{ subscription: unknown }>("/api/web-push", ` ${device.slice(0, 8)}`);
    return subscription;
  });

test("notices are off until the user turns them on, say nothing personal, and end with the session", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["notifications"]);
  await fakePushService(context);
  await signedIn(page);
  await readyOffline(page);
  await go(page, "/settings");
  expect(await subscription(page)).toBeNull();
  await page.getByLabel("From", { exact: true }).selectOption({ value: "9" });
  await page.getByRole("button", { name: "Turn on notices" }).click();
  await expect(page.getByText("Notices are on for this phone.")).toBeVisible();
  const expected = { endpoint: "https://push.example/phone", from_minute: 540, until_minute: 1_200 };
  expect(await subscription(page)).toEqual(expected);
  await page.getByLabel("Until", { exact: true }).selectOption({ value: "18" });
  await expect.poll(() => subscription(page)).toEqual({ ...expected, until_minute: 1_080 });

  const deliver = await pushService(context, page);
  await deliver("returned_work");
  await expect.poll(() => shown(page)).toEqual(["Doorstep: Work was returned to you. (returned_work)"]);
  await deliver("returned_work");
  await deliver("a key of a later version");
  await expect
    .poll(async () => (await shown(page)).sort())
    .toEqual(["Doorstep: Work was returned to you. (returned_work)", "Doorstep: You have new work. (new_work)"]);
  // A tap closes the notice.
  const [worker] = context.serviceWorkers();
  // A text: the tests' types have no service worker.
  await worker?.evaluate(`registration.getNotifications().then((notices) => {
    for (const notification of notices) dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  })`);
  await expect.poll(() => shown(page)).toEqual([]);
  await inEveryLook(page, "settings-notices", "h1");

  await page.getByRole("button", { name: "Turn off notices" }).click();
  await expect(page.getByRole("button", { name: "Turn on notices" })).toBeVisible();
  expect(await subscription(page)).toBeNull();
  await page.getByRole("button", { name: "Turn on notices" }).click();
  await expect.poll(() => subscription(page)).not.toBeNull();
  await go(page, "/");
  await page.getByTestId("sync-status").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
  const left = (): Promise<(string | null)[]> =>
    page.evaluate(() => [localStorage.getItem("fake-subscription"), localStorage.getItem("doorstep.notices")]);
  await expect.poll(left).toEqual([null, null]);
});

test("own figures come from the office and stay without a network", async ({ page, context }) => {
  await signedIn(page);
  await readyOffline(page);
  await go(page, "/past");
  await page.getByRole("link", { name: "Own figures" }).click();
  const month = page.getByTestId("own-month").first();
  await expect(month).toContainText("Visits");
  const figures = await month.textContent();
  await inEveryLook(page, "figures", "[data-testid=own-month]");
  await context.setOffline(true);
  await page.reload();
  await expect(month).toBeVisible();
  expect(await month.textContent()).toBe(figures);
  await context.setOffline(false);
});
