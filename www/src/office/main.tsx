/** The office console. */
import "../ui/styles.css";
import "./consoleTexts";
import { render } from "preact";
import { readReturn } from "../ui/openid";
import { initTheme } from "../ui/theme";
import { App } from "./App";
import { begin } from "./state";

initTheme();
readReturn();
void begin();
const root = document.getElementById("app");
if (root) render(<App />, root);
