/** Technical facts for the support team, without names, cases or addresses. */
import { lang } from "../i18n";
import { textSize, theme } from "../ui/theme";
import { firstSyncTimes } from "./firstSync";
import { installMethod } from "./installPrompt";
import { practising } from "./practiceMode";
import { client, rows, status } from "./state";
import { offlineReady } from "./updates";

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
    installed: installMethod() === "installed",
    offline_ready: offlineReady.value,
    first_sync_ms: firstSyncTimes.value,
    online: navigator.onLine,
    practice: practising,
    storage,
    sync: status.value,
    records: { states, problems },
  };
  return JSON.stringify(facts, null, 2);
}
