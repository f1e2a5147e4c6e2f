/** Light, dark, or as the system has it. */
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEPT = "doorstep.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(dark.matches);
const kept = localStorage.getItem(KEPT);

export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : "system");

/** Keeps the document in the theme that is chosen. */
export function initTheme(): void {
  dark.addEventListener("change", () => (systemDark.value = dark.matches));
  effect(() => {
    const isDark = theme.value === "dark" || (theme.value === "system" && systemDark.value);
    document.documentElement.dataset.theme = isDark ? "doorstep-dark" : "doorstep";
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", isDark ? "#10201d" : "#175c52");
  });
}

export function setTheme(next: Theme): void {
  localStorage.setItem(KEPT, next);
  theme.value = next;
}
