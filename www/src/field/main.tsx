/** The field app. */
import "../ui/styles.css";
import { render } from "preact";
import { readRedirect } from "../ui/openid";
import { initTheme } from "../ui/theme";
import { App } from "./App";
import { watchIdle } from "./autoLock";
import { watchSyncStates } from "./diagnostics";
import { watchMissingFiles } from "./missingFiles";
import { watchNotices } from "./notices";
import { practising, deletePracticeStore } from "./practiceMode";
import { startSafety } from "./safety";
import { startApp } from "./state";
import { watchSupportRequests } from "./supportRequest";
import { watchUpdates } from "./updates";

initTheme();
readRedirect();
void startApp().then(startSafety);
if (!practising) {
  deletePracticeStore();
  watchIdle();
  watchMissingFiles();
  watchNotices();
  watchSupportRequests();
}
watchSyncStates();
watchUpdates();
const root = document.getElementById("app");
if (root) render(<App />, root);
