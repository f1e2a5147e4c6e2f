/** The colour theme and the text size. */
import { effect, signal } from "@preact/signals";
import { writePreference, readPreference } from "./preferences";

export type Theme = "system" | "light" | "dark";

const THEME_KEY = "doorstep.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(dark.matches);
const storedTheme = readPreference(THEME_KEY);

export const theme = signal<Theme>(storedTheme === "light" || storedTheme === "dark" ? storedTheme : "system");

/** Applies the theme and the text size to the document, now and on every change. */
export function initTheme(): void {
  dark.addEventListener("change", () => (systemDark.value = dark.matches));
  effect(() => void (document.documentElement.style.fontSize = textSize.value === "100" ? "" : `${textSize.value}%`));
  effect(() => {
    const isDark = theme.value === "dark" || (theme.value === "system" && systemDark.value);
    document.documentElement.dataset.theme = isDark ? "doorstep-dark" : "doorstep";
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", isDark ? "#0e1513" : "#f2f5f3");
  });
}

export type TextSize = "100" | "125" | "150";

const SIZE_KEY = "doorstep.text";
const storedSize = readPreference(SIZE_KEY);

/** Percent of the browser's default size. */
export const textSize = signal<TextSize>(storedSize === "125" || storedSize === "150" ? storedSize : "100");

export function setTextSize(next: TextSize): void {
  writePreference(SIZE_KEY, next);
  textSize.value = next;
}

export function setTheme(next: Theme): void {
  writePreference(THEME_KEY, next);
  theme.value = next;
}
