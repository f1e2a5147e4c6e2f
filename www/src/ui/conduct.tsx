/** What rules of conduct say, in words: both apps show it alike. */
import { CircleCheck, CircleHelp, CircleMinus, OctagonX } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import type { Answer, ConductEntry, Evidence, RuleAnswer, VisitView } from "../wasm/doorstep";
import { locale, t, textFor, word } from "../i18n";
import { fieldName, formatDate, formatDateTime, formatField } from "./format";

/** A rule's sentence; a lender's rule brings its own. */
export function ruleText(rule: string, title = ""): string {
  return textFor(`conduct/rule/${rule}`) ?? (title || rule);
}

/** A layer as people call it; a lender's stands for itself. */
export function layerText(layer: string): string {
  return textFor(`conduct/layer/${layer}`) ?? layer;
}

/** Why a rule answers so. */
export function reasonText(code: string, params: RuleAnswer["params"], zone: string): string {
  const shown: Record<string, string> = {};
  for (const [name, value] of params) shown[name] = paramText(name, value, zone);
  const said = textFor(`conduct/reason/${code}`, shown) ?? code;
  const about = shown.item ?? shown.about;
  return about ? t("conduct/page/about", { about, said }) : said;
}

/** The same where the values are not at hand: nothing, where the sentence would need them. */
export function reasonAlone(code: string): string {
  const said = textFor(`conduct/reason/${code}`) ?? "";
  return said.includes("{{") ? "" : said;
}

function paramText(name: string, value: string, zone: string): string {
  switch (name) {
    case "flag":
      return word("flag", value);
    case "item":
      return word("check", value);
    case "about":
      return textFor(`conduct/about/${value}`) ?? value;
    case "day":
      return formatDate(value);
    case "at":
      return formatDateTime(Date.parse(`${value.replace(" ", "T")}:00Z`), "UTC");
    default:
      return zone && value;
  }
}

/** What a piece of evidence is called. */
export function evidenceName(path: string): string {
  return textFor(`conduct/evidence/${path}`) ?? fieldName(path);
}

/** A piece of evidence with what it says. */
export function evidenceText(evidence: Evidence, view: VisitView): string {
  return t("conduct/page/about", { about: evidenceName(evidence.path), said: evidenceValue(evidence, view) });
}

function evidenceValue({ path, value }: Evidence, view: VisitView): string {
  const { currency, zone } = view.case;
  if (value === "") return t("conduct/page/nothing_there");
  // Times are the only numbers of this length.
  if (/^\d{12,14}$/.test(value)) return formatDateTime(Number(value), zone);
  if (path.startsWith("case.flags.") && value === "0") return t("conduct/page/no_end");
  if (path.startsWith("checks.")) return word("answer", value);
  if (/^contacts\.[^.]+$/.test(path)) return word("outcome", value);
  return formatField(path, { type: "text", value }, currency, zone);
}

/** Sign and colour of an answer. */
export const LOOK: Record<Answer, { Icon: typeof OctagonX; tone: string }> = {
  pass: { Icon: CircleCheck, tone: "text-success" },
  fail: { Icon: OctagonX, tone: "text-error" },
  unknown: { Icon: CircleHelp, tone: "text-accent" },
  not_applicable: { Icon: CircleMinus, tone: "muted" },
};

/** One rule's answer: what it says, why, and where it stands. */
export function RuleItem(props: { answer: RuleAnswer; zone: string; children?: ComponentChildren }): JSX.Element {
  const { answer, zone } = props;
  const { Icon, tone } = LOOK[answer.answer];
  return (
    <li
      data-testid="conduct-answer"
      data-rule={answer.rule}
      data-answer={answer.answer}
      class="border-base-300 flex gap-2.5 border-t pt-3 first:border-t-0 first:pt-0"
    >
      <Icon class={`mt-0.5 size-5 shrink-0 ${tone}`} aria-hidden="true" />
      <div class="flex min-w-0 grow flex-col gap-1">
        <p class="leading-snug font-medium">{ruleText(answer.rule, answer.title)}</p>
        <p class="text-[0.9375rem] leading-snug">
          <span class={`font-medium ${tone}`}>{t(`conduct/answer/${answer.answer}`)}</span>
          {" · "}
          {reasonText(answer.reason_code, answer.params, zone)}
        </p>
        <p class="muted text-sm leading-snug">
          {[answer.rule, layerText(answer.layer), t(`conduct/status/${answer.status}`), source(answer)]
            .filter((part) => part !== "")
            .join(" · ")}
        </p>
        {props.children}
      </div>
    </li>
  );
}

/** Where a rule is written, for whoever can read it there: what this program chose stands in its own papers. */
function source({ status, citation }: RuleAnswer): string {
  return status === "product_choice" ? "" : citation;
}

/** A kept answer, such as `!CN-04`. */
export interface KeptAnswer {
  rule: string;
  answer: "fail" | "unknown";
  shadow: boolean;
}

/** Reads what an evaluation kept; words of a form that is not known are left out. */
export function keptAnswers(text: string): KeptAnswer[] {
  return [...text.matchAll(/(?<=^|\s)(~?)([!?])(\S+)/g)].map(([, shadow, mark, rule]) => ({
    rule: rule ?? "",
    answer: mark === "!" ? "fail" : "unknown",
    shadow: shadow === "~",
  }));
}

/** Every result that the record keeps, oldest first; none is ever written over. */
export function KeptResults({ view }: { view: VisitView }): JSX.Element | null {
  const kept = view.conduct.filter(({ kind }) => kind === "evaluation");
  if (kept.length === 0) return null;
  return (
    <ol class="flex flex-col gap-3">
      {kept.map((entry) => (
        <Kept key={entry.id} entry={entry} />
      ))}
    </ol>
  );
}

function Kept({ entry }: { entry: ConductEntry }): JSX.Element {
  const answers = keptAnswers(entry.answers);
  const groups = [
    { key: "fail", rules: answers.filter(({ answer, shadow }) => answer === "fail" && !shadow) },
    { key: "unknown", rules: answers.filter(({ answer, shadow }) => answer === "unknown" && !shadow) },
  ] as const;
  const drafts = answers.filter(({ shadow }) => shadow);
  return (
    <li
      data-testid="conduct-kept"
      data-moment={entry.moment}
      data-by={entry.by}
      class="border-base-300 flex flex-col gap-1 border-l-[3px] pl-3 text-sm"
    >
      <p class="font-medium">
        {t(`conduct/moment/${entry.moment ?? "after"}`)} · {entry.by === "office" ? t("conduct/page/office") : entry.by}
        {" · "}
        {formatDateTime(entry.at)}
      </p>
      {answers.length === 0 && <p>{t("conduct/page/all_kept")}</p>}
      {groups.map(
        ({ key, rules }) =>
          rules.length > 0 && (
            <div key={key}>
              <p class={`font-medium ${LOOK[key].tone}`}>{t(`conduct/answer/${key}`)}</p>
              <ul>
                {rules.map(({ rule }) => (
                  <li key={rule}>
                    {rule} · {ruleText(rule)}
                  </li>
                ))}
              </ul>
            </div>
          ),
      )}
      {drafts.length > 0 && (
        <p class="muted">
          {t("conduct/status/draft")}: {drafts.map(({ rule }) => rule).join(" ")}
        </p>
      )}
      <p class="muted text-xs break-words">
        {t("conduct/page/policy", { policy: entry.policy })}
        {entry.skew !== null &&
          Math.abs(entry.skew) >= CLOCK_OFF_MS &&
          ` · ${t("conduct/page/skew", { seconds: Math.round(entry.skew / 1000) })}`}
      </p>
    </li>
  );
}

/** Days of the week, Monday first, in short. */
export function weekdays(): string[] {
  const format = new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" });
  // The first of January 2024 was a Monday.
  return Array.from({ length: 7 }, (_, day) => format.format(Date.UTC(2024, 0, 1 + day)));
}

/** When the borrower does not want a visit, such as `Sat Sun 12:00–14:00 · Home`. */
export function wishText({ days, starts, ends, place }: ConductEntry): string {
  const named = weekdays().filter((_, day) => days & (1 << day));
  const when = named.length === 7 ? t("conduct/page/every_day") : named.join(" ");
  return `${when} ${wallTime(starts)}–${wallTime(ends)}${place ? ` · ${word("place", place)}` : ""}`;
}

/** Minutes since midnight as a time of day. */
function wallTime(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

/** From here on a phone's clock counts as off; less than this people do not notice. */
export const CLOCK_OFF_MS = 60_000;
