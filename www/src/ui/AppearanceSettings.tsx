/** Language, theme and text size, shared by both apps. */
import type { JSX } from "preact";
import { lang, setLang, t, type Lang } from "../i18n";
import { Choices } from "./components";
import { setTextSize, setTheme, textSize, theme, type TextSize, type Theme } from "./theme";

const NAMES: Record<Lang, string> = { en: "English", "zh-CN": "中文" };

export function AppearanceSettings(): JSX.Element {
  return (
    <div class="flex flex-col gap-4">
      <Choices<Lang>
        label={t("app/language")}
        look="segments"
        options={["zh-CN", "en"]}
        value={lang.value}
        word={(l) => NAMES[l]}
        onChange={setLang}
      />
      <Choices<Theme>
        label={t("app/theme")}
        look="segments"
        options={["system", "light", "dark"]}
        value={theme.value}
        word={(choice) => t(`app/theme_${choice}`)}
        onChange={setTheme}
      />
      <Choices<TextSize>
        label={t("app/text_size")}
        look="segments"
        options={["100", "125", "150"]}
        value={textSize.value}
        word={(choice) => t(`app/text_${choice}`)}
        onChange={setTextSize}
      />
    </div>
  );
}
