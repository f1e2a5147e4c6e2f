/** Language and appearance, the same in both apps. */
import type { JSX } from "preact";
import { lang, setLang, t, type Lang } from "../i18n";
import { Choices } from "./parts";
import { setTheme, theme, type Theme } from "./theme";

const NAMES: Record<Lang, string> = { en: "English", "zh-CN": "中文" };

export function Settings(): JSX.Element {
  return (
    <div class="flex flex-col gap-4">
      <Choices<Lang>
        label={t("app/language")}
        options={["zh-CN", "en"]}
        value={lang.value}
        word={(l) => NAMES[l]}
        onChange={setLang}
      />
      <Choices<Theme>
        label={t("app/theme")}
        options={["system", "light", "dark"]}
        value={theme.value}
        word={(choice) => t(`app/theme_${choice}`)}
        onChange={setTheme}
      />
    </div>
  );
}
