/** The app itself on every engine: its list, its updates, and what it says that the browser lacks. */
import { Rollout } from "../support/rollout";
import { firstSignIn, inSync, NOTES, openCase, readyOffline, saved, step, unlock } from "./support/app";
import { until, type Page } from "./support/page";
import { expect, test } from "./support/walk";

/** The version whose program runs in a page; 0 while none does. */
async function version(page: Page): Promise<number> {
  const found = page.tab.evaluate(() => {
    const names = [...document.scripts].map(({ src }) => /\/field-[\w-]{8}(?:\.v(\d+))?\.js$/.exec(src));
    const name = names.find((found) => found !== null);
    return name ? Number(name[1] ?? 1) : 0;
  });
  return found.catch(() => 0);
}

test("an update waits for the user's consent, reaches every tab, and keeps typed text", async ({ office, phone }) => {
  const rollout = await Rollout.before(office.url);
  try {
    const first = await phone.start(rollout.url);
    await firstSignIn(first, "chen.jie");
    const id = await openCase(first, "NB2026000002");
    await readyOffline(first);
    await step(first, "Record");
    await first.type(NOTES, "begun before the update");
    await first.blur();
    await saved(first);

    const two = rollout.next();
    const second = await phone.newTab(`${rollout.url}/visit/${id}/record`);
    for (const page of [first, second]) {
      await page.waitFor({ text: "A new version is available." });
      expect(await version(page)).toBe(1);
    }
    await second.type(NOTES, ", went on under the offer");
    await second.click({ role: "button", name: "Update now" });
    for (const page of [first, second]) {
      await until("the new version", async () => ((await version(page)) === two ? true : undefined));
    }
    await unlockIfLocked(first);
    for (const page of [first, second]) {
      await page.waitFor(NOTES, ({ value }) => value === "begun before the update, went on under the offer");
    }
    await inSync(first);
  } finally {
    rollout.stop();
  }
});

/** All tabs reload at once: whether one of them still held the pass is a race. */
async function unlockIfLocked(page: Page): Promise<void> {
  const locked = await until("the page after the update", async () => {
    if (await page.seen({ testId: "unlock" })) return true;
    return (await page.seen(NOTES)) ? false : undefined;
  });
  if (locked) await unlock(page);
}

/** Of a page of which every frame is watched. */
interface Watched {
  /** Frames in which the list had rows. */
  frames: number;
  /** Empty parts of the list that were on the screen in them, in CSS pixels. */
  blank: string[];
  look: () => void;
}

/** In the page: watches the list in every frame. */
function watchList(): void {
  const watched = globalThis as unknown as Watched;
  Object.assign(watched, { frames: 0, blank: [] });
  watched.look = () => {
    const list = document.querySelector("[data-testid=visit-list]");
    if (!list?.querySelector("[data-testid=visit-row]")) return;
    watched.frames += 1;
    for (const space of list.querySelectorAll<HTMLElement>("div[style*=height]")) {
      const { top, bottom } = space.getBoundingClientRect();
      if (Math.min(bottom, innerHeight) - Math.max(top, 0) > 1) watched.blank.push(`${top} to ${bottom}`);
    }
  };
  const frame = (): void => {
    watched.look();
    if (watched.frames < 20) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

test("the list has no blank part on the screen, neither at first nor where it is scrolled to", async ({
  office,
  phone,
}) => {
  const page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  await page.reload();
  await page.waitFor({ testId: "unlock" });
  await page.tab.evaluate(watchList);
  await unlock(page);
  await until("twenty frames", async () => {
    const frames = await page.tab.evaluate(() => (globalThis as unknown as Watched).frames);
    return frames >= 20 ? true : undefined;
  });
  const blank = await page.tab.evaluate(async () => {
    const watched = globalThis as unknown as Watched;
    const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
    for (const at of [1, 0.5, 0.25, 0.75, 0]) {
      scrollTo(0, at * (document.documentElement.scrollHeight - innerHeight));
      // The page learns of a jump in the frame that shows it, in WebKit one later.
      for (let n = 0; n < 3; n += 1) await frame();
      watched.look();
    }
    return watched.blank;
  });
  expect(blank).toEqual([]);
});

test("settings say whether the browser promises to keep data, in both languages", async ({ office, phone }) => {
  const page = await phone.start(office.url);
  await firstSignIn(page, "chen.jie");
  const canAsk = await page.tab.evaluate(
    () => typeof (navigator as { storage?: { persist?: unknown } }).storage?.persist === "function",
  );
  for (const [lang, unsupported, others] of [
    ["en", "This browser can't promise to keep data", ["The browser may delete", "The browser keeps"]],
    ["zh-CN", "此浏览器无法承诺保留数据", ["浏览器可能清除", "浏览器会一直保留"]],
  ] as const) {
    await page.tab.evaluate((lang) => localStorage.setItem("doorstep.lang", lang), lang);
    await page.open(`${office.url}/settings`);
    await unlock(page);
    const { text } = await page.waitFor({ css: "main" }, ({ text }) =>
      [unsupported, ...others].some((sentence) => text.includes(sentence)),
    );
    expect(text.includes(unsupported)).toBe(!canAsk);
  }
});
