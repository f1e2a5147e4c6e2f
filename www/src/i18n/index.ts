/**
 * Texts in both languages. The language is a signal, so components that read a text are rendered
 * again when it changes.
 *
 * A text may hold `{{name}}` for values. A text that depends on a number has one entry per plural
 * form, such as `more_one` and `more_other`; callers name `more` and pass the number as `n`.
 */
import { signal } from "@preact/signals";
import { readPreference, writePreference } from "../ui/preferences";
import conductEn from "./conduct.en.json";
import conductZh from "./conduct.zh-CN.json";
import errorsEn from "./errors.en.json";
import errorsZh from "./errors.zh-CN.json";
import type officeEn from "./office.en.json";
import pagesEn from "./pages.en.json";
import pagesZh from "./pages.zh-CN.json";
import wordsEn from "./words.en.json";
import wordsZh from "./words.zh-CN.json";

export type Lang = "en" | "zh-CN";

interface Tree {
  [key: string]: string | Tree;
}
type Keys<T> = {
  [K in keyof T & string]: T[K] extends string ? K : `${K}/${Keys<T[K]>}`;
}[keyof T & string];
type WithoutPlural<K> = K extends `${infer Base}_${"one" | "other"}` ? Base : K;

/** Every text of both apps, as the English files have them: `sign_in/title`. */
export type TextKey = WithoutPlural<
  Keys<typeof pagesEn & typeof errorsEn & typeof wordsEn & { conduct: typeof conductEn; office: typeof officeEn }>
>;
type Values = Record<string, string | number>;

const LANG_KEY = "doorstep.lang";

function preferred(): Lang {
  const saved = readPreference(LANG_KEY);
  if (saved === "en" || saved === "zh-CN") return saved;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh-CN" : "en";
}

export const lang = signal<Lang>(preferred());
document.documentElement.lang = lang.value;

const texts: Record<Lang, Map<string, string>> = { en: new Map(), "zh-CN": new Map() };

/** Adds a tree of texts; the console adds its own, which phones do not load. */
export function addTexts(language: Lang, tree: Tree, prefix = ""): void {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") texts[language].set(prefix + key, value);
    else addTexts(language, value, `${prefix}${key}/`);
  }
}
addTexts("en", { ...pagesEn, ...errorsEn, ...wordsEn, conduct: conductEn });
addTexts("zh-CN", { ...pagesZh, ...errorsZh, ...wordsZh, conduct: conductZh });

/** Set while a text is written in another language than the page's. */
let override: Lang | undefined;

function current(): Lang {
  // Reading the signal subscribes the caller to changes of the language.
  return override ?? lang.value;
}

/** Runs `write` with texts, numbers and dates in the given language. */
export function inLanguage<T>(language: Lang, write: () => T): T {
  const before = override;
  override = language;
  try {
    return write();
  } finally {
    override = before;
  }
}

/** The locale of numbers and dates: the chosen language, with the browser's region if it is English. */
export function locale(): string {
  const language = current();
  if (language !== "en") return language;
  return navigator.languages.find((tag) => tag.startsWith("en-")) ?? "en-GB";
}

/** The text for a key. */
export function t(key: TextKey, values?: Values): string {
  return textFor(key, values) ?? key;
}

/** The text for a key that is built from a code the types do not know; undefined if there is none. */
export function textFor(key: string, values?: Values): string | undefined {
  const language = current();
  const known = texts[language];
  const text = known.get(key) ?? known.get(`${key}_${plural(language, values?.["n"])}`);
  if (text === undefined || !values) return text;
  return text.replace(/{{(\w+)}}/g, (placeholder, name: string) => {
    const value = values[name] ?? placeholder;
    return typeof value === "number" ? numberFormat().format(value) : value;
  });
}

/** A formatter is expensive to make, and a list shows thousands of numbers. */
const numberFormats = new Map<string, Intl.NumberFormat>();

/** Writes whole numbers as the locale does. */
export function numberFormat(): Intl.NumberFormat {
  const tag = locale();
  const format = numberFormats.get(tag) ?? new Intl.NumberFormat(tag);
  numberFormats.set(tag, format);
  return format;
}

const rules: Record<Lang, Intl.PluralRules> = {
  en: new Intl.PluralRules("en"),
  "zh-CN": new Intl.PluralRules("zh-CN"),
};

function plural(language: Lang, n: string | number | undefined): string {
  return typeof n === "number" ? rules[language].select(n) : "other";
}

/** The label of a value in a vocabulary, such as `word("stage", "sealed")`; unknown values are shown as they are. */
export function word(vocabulary: string, value: string): string {
  return textFor(`word/${vocabulary}/${value}`) ?? value;
}

/** The sentence for the code of an error. */
export function errorText(code: string): string {
  return textFor(`error/${code}`) ?? t("error/failed");
}

/** The sentence for the code of a sync problem. */
export function problemText(code: string): string {
  return textFor(`problem/${code}`) ?? t("problem/other", { code });
}

/** Switches the language and remembers it. */
export function setLang(next: Lang): void {
  writePreference(LANG_KEY, next);
  document.documentElement.lang = next;
  lang.value = next;
}
