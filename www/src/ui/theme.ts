/** Light, dark, or as the system has it; and how large the text is. */
import { effect, signal } from "@preact/signals";
import { writePreference, readPreference } from "./preferences";

export type Theme = "system" | "light" | "dark";

const KEPT = "doorstep.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(dark.matches);
const kept = readPreference(KEPT);

export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : "system");

/** Keeps the document in the theme that is chosen. */
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

const KEPT_SIZE = "doorstep.text";
const keptSize = readPreference(KEPT_SIZE);

/** Percent of what the browser takes for ordinary text. */
export const textSize = signal<TextSize>(keptSize === "125" || keptSize === "150" ? keptSize : "100");

export function setTextSize(next: TextSize): void {
  writePreference(KEPT_SIZE, next);
  textSize.value = next;
}

export function setTheme(next: Theme): void {
  writePreference(KEPT, next);
  theme.value = next;
}
