/**
 * "Add to home screen". Browsers that may delete a page's data keep it for an installed app
 * (Safari otherwise deletes it after seven days without use).
 */
import { signal } from "@preact/signals";
import { writePreference, readPreference } from "../ui/preferences";

/** The `beforeinstallprompt` event, which TypeScript does not declare. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const DISMISSED = "doorstep.install";
/** Time after which a dismissed offer may be shown again. */
const ASK_AGAIN_MS = 30 * 86_400_000;

const installEvent = signal<InstallPrompt | null>(null);
const installed = signal(
  matchMedia("(display-mode: standalone)").matches || ("standalone" in navigator && navigator.standalone === true),
);
export const dismissed = signal(Date.now() - Number(readPreference(DISMISSED) ?? 0) < ASK_AGAIN_MS);

addEventListener("beforeinstallprompt", (event) => {
  // Otherwise the browser shows its own prompt at any moment.
  event.preventDefault();
  installEvent.value = event as InstallPrompt;
});
addEventListener("appinstalled", () => (installed.value = true));

/** iPhones and iPads have no prompt; newer iPads identify as a Mac. */
const apple =
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1);

/** How Doorstep can be installed in this browser. */
export function installMethod(): "installed" | "ask" | "by_hand_apple" | "by_hand" {
  if (installed.value) return "installed";
  if (installEvent.value) return "ask";
  return apple ? "by_hand_apple" : "by_hand";
}

export function promptInstall(): void {
  const prompt = installEvent.value;
  // A prompt can be shown only once.
  installEvent.value = null;
  void prompt?.prompt().catch(() => undefined);
}

export function dismissInstall(): void {
  writePreference(DISMISSED, String(Date.now()));
  dismissed.value = true;
}
