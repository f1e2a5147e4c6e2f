/** What helps to find out why a phone does not do what it should: no names, no case, no address. */
import { lang } from "../i18n";
import { textSize, theme } from "../ui/theme";
import { wayToInstall } from "./installPrompt";
import { practising } from "./practiceMode";
import { client, rows, status } from "./state";

export const VERSION = __VERSION__;

export async function diagnostics(): Promise<string> {
  const storage = await client.storage().catch(() => null);
  const states: Record<string, number> = {};
  const problems: Record<string, number> = {};
  for (const row of rows.value ?? []) {
    states[row.state] = (states[row.state] ?? 0) + 1;
    if (row.problem) problems[row.problem] = (problems[row.problem] ?? 0) + 1;
  }
  const facts = {
    version: VERSION,
    at: new Date().toISOString(),
    browser: navigator.userAgent,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: `${innerWidth} × ${innerHeight} @ ${devicePixelRatio}`,
    settings: { language: lang.value, theme: theme.value, text: textSize.value },
    installed: wayToInstall() === "installed",
    offline_ready: Boolean(navigator.serviceWorker?.controller),
    online: navigator.onLine,
    practice: practising,
    storage,
    sync: status.value,
    records: { states, problems },
  };
  return JSON.stringify(facts, null, 2);
}
