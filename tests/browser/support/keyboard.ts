/** What a person without a mouse does: Tab to a control, then keys. */
import { expect, type Locator } from "@playwright/test";

/** More than any page of the console has. */
const MAX_STOPS = 300;

/** Moves the focus to a control as a person without a mouse does. */
export async function reach(target: Locator): Promise<void> {
  await expect(target).toBeEnabled();
  for (let stops = 0; stops < MAX_STOPS; stops++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await target.page().keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${String(target)}`);
}

export async function press(target: Locator, key = "Enter"): Promise<void> {
  await reach(target);
  await target.page().keyboard.press(key);
}

export async function type(target: Locator, text: string): Promise<void> {
  await reach(target);
  await target.page().keyboard.type(text);
}
