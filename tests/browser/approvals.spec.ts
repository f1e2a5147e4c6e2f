/** Four-eyes approval of holds and of acceptances; the audit of a drawn record by a third person. */
import { expect, test, type Browser, type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { signIn } from "./support/field";
import { Office } from "./support/office";

const DEMO = "doorstep-demo";

const office = new Office();

test.beforeAll(() =>
  office.start("--demo", "--approvals", "hold,outcome=ptp,outcome=considering", "--audit-share", "100"),
);
test.afterAll(() => office.remove());

const desk = async (browser: Browser, user: string, at: string): Promise<Page> => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${office.url}/office${at}`);
  await signIn(page, user, DEMO);
  return page;
};

test("one supervisor proposes to lift a hold, another one refuses and then approves it", async ({ browser }) => {
  const api = await office.api("lin.yue", DEMO);
  const { rows } = await api.get<{ rows: { id: string }[] }>("/api/visits?limit=1&unassigned=1");
  const id = rows[0]?.id ?? "";
  await api.command(id, { do: "raise_hold", flag: "dispute", since: 1, until: null, note: "" });

  const lin = await desk(browser, "lin.yue", `/visits/${id}`);
  const propose = async (reason: string): Promise<void> => {
    await lin.getByTestId("holds").getByRole("button", { name: /Lift/ }).click();
    await lin.getByRole("button", { name: "Lift hold" }).click();
    const dialog = lin.getByRole("dialog", { name: "A second person has to approve this" });
    await expect(dialog.getByRole("button", { name: "Propose" })).toBeDisabled();
    await dialog.getByLabel("Reason").fill(reason);
    await dialog.getByRole("button", { name: "Propose" }).click();
    await expect(dialog.getByText("Proposed. Another person decides.")).toBeVisible();
  };
  await propose("the borrower withdrew the dispute");
  await lin.getByRole("link", { name: "Open approvals" }).click();
  const own = lin.getByTestId("proposal-row");
  await expect(own).toHaveCount(1);
  await expect(own.getByRole("button", { name: "Approve" })).toHaveCount(0);
  await expect(own.getByRole("button", { name: "Withdraw" })).toBeVisible();

  const admin = await desk(browser, "admin", "/");
  await expect(admin.getByTestId("queue-proposals")).toHaveAttribute("data-count", "1");
  await admin.getByTestId("queue-proposals").click();
  const row = admin.getByTestId("proposal-row");
  await expect(row).toContainText("the borrower withdrew the dispute");
  await expectAccessible(admin, "approvals");
  await row.getByRole("button", { name: "Refuse" }).click();
  await admin.getByRole("dialog").getByLabel("Reason").fill("no letter yet");
  await admin.getByRole("dialog").getByRole("button", { name: "Refuse" }).click();
  await expect(row).toHaveCount(0);

  await lin.goto(`${office.url}/office/approvals?closed=1`);
  await expect(own).toHaveAttribute("data-state", "refused");
  await expect(own).toContainText("no letter yet");
  await lin.goto(`${office.url}/office/visits/${id}`);
  await propose("the letter is here");
  await admin.reload();
  await row.getByRole("button", { name: "Approve" }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(row).toHaveCount(0);
  await lin.goto(`${office.url}/office/visits/${id}`);
  await expect(lin.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(lin.getByTestId("holds")).toHaveCount(0);
});

test("a record is accepted by two people and audited by a third one", async ({ browser }) => {
  const api = await office.api("lin.yue", DEMO);
  const { rows } = await api.get<{ rows: { id: string }[] }>("/api/visits?limit=1&stage=sealed");
  const id = rows[0]?.id ?? "";

  const lin = await desk(browser, "lin.yue", `/visits/${id}`);
  await lin.getByTestId("review-form").getByRole("button", { name: "Accept" }).click();
  const dialog = lin.getByRole("dialog", { name: "A second person has to approve this" });
  await dialog.getByLabel("Reason").fill("the recording agrees");
  await dialog.getByRole("button", { name: "Propose" }).click();
  await expect(dialog.getByText("Proposed. Another person decides.")).toBeVisible();
  await lin.keyboard.press("Escape");
  await expect(lin.getByTestId("first-acceptance")).toContainText("You proposed to accept this record.");

  const admin = await desk(browser, "admin", `/visits/${id}`);
  await expect(admin.getByTestId("first-acceptance")).toContainText("the recording agrees");
  await expectAccessible(admin, "a record for a second person");
  await admin.getByRole("button", { name: "Accept as second person" }).click();
  await expect(admin.getByRole("button", { name: "Undo review" })).toBeVisible();
  const { review } = await api.get<{ review: { status: string; by: string } }>(`/api/visits/${id}`);
  expect(review).toMatchObject({ status: "accepted", by: "admin" });

  const gu = await desk(browser, "gu.an", "/");
  await expect(gu.getByTestId("queue-to_audit")).not.toHaveAttribute("data-count", "0");
  await gu.goto(`${office.url}/office/visits/${id}?queue=to_audit`);
  const form = gu.getByTestId("audit-form");
  await form.getByRole("radio", { name: "Not in order" }).click();
  await expect(form.getByRole("button", { name: "Save audit" })).toBeDisabled();
  await form.getByLabel("Findings").fill("no recording");
  await expectAccessible(gu, "an audit");
  await form.getByRole("button", { name: "Save audit" }).click();
  await expect(gu.getByText("Audited by")).toBeVisible();
  const left = await api.get<{ rows: { id: string }[] }>("/api/visits?queue=to_audit");
  expect(left.rows.map((row) => row.id)).not.toContain(id);
});
