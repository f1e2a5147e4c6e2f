/** Adds the console's own texts to those of both apps. */
import { addTexts } from "../i18n";
import en from "../i18n/office.en.json";
import zh from "../i18n/office.zh-CN.json";

addTexts("en", { office: en });
addTexts("zh-CN", { office: zh });
