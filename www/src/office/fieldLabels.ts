/** Labels and formatted values for any path of a record, including entries, without ids. */
import type { FieldValue, VisitView } from "../wasm/doorstep";
import { t, textFor, word } from "../i18n";
import { fieldName, formatBytes, formatField, formatMoney } from "../ui/format";

/** Maps whose entries have ids. */
const ENTRIES = new Set(["contacts", "payments", "attachments", "amendments"]);
/** Fields of a hold and of a check; any other last segment is the end of a user name. */
const HOLD_FIELDS = new Set(["since", "until", "note"]);
const CHECK_FIELDS = new Set(["answer", "at", "grade", "reason"]);

export function pathName(path: string): string {
  const [top = "", ...rest] = path.split(".");
  const [second = "", third = ""] = rest;
  const last = rest.at(-1) ?? "";
  // User names contain dots: the last segment is the field, the segments before it are the name.
  if (top === "case" && second === "flags") {
    return joined(`${t("office/hold_name")}: ${word("flag", third)}`, HOLD_FIELDS.has(last) ? last : "");
  }
  if (top === "checks" && rest.length > 1) return joined(word("check", second), CHECK_FIELDS.has(last) ? last : "");
  if ((top === "assignment" && second === "collectors") || (top === "visit" && second === "visitors")) {
    const people = t(top === "assignment" ? "office/collectors" : "site/visitors");
    return rest.length > 1 ? `${people}: ${rest.slice(1).join(".")}` : people;
  }
  if (top === "talk" && second === "options") return joined(word("field", "talk.options"), rest.length > 2 ? last : "");
  if (ENTRIES.has(top)) return joined(textFor(`office/entry/${top}`) ?? top, rest.length > 1 ? last : "");
  return textFor(`office/path/${path}`) ?? fieldName(path);
}

function joined(container: string, key: string): string {
  if (!key) return container;
  return `${container} · ${textFor(`office/key/${key}`) ?? key}`;
}

/** Old and new value of one change; a removed entry has no value. */
export function pathChange(
  entry: { path: string; from: FieldValue; to: FieldValue },
  view: VisitView,
): [string, string] {
  const gone = entry.to.type === "nothing";
  return [pathValue(entry.path, entry.from, view), gone ? t("office/removed") : pathValue(entry.path, entry.to, view)];
}

/** A field's value as text. */
export function pathValue(path: string, value: FieldValue, view: VisitView): string {
  const { currency, zone } = view.case;
  if (value.type === "nothing") return "–";
  if (value.type === "text" && path === "talk.chosen_option") {
    const option = view.talk.options.find(({ id }) => id === value.value);
    return option ? `${word("option", option.kind)} · ${formatMoney(option.amount, currency)}` : value.value;
  }
  if (value.type === "text" && path === "review.marks") return marksText(value.value);
  if (value.type === "text" && path.endsWith(".kind")) {
    return word(path.startsWith("attachments") ? "attachment" : "option", value.value);
  }
  if (value.type === "text" && path.startsWith("payments.") && path.endsWith(".channel")) return value.value;
  if (value.type === "text" && path === "talk.promise.channel") return value.value;
  if (value.type === "number" && path.startsWith("attachments.")) return formatBytes(value.value);
  return formatField(path, value, currency, zone);
}

/** Marks of a review as the record has them: a line each, `path note`. */
const marksText = (text: string): string =>
  text.replace(/^(\S+) (.*)$/gm, (_, path: string, note: string) => `${pathName(path)}: ${note}`);
