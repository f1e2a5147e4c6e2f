/** Money, times and sizes as people read them. */
import type { FieldValue } from "../wasm/doorstep";
import { lang, t, word } from "../i18n";

function digits(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** Minor units as money, exactly: no fraction is ever a float. */
export function formatMoney(minor: number, currency: string): string {
  try {
    const exponent = digits(currency);
    const text = majorText(minor, exponent) as Intl.StringNumericLiteral;
    return new Intl.NumberFormat(lang.value, { style: "currency", currency }).format(text);
  } catch {
    // A code that the browser does not know.
    return `${majorText(minor, 2)} ${currency}`;
  }
}

/** Minor units as a decimal text, such as `1500.00`. */
export function majorText(minor: number, exponent: number): string {
  const text = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const whole = text.slice(0, text.length - exponent);
  const sign = minor < 0 ? "-" : "";
  return exponent === 0 ? sign + whole : `${sign}${whole}.${text.slice(text.length - exponent)}`;
}

/** Minor units from what a person typed, or null where it is no amount. */
export function parseMoney(text: string, currency: string): number | null {
  const plain = text.normalize("NFKC").replace(/[,\s]/g, "");
  const exponent = digits(currency);
  const match = /^(\d{1,12})(?:\.(\d*))?$/.exec(plain);
  if (!match) return null;
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > exponent) return null;
  return Number((match[1] ?? "") + fraction.padEnd(exponent, "0"));
}

/** `1 200.00` for an input field. */
export function moneyInput(minor: number, currency: string): string {
  return majorText(minor, digits(currency));
}

export function formatDateTime(ms: number, zone?: string): string {
  return dateFormat({ dateStyle: "medium", timeStyle: "short" }, zone).format(ms);
}

export function formatTime(ms: number, zone?: string): string {
  return dateFormat({ hour: "2-digit", minute: "2-digit" }, zone).format(ms);
}

/** A window such as `24 Nov 2026, 10:00 – 11:00`. */
export function formatWindow(from: number, to: number | null, zone?: string): string {
  return to === null ? formatDateTime(from, zone) : `${formatDateTime(from, zone)} – ${formatTime(to, zone)}`;
}

/** `YYYY-MM-DD` as a date of the locale. */
export function formatDate(iso: string): string {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(ms) ? iso : dateFormat({ dateStyle: "medium" }, "UTC").format(ms);
}

/** The tag for dates and numbers: English as the browser's person writes it. */
function locale(): string {
  if (lang.value !== "en") return lang.value;
  return navigator.languages.find((tag) => tag.startsWith("en-")) ?? "en-GB";
}

function dateFormat(options: Intl.DateTimeFormatOptions, zone?: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(locale(), { ...options, timeZone: zone || undefined });
  } catch {
    return new Intl.DateTimeFormat(locale(), options);
  }
}

/** The wall clock of a zone as `YYYY-MM-DDTHH:mm`. */
export function toLocalInput(ms: number | null, zone: string): string {
  if (ms === null) return "";
  return new Date(ms + offset(ms, zone)).toISOString().slice(0, 16);
}

/** The moment at which a zone's wall clock shows `YYYY-MM-DDTHH:mm`, or null. */
export function fromLocalInput(text: string, zone: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text)) return null;
  const wall = Date.parse(`${text}:00Z`);
  if (Number.isNaN(wall)) return null;
  // Twice, since the offset is that of the moment and not of the wall clock.
  const guess = wall - offset(wall, zone);
  return wall - offset(guess, zone);
}

/** Milliseconds that a zone's wall clock is ahead of UTC. */
function offset(ms: number, zone: string): number {
  let format: Intl.DateTimeFormat;
  const options = {
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  } as const;
  try {
    format = new Intl.DateTimeFormat("en-US", { ...options, timeZone: zone || undefined });
  } catch {
    format = new Intl.DateTimeFormat("en-US", options);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(ms / 1000) * 1000;
}

/** Today in a zone, `YYYY-MM-DD`. */
export function today(zone?: string): string {
  return toLocalInput(Date.now(), zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone).slice(0, 10);
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  let size = bytes;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return `${new Intl.NumberFormat(lang.value, { maximumFractionDigits: at > 1 ? 1 : 0 }).format(size)} ${units[at]}`;
}

/** Vocabularies by the last name of a path. */
const VOCABULARY: Record<string, string> = {
  channel: "channel",
  target_role: "person",
  person_met: "person",
  outcome: "outcome",
  status: "appointment",
  proposed_by: "proposed",
  place_type: "place",
  overdue_reason: "reason",
  willingness: "willingness",
  disposition: "disposition",
  answer: "answer",
  grade: "grade",
  product: "product",
};
const MONEY = new Set(["amount", "overdue", "principal"]);

/** A field's value in words. */
export function formatField(path: string, value: FieldValue, currency: string, zone?: string): string {
  const name = path.slice(path.lastIndexOf(".") + 1);
  switch (value.type) {
    case "time":
      return formatDateTime(value.value, zone);
    case "number":
      return MONEY.has(name) ? formatMoney(value.value, currency) : String(value.value);
    case "text": {
      if (value.value === "") return t("rec/empty_value");
      const vocabulary = path === "review.status" ? "review" : VOCABULARY[name];
      return vocabulary ? word(vocabulary, value.value) : value.value;
    }
    case "decimal":
      return String(value.value);
    case "truth":
      return t("office/yes");
    case "nothing":
      return t("rec/empty_value");
  }
}

/** A path in words: `appointment.starts_at` is "Start". */
export function fieldName(path: string): string {
  const [container = "", key = ""] = path.split(".");
  if (container === "checks") return word("check", key);
  const named = word("field", path);
  if (named !== path) return named;
  return word("field", container) === container
    ? path
    : `${word("field", container)} · ${path.split(".").slice(1).join(".")}`;
}
