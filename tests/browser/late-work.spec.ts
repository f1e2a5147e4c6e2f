/** Work that reaches the office after a colleague's seal: amendment on the phone, or the supervisor. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { choose, inSync, openCase, readyOffline, saved, seal, signIn, step, syncNow } from "./support/field";
import { Office, PASSWORD } from "./support/office";
import { rewear } from "./support/walk";

let office: Office;

test.beforeEach(async () => {
  office = await Office.open();
});
test.afterEach(() => office.remove());

async function arrive(page: Page, user: string): Promise<void> {
  await page.goto(office.url);
  await signIn(page, user);
  await inSync(page);
}

test("of two collectors one writes offline while the other seals; nothing moves under the seal, nothing is lost", async ({
  page,
  context,
  browser,
}) => {
  // wu.min has the record and goes off line.
  const api = await office.api();
  await arrive(page, "chen.jie");
  const id = await openCase(page, "NB2026000002");
  await api.command(id, { do: "assign", collectors: ["chen.jie", "wu.min"] });
  await syncNow(page);
  await inSync(page);
  const other = await browser.newContext();
  const second = await other.newPage();
  await arrive(second, "wu.min");
  await readyOffline(second);
  await openCase(second, "NB2026000002");
  await other.setOffline(true);
  await step(second, "Record");
  await second.getByLabel("Notes").fill("The neighbour's dog was loose.");
  await second.getByLabel("Notes").blur();
  await saved(second);

  // chen.jie seals and signs; a supervisor accepts.
  await step(page, "Record");
  await choose(page, "Borrower not met", "Not at home");
  await seal(page);
  await expect(page.getByTestId("signature")).toContainText("nothing has changed since");
  await inSync(page);
  await api.command(id, { do: "review", status: "accepted", remark: "", at: Date.now() });
  const accepted = await api.get<VisitView>(`/api/visits/${id}`);

  // wu.min comes back: refused, shown with one way on, and the record is as it was.
  await other.setOffline(false);
  await syncNow(second);
  const refused = second.getByTestId("refused");
  await expect(refused).toContainText("the record was already sealed when it arrived");
  await expect(refused).toContainText("Nothing is lost");
  await expect(second.getByTestId("sync-status")).toHaveAttribute("data-state", "attention");
  await expectAccessible(second, "late work");
  await refused.screenshot({ path: test.info().outputPath("late-en-light.png") });
  await rewear(second, ["zh-CN", "dark"]);
  await expect(refused).toContainText("送达时记录已被封存");
  await refused.screenshot({ path: test.info().outputPath("late-zh-dark.png") });
  await rewear(second, ["en", "light"]);
  expect(await api.get<VisitView>(`/api/visits/${id}`)).toEqual(accepted);

  // One tap: an amendment, under wu.min's name.
  await refused.getByRole("button", { name: "Add as amendments (1)" }).click();
  await expect(refused).toBeHidden();
  await syncNow(second);
  await inSync(second);
  const amended = await api.get<VisitView>(`/api/visits/${id}`);
  expect(amended.amendments.map(({ by, path, text }) => [by, path, text])).toEqual([
    ["wu.min", "notes", "The neighbour's dog was loose."],
  ]);
  expect([amended.notes, amended.stage]).toEqual([accepted.notes, "reviewed"]);
  expect(amended.seal?.signatures.map(({ standing, changed }) => [standing, changed])).toEqual([[true, false]]);

  // A supervisor may take it into the record instead: the seal and its signature are void then.
  const console = await browser.newPage();
  await console.goto(`${office.url}/office/`);
  await console.getByLabel("User name").fill("lin.yue");
  await console.getByLabel("Password").fill(PASSWORD);
  await console.getByRole("button", { name: "Sign in" }).click();
  await console.getByRole("link", { name: "Quarantine", exact: true }).click();
  await console.getByTestId("quarantine-row").getByRole("link").click();
  await expect(console.getByTestId("reopens")).toContainText("voids the seal");
  await console.screenshot({ path: test.info().outputPath("console-reopens.png") });
  await console.getByRole("button", { name: "Accept…" }).click();
  await console.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(console.getByText("Accepted: it is now part of the record.")).toBeVisible();
  await console.goto(`${office.url}/office/visits/${id}`);
  await expect(console.getByTestId("signature")).toHaveAttribute("data-changed", "true");
  await expect(console.getByText("The record has changed since this was signed.")).toBeVisible();
  await console.screenshot({ path: test.info().outputPath("console-changed.png"), fullPage: true });

  // Back at chen.jie: returned, with the reason, to be checked and sealed again.
  await syncNow(page);
  await inSync(page);
  await expect(page.getByText("The office returned this record")).toBeVisible();
  await expect(page.getByText("Work that arrived after the seal was accepted")).toBeVisible();
  await step(page, "Record");
  await page.getByRole("button", { name: "Seal record" }).click();
  await page.getByRole("button", { name: "Seal now" }).click();
  await expect(page.getByTestId("signature")).toHaveCount(2);
  await inSync(page);
  const sealed = await api.get<VisitView>(`/api/visits/${id}`);
  expect([sealed.stage, sealed.notes]).toEqual(["sealed", "The neighbour's dog was loose."]);
  expect(sealed.seal?.signatures.map(({ standing }) => standing)).toEqual([false, true]);
  await other.close();
  await console.close();
  await context.setOffline(false);
  await office.stop();
  expect((JSON.parse(office.run(["verify", "--json"])) as { ok: boolean }).ok).toBe(true);
});
