/** The field app. */
import "../ui/styles.css";
import { render } from "preact";
import { readReturn } from "../ui/openid";
import { initTheme } from "../ui/theme";
import { App } from "./App";
import { watchIdle } from "./autoLock";
import { practising, sweepPractice } from "./practiceMode";
import { begin } from "./state";
import { watchUpdates } from "./updates";

initTheme();
readReturn();
void begin();
if (!practising) {
  sweepPractice();
  watchIdle();
}
watchUpdates();
const root = document.getElementById("app");
if (root) render(<App />, root);
