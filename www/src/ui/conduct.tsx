/** Texts and components for conduct rules and their results, shared by both apps. */
import { CircleCheck, CircleHelp, CircleMinus, OctagonX } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import type { Answer, ConductEntry, Evidence, RuleAnswer, VisitView } from "../wasm/doorstep";
import { locale, t, textFor, word } from "../i18n";
import { fieldName, formatDate, formatDateTime, formatField } from "./format";

/** The text of a rule; a lender's rule has its own title. */
export function ruleText(rule: string, title = ""): string {
  return textFor(`conduct/rule/${rule}`) ?? (title || rule);
}

/** The name of a layer of rules; a lender's layer is shown by its id. */
export function layerText(layer: string): string {
  return textFor(`conduct/layer/${layer}`) ?? layer;
}

/** The reason of a result, with its values. */
function reasonText(code: string, params: RuleAnswer["params"], zone: string): string {
  const shown: Record<string, string> = {};
  for (const [name, value] of params) shown[name] = paramText(name, value, zone);
  const text = textFor(`conduct/reason/${code}`, shown) ?? code;
  const subject = shown.item ?? shown.about;
  return subject ? t("conduct/page/about", { name: subject, text }) : text;
}

/** The reason without its values; empty if the text needs them. */
export function reasonAlone(code: string): string {
  const text = textFor(`conduct/reason/${code}`) ?? "";
  return text.includes("{{") ? "" : text;
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

/** The name of a piece of evidence. */
export function evidenceName(path: string): string {
  return textFor(`conduct/evidence/${path}`) ?? fieldName(path);
}

/** The name and the value of a piece of evidence. */
export function evidenceText(evidence: Evidence, view: VisitView): string {
  return t("conduct/page/about", { name: evidenceName(evidence.path), text: evidenceValue(evidence, view) });
}

function evidenceValue({ path, value }: Evidence, view: VisitView): string {
  const { currency, zone } = view.case;
  if (value === "") return t("conduct/page/nothing_there");
  // Only times have this many digits.
  if (/^\d{12,14}$/.test(value)) return formatDateTime(Number(value), zone);
  if (path.startsWith("case.flags.") && value === "0") return t("conduct/page/no_end");
  if (path.startsWith("checks.")) return word("answer", value);
  if (/^contacts\.[^.]+$/.test(path)) return word("outcome", value);
  return formatField(path, { type: "text", value }, currency, zone);
}

/** Icon and colour of a result. */
export const ANSWER_STYLE: Record<Answer, { Icon: typeof OctagonX; tone: string }> = {
  pass: { Icon: CircleCheck, tone: "text-success" },
  fail: { Icon: OctagonX, tone: "text-error" },
  unknown: { Icon: CircleHelp, tone: "text-accent" },
  not_applicable: { Icon: CircleMinus, tone: "muted" },
};

/** Results of rules that ask the same thing, the strictest rule first. */
type SameAnswers = readonly [RuleAnswer, ...RuleAnswer[]];

/** Groups results that differ in nothing but their rule, in the order of their first rule. */
export function mergeAnswers(answers: readonly RuleAnswer[]): SameAnswers[] {
  const groups = new Map<string, [RuleAnswer, ...RuleAnswer[]]>();
  for (const answer of answers) {
    const { answer: result, reason_code, params, evidence, overridden, shadow } = answer;
    // Without evidence the same reason may be about different things.
    const subject = evidence.length > 0 ? evidence : answer.rule;
    const key = JSON.stringify([result, reason_code, [...params], subject, overridden, shadow]);
    const group = groups.get(key);
    if (!group) groups.set(key, [answer]);
    else if (answer.severity === "block" && group[0].severity !== "block") group.unshift(answer);
    else group.push(answer);
  }
  return [...groups.values()];
}

/** The result of one rule, or of several that ask the same thing: text, reason and every source. */
export function RuleItem(props: { answers: SameAnswers; zone: string; children?: ComponentChildren }): JSX.Element {
  const { answers, zone } = props;
  const [answer] = answers;
  const { Icon, tone } = ANSWER_STYLE[answer.answer];
  return (
    <li
      data-testid="conduct-answer"
      data-rule={answers.map(({ rule }) => rule).join(" ")}
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
        {answers.map((source) => (
          <p key={source.rule} class="muted text-sm leading-snug">
            {[source.rule, layerText(source.layer), t(`conduct/status/${source.status}`), citationText(source)]
              .filter((part) => part !== "")
              .join(" · ")}
          </p>
        ))}
        {props.children}
      </div>
    </li>
  );
}

/** The citation of a rule; Doorstep's own rules have none that users could look up. */
function citationText({ status, citation }: RuleAnswer): string {
  return status === "product_choice" ? "" : citation;
}

/** A stored result, such as `!CN-04`. */
interface StoredAnswer {
  rule: string;
  answer: "fail" | "unknown";
  shadow: boolean;
}

/** Parses the results of a stored evaluation; entries in an unknown format are skipped. */
function parseAnswers(text: string): StoredAnswer[] {
  return [...text.matchAll(/(?<=^|\s)(~?)([!?])(\S+)/g)].map(([, shadow, mark, rule]) => ({
    rule: rule ?? "",
    answer: mark === "!" ? "fail" : "unknown",
    shadow: shadow === "~",
  }));
}

/** All evaluations stored in the record, oldest first. */
export function StoredEvaluations({ view }: { view: VisitView }): JSX.Element | null {
  const kept = view.conduct.filter(({ kind }) => kind === "evaluation");
  if (kept.length === 0) return null;
  return (
    <ol class="flex flex-col gap-3">
      {kept.map((entry) => (
        <EvaluationItem key={entry.id} entry={entry} />
      ))}
    </ol>
  );
}

function EvaluationItem({ entry }: { entry: ConductEntry }): JSX.Element {
  const answers = parseAnswers(entry.answers);
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
      {answers.length === 0 && <p>{t("conduct/page/all_met")}</p>}
      {groups.map(
        ({ key, rules }) =>
          rules.length > 0 && (
            <div key={key}>
              <p class={`font-medium ${ANSWER_STYLE[key].tone}`}>{t(`conduct/answer/${key}`)}</p>
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

/** Short names of the weekdays, Monday first. */
export function weekdays(): string[] {
  const format = new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" });
  // The first of January 2024 was a Monday.
  return Array.from({ length: 7 }, (_, day) => format.format(Date.UTC(2024, 0, 1 + day)));
}

/** A time that the borrower does not want, such as `Sat Sun 12:00–14:00 · Home`. */
export function wishText({ days, starts, ends, place }: ConductEntry): string {
  const named = weekdays().filter((_, day) => days & (1 << day));
  const when = named.length === 7 ? t("conduct/page/every_day") : named.join(" ");
  return `${when} ${wallTime(starts)}–${wallTime(ends)}${place ? ` · ${word("place", place)}` : ""}`;
}

/** Minutes since midnight as `HH:mm`. */
function wallTime(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

/** Smallest clock difference that is reported. */
export const CLOCK_OFF_MS = 60_000;
