/**
 * "Add to home screen": browsers that may clear what a page stores keep it for an app that was
 * added (Safari clears it after seven days without use otherwise).
 */
import { signal } from "@preact/signals";
import { writePreference, readPreference } from "../ui/preferences";

/** The event of browsers that let a page ask; TypeScript does not know it. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const DISMISSED = "doorstep.install";
/** After so long a person may be asked once more. */
const ASK_AGAIN_MS = 30 * 86_400_000;

const offered = signal<InstallPrompt | null>(null);
const installed = signal(
  matchMedia("(display-mode: standalone)").matches || ("standalone" in navigator && navigator.standalone === true),
);
export const dismissed = signal(Date.now() - Number(readPreference(DISMISSED) ?? 0) < ASK_AGAIN_MS);

addEventListener("beforeinstallprompt", (event) => {
  // The browser's own bar would come at a moment of its own choosing.
  event.preventDefault();
  offered.value = event as InstallPrompt;
});
addEventListener("appinstalled", () => (installed.value = true));

/** iPhones and iPads do not let a page ask; newer iPads say that they are a Mac. */
const apple =
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1);

/** How Doorstep gets to the home screen here. */
export function wayToInstall(): "installed" | "ask" | "by_hand_apple" | "by_hand" {
  if (installed.value) return "installed";
  if (offered.value) return "ask";
  return apple ? "by_hand_apple" : "by_hand";
}

export function askToInstall(): void {
  const prompt = offered.value;
  // It may be asked once only.
  offered.value = null;
  void prompt?.prompt().catch(() => undefined);
}

export function dismissInstall(): void {
  writePreference(DISMISSED, String(Date.now()));
  dismissed.value = true;
}
