/** Several tabs over one store: all of them write, one leads, and nothing is lost when it ends. */
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { inSync, openCase, saved, signIn, step, unlocks } from "./support/field";
import { Office } from "./support/office";

let office: Office;

test.beforeAll(async () => {
  office = await Office.open();
});
test.afterAll(() => office.remove());

const notes = (page: Page) => page.getByLabel("Notes");

async function write(page: Page, text: string): Promise<void> {
  await notes(page).focus();
  await notes(page).press("Control+End");
  await notes(page).pressSequentially(text);
  await notes(page).blur();
  await saved(page);
}

/** Two tabs on the notes of one record; the first leads. */
async function two(context: BrowserContext, user: string): Promise<{ first: Page; second: Page; id: string }> {
  const first = await context.newPage();
  await first.goto(office.url);
  await signIn(first, user);
  await inSync(first);
  const id = await openCase(first, "NB2026");
  const second = await context.newPage();
  await unlocks(second);
  await second.goto(`${office.url}/visit/${id}`);
  for (const page of [first, second]) {
    await step(page, "Record");
    await expect(notes(page)).toBeVisible();
  }
  return { first, second, id };
}

test("two tabs write into one record and see each other", async ({ context }) => {
  const { first, second } = await two(context, "chen.jie");
  await write(first, "one ");
  await expect(notes(second)).toHaveValue("one ");
  await write(second, "two ");
  await expect(notes(first)).toHaveValue("one two ");
  await inSync(first);
  await inSync(second);
});

test("the other tab takes over when the leader is closed", async ({ context }) => {
  const { first, second } = await two(context, "wu.min");
  await write(second, "before ");
  await first.close();
  await write(second, "after ");
  await expect(notes(second)).toHaveValue("before after ");
  await inSync(second);
  await second.reload();
  await expect(notes(second)).toHaveValue("before after ");
});

test("the other tab takes over when the leader crashes", async ({ context }) => {
  const { first, second } = await two(context, "zhao.lei");
  await write(first, "before ");
  await expect(notes(second)).toHaveValue("before ");
  const cdp = await context.newCDPSession(first);
  await Promise.race([cdp.send("Page.crash").catch(() => undefined), first.waitForEvent("crash")]);
  await write(second, "after ");
  await expect(notes(second)).toHaveValue("before after ");
  await inSync(second);
});

test("the leader is stopped in its tracks: the other takes over, and the first follows when it wakes", async ({
  context,
}) => {
  const { first, second } = await two(context, "sun.yan");
  await write(first, "before ");
  await expect(notes(second)).toHaveValue("before ");
  // The page answers nothing for longer than another tab waits.
  const stopped = first.evaluate(() => {
    const end = Date.now() + 20_000;
    while (Date.now() < end);
  });
  await write(second, "after ");
  await stopped;
  await expect(notes(first)).toHaveValue("before after ");
  await write(second, "again ");
  await expect(notes(first)).toHaveValue("before after again ");
  await write(first, "both ");
  await expect(notes(second)).toHaveValue("before after again both ");
  await inSync(second);
});

test("who signs out in one tab is signed out in the other", async ({ context }) => {
  const { first, second } = await two(context, "he.tao");
  await inSync(second);
  await second.getByTestId("sync-status").click();
  await second.getByRole("button", { name: "Sign out" }).click();
  await expect(second.getByLabel("Password")).toBeVisible();
  await expect(first.getByLabel("Password")).toBeVisible();
});
