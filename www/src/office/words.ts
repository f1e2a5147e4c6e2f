/** The console's own words, beside those that both apps share under `office`. */
import i18next from "i18next";
import "../i18n";
import en from "../i18n/office.en.json";
import zh from "../i18n/office.zh-CN.json";

i18next.addResourceBundle("en", "translation", { office: en }, true, true);
i18next.addResourceBundle("zh-CN", "translation", { office: zh }, true, true);
