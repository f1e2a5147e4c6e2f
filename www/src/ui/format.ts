/** Money, times and sizes as people read them. */
import type { FieldValue } from "../wasm/doorstep";
import { locale, t, word } from "../i18n";

/** Making a formatter costs far more than using one, and lists use thousands. */
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function once<F extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => F): F {
  const known = made.get(key);
  if (known) return known as F;
  const fresh = make();
  made.set(key, fresh);
  return fresh;
}

function moneyFormat(tag: string, currency: string): Intl.NumberFormat {
  return once(`money ${tag} ${currency}`, () => new Intl.NumberFormat(tag, { style: "currency", currency }));
}

const exponents = new Map<string, number>();

/** How many digits of a currency stand behind the point. */
function digits(currency: string): number {
  const known = exponents.get(currency);
  if (known !== undefined) return known;
  const fresh = moneyFormat("en", currency).resolvedOptions().maximumFractionDigits ?? 2;
  exponents.set(currency, fresh);
  return fresh;
}

/** Minor units as money, exactly: no fraction is ever a float. */
export function formatMoney(minor: number, currency: string): string {
  try {
    const exponent = digits(currency);
    const text = majorText(minor, exponent) as Intl.StringNumericLiteral;
    return moneyFormat(locale(), currency).format(text);
  } catch {
    // A code that the browser does not know.
    return `${majorText(minor, 2)} ${currency}`;
  }
}

/** A whole number as people read it. */
export function formatCount(count: number): string {
  const tag = locale();
  return once(`count ${tag}`, () => new Intl.NumberFormat(tag)).format(count);
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
  return dateFormat({ hour: "numeric", minute: "2-digit" }, zone).format(ms);
}

/** A window such as `24 Nov 2026, 10:00 – 11:00`; its end names the day only where that differs. */
export function formatWindow(from: number, to: number | null, zone?: string): string {
  if (to === null || to < from) return formatDateTime(from, zone);
  return dateFormat({ dateStyle: "medium", timeStyle: "short" }, zone).formatRange(from, to);
}

/** The day of a moment, such as `Tue, 24 Nov`. */
export function formatDay(ms: number, zone?: string): string {
  return dateFormat({ weekday: "short", day: "numeric", month: "short" }, zone).format(ms);
}

/** How long something takes or has lasted, in the largest unit that fits: `3 min`, `2 days`. */
export function formatSpan(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [unit, count] =
    minutes < 60
      ? (["minute", minutes] as const)
      : minutes < 48 * 60
        ? (["hour", Math.round(minutes / 60)] as const)
        : (["day", Math.round(minutes / 1440)] as const);
  const tag = locale();
  return once(
    `span ${tag} ${unit}`,
    () => new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short" }),
  ).format(count);
}

/** `YYYY-MM-DD` as a date of the locale. */
export function formatDate(iso: string): string {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(ms) ? iso : dateFormat({ dateStyle: "medium" }, "UTC").format(ms);
}

/** The same for lists: without the year while it is this one. */
export function formatShortDate(iso: string): string {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  if (Number.isNaN(ms) || !iso.startsWith(String(new Date().getFullYear()))) return formatDate(iso);
  return dateFormat({ day: "numeric", month: "short" }, "UTC").format(ms);
}

/** A window for lists: the day and both times, without the year. */
export function formatShortWindow(from: number, to: number | null, zone?: string): string {
  const options = { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" } as const;
  const format = dateFormat(options, zone);
  return to === null || to < from ? format.format(from) : format.formatRange(from, to);
}

function dateFormat(options: Intl.DateTimeFormatOptions, zone?: string, tag = locale()): Intl.DateTimeFormat {
  return once(`date ${tag} ${zone ?? ""} ${JSON.stringify(options)}`, () => {
    try {
      return new Intl.DateTimeFormat(tag, { ...options, timeZone: zone || undefined });
    } catch {
      // A zone that the browser does not know.
      return new Intl.DateTimeFormat(tag, options);
    }
  });
}

/** The wall clock of a zone as `YYYY-MM-DDTHH:mm`. */
export function toLocalInput(ms: number | null, zone: string): string {
  if (ms === null) return "";
  return new Date(ms + offset(ms, zone)).toISOString().slice(0, 16);
}

/** The moment at which a zone's wall clock shows `YYYY-MM-DDTHH:mm`, or null. */
export function fromLocalInput(text: string, zone: string): number | null {
  // Engines make dates of the oddest texts; a field hands over this one form or nothing.
  if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d$/.test(text)) return null;
  const wall = Date.parse(`${text}:00Z`);
  if (Number.isNaN(wall)) return null;
  // Twice, since the offset is that of the moment and not of the wall clock.
  const guess = wall - offset(wall, zone);
  return wall - offset(guess, zone);
}

/** A wall clock as numbers, whatever the locale. */
const WALL_CLOCK = {
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
} as const;

/** Milliseconds that a zone's wall clock is ahead of UTC. */
function offset(ms: number, zone: string): number {
  const parts = dateFormat(WALL_CLOCK, zone, "en-US").formatToParts(ms);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(ms / 1000) * 1000;
}

/** The zone that the phone is in. */
export function deviceZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Today in a zone, or the date there at a moment, `YYYY-MM-DD`. */
export function today(zone = deviceZone(), ms = Date.now()): string {
  return toLocalInput(ms, zone).slice(0, 10);
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  let size = bytes;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: at > 1 ? 1 : 0 }).format(size)} ${units[at]}`;
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
  kind: "option",
};
/** Fields that hold a day as text. */
const DAYS = new Set(["due_date", "first_due", "due_by", "last_payment_date"]);
const MONEY = new Set(["amount", "overdue", "principal"]);

function vocabularyOf(path: string, name: string): string | undefined {
  if (path === "review.status") return "review";
  if (path.startsWith("attachments.")) return name === "kind" ? "attachment" : undefined;
  // Ways of payment are written freely.
  if (name === "channel" && !path.startsWith("contacts.")) return undefined;
  return VOCABULARY[name];
}

/** A field's value in words. */
export function formatField(path: string, value: FieldValue, currency: string, zone?: string): string {
  const name = path.slice(path.lastIndexOf(".") + 1);
  switch (value.type) {
    case "time":
      return formatDateTime(value.value, zone);
    case "number":
      return MONEY.has(name) ? formatMoney(value.value, currency) : String(value.value);
    case "text": {
      if (value.value === "") return t("record/empty_value");
      if (DAYS.has(name)) return formatDate(value.value);
      const vocabulary = vocabularyOf(path, name);
      return vocabulary ? word(vocabulary, value.value) : value.value;
    }
    case "decimal":
      return String(value.value);
    case "truth":
      return t("app/yes");
    case "nothing":
      return t("record/empty_value");
  }
}

/** The number that a reference such as `phones.0`, the first of the case's numbers, stands for. */
export function phoneNumber(reference: string, phones: string[]): string {
  const at = /^phones\.(\d+)$/.exec(reference)?.[1];
  return (at === undefined ? undefined : phones[Number(at)]) ?? reference;
}

/** An id of an entry or of an attachment: nothing that a person reads. */
const ID = /^([0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64})$/;

/** A path in words: `appointment.starts_at` is "Start". Sign-in names in a path may hold dots. */
export function fieldName(path: string): string {
  const parts = path.split(".");
  const [container = "", key = "", third = ""] = parts;
  const last = parts.at(-1) ?? "";
  // The person under whose name an answer or a hold stands is said beside it.
  if (container === "checks" && key) {
    const detail = parts.length > 3 && last !== "answer" ? [word("field", `checks.${last}`)] : [];
    return [word("check", key), ...detail].join(" · ");
  }
  if (container === "case" && key === "flags" && third) {
    return `${word("field", "case.flags")} · ${word("flag", third)}`;
  }
  const plain = parts.filter((part) => !ID.test(part));
  // The longest beginning that has a name; what is left, such as a collector, stands for itself.
  for (let length = plain.length; length > 0; length -= 1) {
    const named = plain.slice(0, length).join(".");
    const words = word("field", named);
    const rest = plain.slice(length).join(".");
    if (words !== named) return rest === "" ? words : `${words} · ${rest}`;
  }
  return path;
}
