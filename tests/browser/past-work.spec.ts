/** Accepted work leaves the phone; a card of it stays, says nothing about a person, and goes when the record is here again. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { dump } from "./support/dump";
import { choose, go, inSync, openCase, seal, signIn, step, syncNow } from "./support/field";
import { Office } from "./support/office";

const CASE = "NB2026000002";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
});
test.afterEach(() => office.remove());

/** From the list to its sealed end. */
async function sealed(page: Page): Promise<string> {
  const id = await openCase(page, CASE);
  await step(page, "Record");
  await choose(page, "Borrower not met", "Not at home");
  await seal(page);
  await inSync(page);
  return id;
}

test("accepted work leaves by age, and a card of it stays", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  await page.getByRole("link", { name: "Past work" }).click();
  await expect(page.getByText("No past work yet")).toBeVisible();
  await expectAccessible(page);
  await go(page, "/");
  const id = await sealed(page);
  let desk = await office.api();
  await desk.command(id, { do: "review", status: "accepted", remark: "", at: Date.now() });
  const { case: about } = await desk.get<VisitView>(`/api/visits/${id}`);
  await expect(page.getByText("The office accepted this record")).toBeVisible();

  await office.stop();
  await office.start("--phone-days", "0");
  await syncNow(page);
  await expect(page.getByRole("heading", { name: "This record is no longer on this phone" })).toBeVisible();
  await page.getByRole("link", { name: "Past work" }).click();
  const card = page.getByTestId("past-card");
  await expect(card).toHaveCount(1);
  for (const text of [CASE, "Not at home", "Accepted"]) await expect(card).toContainText(text);
  await expectAccessible(page);
  await page.screenshot({ path: test.info().outputPath("past-work.png") });

  await page.reload();
  await expect(card).toContainText(CASE);
  await go(page, "/");
  await inSync(page);
  await go(page, "/past");
  await expect(card).toHaveCount(1);

  // Neither on the page nor anywhere in the browser is anything about the borrower.
  const facts = [about.borrower_name, about.address, ...about.phones].filter((fact) => fact !== "");
  expect(facts.length).toBeGreaterThanOrEqual(3);
  for (const fact of facts) await expect(page.locator("body")).not.toContainText(fact);
  const kept = await dump(page);
  const found = (fact: string): boolean =>
    kept.some(({ bytes }) => bytes.includes(Buffer.from(fact)) || bytes.includes(Buffer.from(fact, "utf16le")));
  expect([...facts, CASE].filter(found)).toEqual([]);
  const about_it = kept.filter(({ where, bytes }) => where.startsWith("doorstep/") && bytes.includes(Buffer.from(id)));
  expect(about_it.map(({ bytes }) => bytes.toString())).toEqual([`card/${id}`]);

  // The office reopens it: it is here again, and the card has gone.
  desk = await office.api();
  await desk.command(id, { do: "review", status: "returned", remark: "the reason is missing", at: Date.now() });
  await expect(page.getByText("No past work yet")).toBeVisible();
  await go(page, "/");
  await expect(page.getByRole("region", { name: "Returned by the office" }).getByTestId("visit-row")).toHaveCount(1);
  await inSync(page);
  expect((JSON.parse(office.run(["verify", "--json"])) as { ok: boolean }).ok).toBe(true);
});

test("a reassigned record leaves a summary, which signing out deletes", async ({ page }) => {
  await page.goto(office.url);
  await signIn(page, "chen.jie");
  await inSync(page);
  await page.addLocatorHandler(page.getByRole("button", { name: "Dismiss" }), (button) => button.click());
  const id = await sealed(page);
  const desk = await office.api();
  await desk.command(id, { do: "assign", collectors: ["he.tao"] });
  await expect(page.getByRole("heading", { name: "This record is no longer on this phone" })).toBeVisible();
  await page.getByRole("link", { name: "Past work" }).click();
  const card = page.getByTestId("past-card");
  await expect(card).toContainText("Not accepted when it left");
  await go(page, "/");
  await inSync(page);
  await page.getByTestId("sync-status").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
  const rows = (await dump(page)).filter(({ where }) => where.startsWith("doorstep/"));
  expect(rows.filter(({ bytes }) => bytes.includes(Buffer.from(id)))).toEqual([]);
});
