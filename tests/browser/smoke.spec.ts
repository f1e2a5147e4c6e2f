/** Both apps open: no error in the console, nothing that keeps anybody out. */
import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support/axe";
import { Office } from "./support/office";

let office: Office;

test.beforeAll(async () => {
  office = new Office();
  await office.start();
});
test.afterAll(() => office.remove());

for (const [app, path, title] of [
  ["the field app", "/", /Doorstep/],
  ["the console", "/office/", /Doorstep office/],
] as const) {
  test(`${app} opens at sign-in`, async ({ page }) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      // The console asks who is signed in; no user is a valid answer, which Chromium logs all the same.
      if (message.type() === "error" && !message.location().url.endsWith("/api/session")) errors.push(message.text());
    });
    await page.goto(office.url + path);
    await expect(page).toHaveTitle(title);
    await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
    await expectAccessible(page);
    expect(errors).toEqual([]);
  });
}
