/** The office console. */
import "../ui/styles.css";
import "./consoleTexts";
import { render } from "preact";
import { readRedirect } from "../ui/openid";
import { initTheme } from "../ui/theme";
import { App } from "./App";
import { startConsole } from "./state";

initTheme();
readRedirect();
void startConsole();
const root = document.getElementById("app");
if (root) render(<App />, root);
