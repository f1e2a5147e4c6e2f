/** Words of both languages. The language is a signal: a page that reads it is drawn anew. */
import { signal } from "@preact/signals";
import i18next from "i18next";
import { remember, remembered } from "../ui/remember";
import conductEn from "./conduct.en.json";
import conductZh from "./conduct.zh-CN.json";
import en from "./en.json";
import papersEn from "./papers.en.json";
import papersZh from "./papers.zh-CN.json";
import zh from "./zh-CN.json";

export type Lang = "en" | "zh-CN";

const KEPT = "doorstep.lang";

function preferred(): Lang {
  const kept = remembered(KEPT);
  if (kept === "en" || kept === "zh-CN") return kept;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh-CN" : "en";
}

export const lang = signal<Lang>(preferred());

void i18next.init({
  lng: lang.value,
  fallbackLng: "en",
  // Keys under `word.field` are paths of the record and hold dots themselves.
  keySeparator: "/",
  nsSeparator: false,
  // Preact escapes what it draws.
  interpolation: { escapeValue: false },
  initImmediate: false,
  resources: {
    en: { translation: { ...joined(en, papersEn), conduct: conductEn } },
    "zh-CN": { translation: { ...joined(zh, papersZh), conduct: conductZh } },
  },
} as Parameters<typeof i18next.init>[0]);
document.documentElement.lang = lang.value;

/** One tree of words out of two files; both may add to the same branch. */
function joined(words: object, more: object): object {
  const all: Record<string, unknown> = { ...words };
  for (const [key, value] of Object.entries(more)) {
    const held = all[key];
    all[key] = typeof held === "object" && held !== null ? joined(held, value as object) : value;
  }
  return all;
}

/** Whose numbers and dates are written: the region that the browser names, in the language chosen. */
export function locale(): string {
  const tag = spoken ?? lang.value;
  if (tag !== "en") return tag;
  return navigator.languages.find((tag) => tag.startsWith("en-")) ?? "en-GB";
}

/** The language of what is written for somebody else, while it is written. */
let spoken: Lang | undefined;

/** Writes words, numbers and dates in a language that may be another than the page's. */
export function inLanguage<T>(tag: Lang, write: () => T): T {
  const before = spoken;
  spoken = tag;
  try {
    return write();
  } finally {
    spoken = before;
  }
}

/** Words without values, as they were said before: a list says the same ones thousands of times. */
const said = new Map<string, string>();

/** The sentence for a key such as `sign/title`. */
export function t(key: string, vars?: Record<string, string | number>): string {
  // Read, so that whoever draws is drawn anew when the language changes.
  void lang.value;
  const language = languageNow();
  const lng = spoken ? { lng: spoken } : {};
  if (vars) return i18next.t(key, { ...vars, ...lng });
  const known = said.get(`${language} ${key}`);
  if (known !== undefined) return known;
  const fresh = i18next.t(key, lng);
  if (has(key)) said.set(`${language} ${key}`, fresh);
  return fresh;
}

/** The word of a vocabulary, such as `word("stage", "sealed")`; a word not known stands for itself. */
export function word(vocabulary: string, value: string): string {
  const key = `word/${vocabulary}/${value}`;
  return said.get(`${languageNow()} ${key}`) ?? (has(key) ? t(key) : value);
}

/** The sentence for a stable code of an error or a problem. */
export function sentence(kind: "error" | "problem", code: string): string {
  if (has(`${kind}/${code}`)) return t(`${kind}/${code}`);
  return kind === "error" ? t("error/failed") : t("problem/other", { code });
}

function languageNow(): Lang {
  return spoken ?? lang.value;
}

function has(key: string): boolean {
  return i18next.exists(key);
}

/** Switches the language and keeps the choice. */
export function setLang(next: Lang): void {
  remember(KEPT, next);
  void i18next.changeLanguage(next);
  document.documentElement.lang = next;
  lang.value = next;
}
