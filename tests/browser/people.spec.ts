/** People and devices: an administrator keeps them, and both apps take an identity provider's word. */
import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { inSync, signIn, unlocks } from "./support/field";
import { Office, PASSWORD } from "./support/office";
import { CLIENT, Provider } from "./support/provider";

let office: Office;
let provider: Provider;

test.beforeAll(async () => {
  provider = new Provider();
  await provider.start();
  office = new Office();
  office.addPeople();
  office.addUser("admin", "admin");
  office.importCases("cases.csv");
  await office.start("--oidc-issuer", provider.url, "--oidc-client-id", CLIENT, "--oidc-label", "Lender ID");
});
test.afterAll(async () => {
  provider.stop();
  await office.remove();
});

test("a collector signs in with the identity provider, works, and comes back as the same device", async ({ page }) => {
  await unlocks(page);
  await page.goto(office.url);
  await page.getByRole("button", { name: "Sign in with Lender ID" }).click();
  await expect(page).toHaveURL(new RegExp(`^${provider.url}/door`));
  await page.getByRole("link", { name: "I am chen.jie" }).click();
  await inSync(page);
  expect(new URL(page.url()).hash).toBe("");
  const admin = await office.api("admin");
  const phones = async (): Promise<string[]> => {
    const devices = await admin.get<{ id: string; user: string }[]>("/api/devices");
    return devices.filter(({ user }) => user === "chen.jie").map(({ id }) => id);
  };
  expect(await phones()).toHaveLength(1);

  // An account of the provider without a user here is refused.
  provider.person = "stranger";
  const other = await page.context().browser()?.newContext({ locale: "en-GB" });
  const strange = await other?.newPage();
  if (!other || !strange) throw new Error("no browser");
  await strange.goto(`${office.url}/office/`);
  await strange.getByRole("button", { name: "Sign in with Lender ID" }).click();
  await strange.getByRole("link", { name: "I am stranger" }).click();
  await expect(strange.getByRole("alert")).toContainText("The office has no user for this account");
  await expectAccessible(strange);
  // Staff accounts are linked by hand: a name alone opens nothing.
  provider.person = "lin.yue";
  await strange.getByRole("button", { name: "Sign in with Lender ID" }).click();
  await strange.getByRole("link", { name: "I am lin.yue" }).click();
  await expect(strange.getByRole("alert")).toContainText("not linked to your user yet");
  office.run(["user", "link", "lin.yue", "--issuer", provider.url, "--subject", "subject of lin.yue"]);
  await strange.getByRole("button", { name: "Sign in with Lender ID" }).click();
  await strange.getByRole("link", { name: "I am lin.yue" }).click();
  await expect(strange.getByRole("heading", { name: "Visit records" })).toBeVisible();
  await other.close();
  provider.person = "chen.jie";
});

test("an administrator adds a user, changes a role, disables an account, and revokes a lost phone", async ({
  page,
  browser,
}) => {
  const field = await browser.newContext({ locale: "en-GB", timezoneId: "Asia/Shanghai" });
  const phone = await field.newPage();
  await phone.goto(office.url);
  await signIn(phone, "wu.min");
  await inSync(phone);

  await page.goto(`${office.url}/office/people`);
  await signIn(page, "admin");
  await expect(page.getByRole("heading", { name: "People and devices" })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByLabel("User name").fill("ma.li");
  await page.getByLabel("Display name").fill("马丽");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const row = page.locator('[data-testid="user-row"][data-name="ma.li"]');
  await expect(row).toContainText("马丽");
  await expect(row).toContainText("Collector");

  await page.getByRole("button", { name: "Edit ma.li" }).click();
  await page.getByLabel("Role").selectOption("auditor");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("Auditor");
  await page.getByRole("button", { name: "Edit ma.li" }).click();
  await page.getByRole("button", { name: "Disable account" }).click();
  await expect(row).toContainText("Disabled");

  const device = page.getByTestId("device-row").filter({ hasText: "wu.min" });
  await device.getByRole("button", { name: /^Revoke device/ }).click();
  await expectAccessible(page);
  await expect(page.getByRole("button", { name: "Revoke device", exact: true })).toBeDisabled();
  await page.getByRole("textbox", { name: "Reason" }).fill("left on a bus");
  await page.getByRole("button", { name: "Revoke device", exact: true }).click();
  await expect(device).toContainText("left on a bus");
  await expect(device.getByRole("button")).toHaveCount(0);
  await field.close();

  // A supervisor sees collectors' devices and changes nothing.
  await page.context().clearCookies();
  await page.goto(`${office.url}/office/people`);
  await signIn(page, "lin.yue");
  await expect(page.getByTestId("device-row").filter({ hasText: "wu.min" })).toContainText("Revoked");
  await expect(page.getByRole("button", { name: "Add user" })).toHaveCount(0);
  await expect(page.getByTestId("device-row").filter({ hasText: "lin.yue" })).toHaveCount(0);
});
