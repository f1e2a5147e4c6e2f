/** Devices as they report themselves, and the log of what users of the console changed. */
import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { inSync, signIn } from "./support/field";
import { tooWide } from "./support/looks";
import { Office } from "./support/office";
import { enter, wear } from "./support/walk";

const DEMO = "doorstep-demo";

const office = new Office();

test.beforeAll(() => office.start("--demo"));
test.afterAll(() => office.remove());

test("a phone reports its state, the console shows it, and a revocation is in the log", async ({ browser }) => {
  const phone = await (await browser.newContext()).newPage();
  await phone.goto(office.url);
  await signIn(phone, "chen.jie", DEMO);
  await inSync(phone);

  const desk = await (await browser.newContext()).newPage();
  await desk.goto(`${office.url}/office/people`);
  await signIn(desk, "admin", DEMO);
  await expect(desk.getByRole("heading", { name: "People and devices" })).toBeVisible();
  // The report follows the first sync by some seconds.
  const report = desk.getByTestId("device-report");
  await expect(async () => {
    await desk.reload();
    await expect(report).toHaveCount(1, { timeout: 15_000 });
  }).toPass();
  await expect(report).toHaveAttribute("data-unsent", "0");
  await expect(report).toContainText("Nothing unsent");
  await expectAccessible(desk, "devices");

  const device = (await desk.getByTestId("device-row").filter({ has: report }).getAttribute("data-id")) ?? "";
  const row = desk.locator(`[data-testid=device-row][data-id="${device}"]`);

  // The office asks for a support bundle; the phone's user reads it and sends it.
  await row.getByRole("button", { name: /Request a support bundle from chen\.jie/ }).click();
  const support = desk.getByTestId("support-state");
  await expect(support).toHaveAttribute("data-state", "requested");
  await phone.goto(`${office.url}/settings`);
  await expect(phone.getByTestId("support-request")).toContainText("管理员");
  await expect(phone.getByRole("button", { name: "Send to the office" })).toHaveCount(0);
  await phone.getByRole("button", { name: "Show diagnostics" }).click();
  const shown = await phone.getByTestId("diagnostics").innerText();
  await phone.getByRole("button", { name: "Send to the office" }).click();
  await expect(phone.getByText("Sent to the office.")).toBeVisible();
  await expect(phone.getByTestId("support-request")).toHaveCount(0);
  await desk.reload();
  await expect(support).toHaveAttribute("data-state", "sent");
  await row.getByRole("button", { name: /Open the support bundle of chen\.jie/ }).click();
  await expect(desk.getByTestId("support-bundle")).toHaveText(shown);
  await expectAccessible(desk, "support bundle");
  await desk.keyboard.press("Escape");

  // A revoked device shows no report.
  await row.getByRole("button", { name: /Revoke/ }).click();
  await desk.getByRole("button", { name: "Replaced by another phone" }).click();
  await desk
    .getByRole("dialog")
    .getByRole("button", { name: /Revoke/ })
    .click();
  await expect(row).toContainText("Replaced by another phone");

  await desk.getByRole("navigation", { name: "Console pages" }).getByRole("link", { name: "Audit log" }).click();
  const entries = desk.getByTestId("audit-row");
  await expect(entries).toHaveCount(2);
  await expect(entries.first()).toContainText("POST /api/devices/{id}/revoke");
  await expect(entries.first()).toContainText(device);
  await expect(entries.last()).toContainText("POST /api/devices/{id}/support");
  await desk.getByLabel("User", { exact: true }).fill("lin.yue");
  await expect(entries).toHaveCount(0);
  await expect(desk.getByText("No entry matches.")).toBeVisible();
  await desk.getByLabel("User", { exact: true }).fill("admin");
  await expect(entries).toHaveCount(2);
});

for (const look of [
  ["en", "light"],
  ["zh-CN", "dark"],
] as const) {
  test(`the audit log and the devices are accessible and fit, ${look.join(", ")}`, async ({ browser }) => {
    const desk = await office.api("lin.yue", DEMO);
    const { rows } = await desk.get<{ rows: { id: string }[] }>("/api/visits?limit=1&unassigned=1");
    await desk.command(rows[0]?.id ?? "", { do: "update_case", days_past_due: 7 });
    for (const width of [1280, 768]) {
      const context = await browser.newContext({ viewport: { width, height: 900 } });
      await wear(context, look);
      const page = await context.newPage();
      await page.goto(`${office.url}/office/audit`);
      await enter(page, "admin");
      await expect(page.getByTestId("audit-row").first()).toBeVisible();
      for (const [path, row] of [
        ["audit", "audit-row"],
        ["people", "device-row"],
      ] as const) {
        await page.goto(`${office.url}/office/${path}`);
        await expect(page.getByTestId(row).first()).toBeVisible();
        await expectAccessible(page, `${path} at ${width}`);
        expect(await tooWide(page), `${path} at ${width}`).toEqual([]);
        if (process.env["PICTURES"])
          await page.screenshot({ path: `${process.env["PICTURES"]}/${path}-${look[0]}-${width}.png` });
      }
      await context.close();
    }
  });
}
