/** Four-eyes approval of holds and of acceptances; the audit of a drawn record by a third person. */
import { expect, test, type Browser, type Locator, type Page } from "@playwright/test";
import type { VisitSummary, VisitView } from "../../www/src/wasm/doorstep";
import { expectAccessible } from "./support/axe";
import { inSync, saved, signIn, step } from "./support/field";
import { press, type } from "./support/keyboard";
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

/** How two supervisors work: with the mouse, or with the keyboard alone. */
const HANDS = {
  mouse: {
    press: (target: Locator): Promise<void> => target.click(),
    type: (target: Locator, text: string): Promise<void> => target.fill(text),
  },
  keyboard: { press, type },
};

for (const [way, hand] of Object.entries(HANDS)) {
  test(`a returned record is corrected and accepted by two people, by ${way}`, async ({ browser }) => {
    const api = await office.api("lin.yue", DEMO);
    const view = (id: string): Promise<VisitView> => api.get<VisitView>(`/api/visits/${id}`);
    const { rows } = await api.get<{ rows: VisitSummary[] }>("/api/visits?stage=sealed");
    const found = rows.find(({ disposition }) => disposition === "ptp" || disposition === "considering");
    const collector = found?.collectors[0];
    if (!found || !collector) throw new Error("the demo has no such record");
    const { id } = found;

    // One supervisor returns it.
    const lin = await desk(browser, "lin.yue", `/visits/${id}`);
    const form = lin.getByTestId("review-form");
    await hand.type(form.getByLabel("Remark for the collector"), "Please add who opened the door.");
    await hand.press(form.getByRole("button", { name: "Return" }));
    await expect(form).toHaveCount(0);

    // The collector corrects it and seals it again.
    const phone = await (await browser.newContext()).newPage();
    await phone.goto(office.url);
    await signIn(phone, collector, DEMO);
    await inSync(phone);
    await phone.goto(`${office.url}/visit/${id}/record`);
    await expect(phone.getByText("Please add who opened the door.")).toBeVisible();
    await phone.getByLabel("Notes").fill("The borrower opened the door.");
    await phone.getByLabel("Notes").blur();
    await saved(phone);
    await step(phone, "Record");
    await phone.getByRole("button", { name: "Seal record" }).click();
    await phone.getByRole("button", { name: "Seal now" }).click();
    await expect.poll(async () => (await view(id)).stage, { timeout: 60_000 }).toBe("sealed");

    // Back in review, without reloading: the same supervisor accepts, and that needs a second person.
    await expect(form).toBeVisible({ timeout: 60_000 });
    await hand.press(form.getByRole("button", { name: "Accept" }));
    const dialog = lin.getByRole("dialog", { name: "A second person has to approve this" });
    await hand.type(dialog.getByLabel("Reason"), "the notes are complete now");
    await hand.press(dialog.getByRole("button", { name: "Propose" }));
    await expect(dialog.getByText("Proposed. Another person decides.")).toBeVisible();
    expect((await view(id)).review.status).not.toBe("accepted");

    const admin = await desk(browser, "admin", "/");
    await hand.press(admin.getByTestId("queue-proposals"));
    const row = admin.getByTestId("proposal-row").filter({ hasText: "the notes are complete now" });
    await hand.press(row.getByRole("button", { name: "Approve" }));
    await hand.press(admin.getByRole("dialog").getByRole("button", { name: "Approve" }));
    await expect(row).toHaveCount(0);
    const accepted = await view(id);
    expect([accepted.review.status, accepted.review.by, accepted.notes]).toEqual([
      "accepted",
      "admin",
      "The borrower opened the door.",
    ]);
  });
}
