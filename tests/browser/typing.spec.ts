/** Typing while saves are under way and the office writes into the same text. */
import { expect, test, type Page } from "@playwright/test";
import type { VisitView } from "../../www/src/wasm/doorstep";
import { rebase } from "../../www/src/field/rebase";
import { inSync, openCase, saved, signIn, step, syncNow } from "./support/field";
import { Office } from "./support/office";

test.describe("typed text is moved onto a newer version", () => {
  // `|` is the caret in the typed text and in the result.
  const cases: [name: string, base: string, typed: string, now: string, outcome: string][] = [
    ["no other change", "ab", "abc|", "ab", "abc|"],
    ["nothing was typed", "ab", "ab|", "xab", "xab|"],
    ["before the caret", "ab", "abc|", "xab", "xabc|"],
    ["behind the caret", "ab", "a1|b", "abx", "a1|bx"],
    ["at the same place", "ab", "ab1|", "ab2", "ab1|2"],
    ["one side deleted what the other typed into", "abcd", "ab1|cd", "ad", "a1|d"],
    ["both deleted the same", "abcd", "a|d", "ad", "a|d"],
    ["typed over all, the other added", "ab", "x|", "abc", "x|c"],
    ["the caret is before the other change", "ab", "|ab1", "abx", "|ab1x"],
  ];
  for (const [name, base, typed, now, outcome] of cases) {
    test(name, () => {
      const { text, caret } = rebase(base, typed.replace("|", ""), now, typed.indexOf("|"));
      expect(`${text.slice(0, caret)}|${text.slice(caret)}`).toBe(outcome);
    });
  }
});

test.describe("in the app", () => {
  let office: Office;

  test.beforeEach(async () => {
    office = await Office.open();
  });
  test.afterEach(() => office.remove());

  async function atNotes(page: Page): Promise<string> {
    await page.goto(office.url);
    await signIn(page, "chen.jie");
    await inSync(page);
    const id = await openCase(page, "NB2026000002");
    await step(page, "Record");
    return id;
  }

  test("no letter is lost or written twice, however saves and typing fall together", async ({ page }) => {
    const id = await atNotes(page);
    const notes = page.getByLabel("Notes");
    const words = "一二三四五六七八九十 the quick brown fox jumps over the lazy dog";
    // Pauses just around the one after which a text is saved, and the field is left in between.
    for (const [at, letter] of [...words].entries()) {
      await notes.press("End");
      await page.keyboard.insertText(letter);
      if (at % 7 === 3) await page.waitForTimeout(610);
      if (at % 11 === 5) await notes.blur();
    }
    await notes.blur();
    await expect(notes).toHaveValue(words);
    await saved(page);
    await syncNow(page);
    await inSync(page);
    const desk = await office.api();
    expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toBe(words);
  });

  test("the office's concurrent edit is kept, and the caret stays with the typed text", async ({ page }) => {
    const id = await atNotes(page);
    const notes = page.getByLabel("Notes");
    const desk = await office.api();
    await notes.fill("phone");
    await notes.blur();
    await saved(page);
    await syncNow(page);
    await inSync(page);
    const { heads, notes: before } = await desk.get<VisitView>(`/api/visits/${id}`);
    expect(before).toBe("phone");

    await notes.press("End");
    await page.keyboard.insertText(" 1");
    await desk.command(id, { do: "edit_notes", base: heads, text: "office phone" });
    for (const letter of " 2 3 4 5 6") {
      await page.keyboard.insertText(letter);
      await page.waitForTimeout(250);
    }
    await notes.blur();
    await saved(page);
    await syncNow(page);
    await inSync(page);
    await expect(notes).toHaveValue("office phone 1 2 3 4 5 6");
    expect((await desk.get<VisitView>(`/api/visits/${id}`)).notes).toBe("office phone 1 2 3 4 5 6");
  });
});
