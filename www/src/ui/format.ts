/** Formats money, times, sizes and field values. */
import type { FieldValue } from "../wasm/doorstep";
import { locale, numberFormat, t, word } from "../i18n";

/** Formatters are expensive to make, and lists use thousands. */
const formatters = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function cached<F extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => F): F {
  const known = formatters.get(key);
  if (known) return known as F;
  const fresh = make();
  formatters.set(key, fresh);
  return fresh;
}

function moneyFormat(tag: string, currency: string): Intl.NumberFormat {
  return cached(`money ${tag} ${currency}`, () => new Intl.NumberFormat(tag, { style: "currency", currency }));
}

const exponents = new Map<string, number>();

/** The number of minor digits of a currency. */
function digits(currency: string): number {
  const known = exponents.get(currency);
  if (known !== undefined) return known;
  const fresh = moneyFormat("en", currency).resolvedOptions().maximumFractionDigits ?? 2;
  exponents.set(currency, fresh);
  return fresh;
}

/** Minor units as money, formatted exactly from a decimal text. */
export function formatMoney(minor: number, currency: string): string {
  try {
    const exponent = digits(currency);
    const text = majorText(minor, exponent) as Intl.StringNumericLiteral;
    return moneyFormat(locale(), currency).format(text);
  } catch {
    // The browser does not know the currency code.
    return `${majorText(minor, 2)} ${currency}`;
  }
}

export function formatCount(count: number): string {
  return numberFormat().format(count);
}

/** Minor units as a decimal text, such as `1500.00`. */
function majorText(minor: number, exponent: number): string {
  const text = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const whole = text.slice(0, text.length - exponent);
  const sign = minor < 0 ? "-" : "";
  return exponent === 0 ? sign + whole : `${sign}${whole}.${text.slice(text.length - exponent)}`;
}

/** Minor units from typed text, or null if it is not an amount. */
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

/** A time with seconds: `10:31:05`. */
export function formatTimeOfDay(ms: number): string {
  return dateFormat({ hour: "numeric", minute: "2-digit", second: "2-digit" }).format(ms);
}

/** A time window such as `24 Nov 2026, 10:00 – 11:00`; the end has a date only if it is another day. */
export function formatWindow(from: number, to: number | null, zone?: string): string {
  if (to === null || to < from) return formatDateTime(from, zone);
  return dateFormat({ dateStyle: "medium", timeStyle: "short" }, zone).formatRange(from, to);
}

/** A day such as `Tue, 24 Nov`. */
export function formatDay(ms: number, zone?: string): string {
  return dateFormat({ weekday: "short", day: "numeric", month: "short" }, zone).format(ms);
}

/** A duration in the largest unit that fits: `3 min`, `2 days`. */
export function formatSpan(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [unit, count] =
    minutes < 60
      ? (["minute", minutes] as const)
      : minutes < 48 * 60
        ? (["hour", Math.round(minutes / 60)] as const)
        : (["day", Math.round(minutes / 1440)] as const);
  const tag = locale();
  return cached(
    `span ${tag} ${unit}`,
    () => new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short" }),
  ).format(count);
}

/** A short duration in seconds: `0.8 sec`. */
export function formatSeconds(ms: number): string {
  const tag = locale();
  return cached(
    `seconds ${tag}`,
    () => new Intl.NumberFormat(tag, { style: "unit", unit: "second", maximumFractionDigits: 1 }),
  ).format(ms / 1000);
}

/** A distance: `350 m`, `4.2 km`. */
export function formatDistance(metres: number): string {
  const tag = locale();
  const unit = metres < 950 ? "meter" : "kilometer";
  const format = cached(
    `distance ${tag} ${unit}`,
    () => new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }),
  );
  return format.format(unit === "meter" ? Math.round(metres / 10) * 10 : metres / 1000);
}

/** `YYYY-MM-DD` as a date of the locale. */
export function formatDate(iso: string): string {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(ms) ? iso : dateFormat({ dateStyle: "medium" }, "UTC").format(ms);
}

/** A date for lists: without the year if it is the current one. */
export function formatShortDate(iso: string): string {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  if (Number.isNaN(ms) || !iso.startsWith(String(new Date().getFullYear()))) return formatDate(iso);
  return dateFormat({ day: "numeric", month: "short" }, "UTC").format(ms);
}

/** `YYYY-MM` as a month of the locale. */
export function formatMonth(month: string): string {
  return dateFormat({ month: "long", year: "numeric" }, "UTC").format(Date.parse(`${month}-01T00:00:00Z`));
}

/** A time window for lists, without the year. */
export function formatShortWindow(from: number, to: number | null, zone?: string): string {
  const options = { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" } as const;
  const format = dateFormat(options, zone);
  return to === null || to < from ? format.format(from) : format.formatRange(from, to);
}

/** The value of a date or time input in the page's language; empty if it is incomplete. */
export function formatInput(type: "date" | "datetime-local" | "time", value: string): string {
  const ms = Date.parse(type === "date" ? `${value}T00:00Z` : type === "time" ? `1970-01-01T${value}Z` : `${value}Z`);
  if (Number.isNaN(ms)) return "";
  const day = { weekday: "short", day: "numeric", month: "short", year: "numeric" } as const;
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const options = type === "date" ? day : type === "time" ? time : { ...day, ...time };
  return dateFormat(options, "UTC").format(ms);
}

function dateFormat(options: Intl.DateTimeFormatOptions, zone?: string, tag = locale()): Intl.DateTimeFormat {
  return cached(`date ${tag} ${zone ?? ""} ${JSON.stringify(options)}`, () => {
    try {
      return new Intl.DateTimeFormat(tag, { ...options, timeZone: zone || undefined });
    } catch {
      // The browser does not know the time zone.
      return new Intl.DateTimeFormat(tag, options);
    }
  });
}

/** The wall clock of a zone as `YYYY-MM-DDTHH:mm`. */
export function toLocalInput(ms: number | null, zone: string): string {
  if (ms === null) return "";
  return new Date(ms + offset(ms, zone)).toISOString().slice(0, 16);
}

/** The time in ms at which a zone's wall clock shows `YYYY-MM-DDTHH:mm`, or null. */
export function fromLocalInput(text: string, zone: string): number | null {
  // `Date.parse` accepts many other formats; inputs give this one or nothing.
  if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d$/.test(text)) return null;
  const wall = Date.parse(`${text}:00Z`);
  if (Number.isNaN(wall)) return null;
  // The offset depends on the moment, which depends on the offset: the second pass corrects the first.
  const guess = wall - offset(wall, zone);
  return wall - offset(guess, zone);
}

/** Numeric wall clock fields, independent of the locale. */
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

/** The phone's time zone. */
export function deviceZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The date in a zone at a time, by default now, as `YYYY-MM-DD`. */
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

/** Vocabularies by the last segment of a path. */
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
/** Fields that hold a date as text. */
const DAYS = new Set(["due_date", "first_due", "due_by", "last_payment_date"]);
const MONEY = new Set(["amount", "overdue", "principal"]);

function vocabularyOf(path: string, name: string): string | undefined {
  if (path === "review.status") return "review";
  if (path.startsWith("attachments.")) return name === "kind" ? "attachment" : undefined;
  // Payment methods are free text.
  if (name === "channel" && !path.startsWith("contacts.")) return undefined;
  return VOCABULARY[name];
}

/** A field's value as text. */
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

/** The phone number for a reference such as `phones.0`, the first number of the case. */
export function phoneNumber(reference: string, phones: string[]): string {
  const at = /^phones\.(\d+)$/.exec(reference)?.[1];
  return (at === undefined ? undefined : phones[Number(at)]) ?? reference;
}

/** The id of an entry or an attachment, which is not shown. */
const ID = /^([0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64})$/;

/** The label of a path: `appointment.starts_at` is "Start". User names in a path may contain dots. */
export function fieldName(path: string): string {
  const parts = path.split(".");
  const [container = "", key = "", third = ""] = parts;
  const last = parts.at(-1) ?? "";
  // The user in the path of an answer or a hold is shown elsewhere.
  if (container === "checks" && key) {
    const detail = parts.length > 3 && last !== "answer" ? [word("field", `checks.${last}`)] : [];
    return [word("check", key), ...detail].join(" · ");
  }
  if (container === "case" && key === "flags" && third) {
    return `${word("field", "case.flags")} · ${word("flag", third)}`;
  }
  const plain = parts.filter((part) => !ID.test(part));
  // The longest prefix with a label; the rest, such as a user name, is appended as it is.
  for (let length = plain.length; length > 0; length -= 1) {
    const named = plain.slice(0, length).join(".");
    const words = word("field", named);
    const rest = plain.slice(length).join(".");
    if (words !== named) return rest === "" ? words : `${words} · ${rest}`;
  }
  return path;
}
