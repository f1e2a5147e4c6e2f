/** Components that show the conduct verdict, its warnings and the results of rules. */
import { CircleCheck, Clock, OctagonX } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ConductView, RuleAnswer, Step, VisitView } from "../../wasm/doorstep";
import { errorText, t } from "../../i18n";
import { CLOCK_OFF_MS, evidenceName, mergeAnswers, RuleItem } from "../../ui/conduct";
import { formatDateTime, formatSpan } from "../../ui/format";
import { Alert } from "../../ui/components";
import { focusField, revealField } from "../MissingFields";
import type { OpenRecord } from "../useRecord";
import { ConsentDialog, NoticeDialog, ReasonDialog } from "./ConductDialogs";
import type { ConductResult } from "./useConduct";

/** The card around the result for one moment, while it loads, fails or is ready. */
export function ConductCard(props: {
  testid: string;
  result: ConductResult;
  children: (conduct: ConductView) => ComponentChildren;
}) {
  const { result } = props;
  return (
    <section
      class="card-plain flex flex-col gap-4"
      data-testid={props.testid}
      data-verdict={result.kind === "ready" ? result.conduct.verdict : undefined}
      aria-label={t("conduct/page/title")}
      aria-busy={result.kind === "loading"}
    >
      {result.kind === "loading" && <div class="skeleton h-16" aria-label={t("app/loading")} role="status" />}
      {result.kind === "failed" && (
        <Alert tone="warning">
          {t("conduct/page/failed")} {errorText(result.code)}
        </Alert>
      )}
      {result.kind === "ready" && props.children(result.conduct)}
    </section>
  );
}

const VERDICT = {
  go: { Icon: CircleCheck, tone: "text-success" },
  wait_until: { Icon: Clock, tone: "text-accent" },
  dont: { Icon: OctagonX, tone: "text-error" },
} as const;

/** The verdict (go, wait until, or don't), and the time it is for. */
export function Verdict(props: { conduct: ConductView; view: VisitView; note?: string }): JSX.Element {
  const { conduct, view } = props;
  const { zone } = view.case;
  const { Icon, tone } = VERDICT[conduct.verdict];
  const next = conduct.next_lawful_at;
  return (
    <div class="flex items-start gap-3" role="status">
      <Icon class={`mt-0.5 size-7 shrink-0 ${tone}`} aria-hidden="true" />
      <div class="flex min-w-0 flex-col gap-0.5">
        <h3 class={`text-lg leading-snug font-semibold ${tone}`}>
          {t(`conduct/verdict/${conduct.verdict}`, { at: next === null ? "" : formatDateTime(next, zone) })}
        </h3>
        {conduct.verdict === "go" && <p>{t("conduct/page/nothing_stops")}</p>}
        {conduct.verdict === "dont" && (
          <p>
            {next === null
              ? t("conduct/page/no_time")
              : next > conduct.planned_at
                ? t("conduct/page/needs_entry_from", { at: formatDateTime(next, zone) })
                : t("conduct/page/needs_entry")}
          </p>
        )}
        <p class="muted text-sm">
          {t("conduct/page/asked_for", { at: formatDateTime(conduct.planned_at, zone), zone: zone || "–" })}
        </p>
        {props.note && <p class="muted text-sm">{props.note}</p>}
      </div>
    </div>
  );
}

/** Warnings about the phone's clock and about layers of rules that are not available here. */
export function ConductWarnings({ conduct }: { conduct: ConductView }): JSX.Element {
  const skew = conduct.corrected_at === null ? 0 : conduct.at - conduct.corrected_at;
  const key = skew > 0 ? "conduct/page/clock_ahead" : "conduct/page/clock_behind";
  return (
    <>
      {Math.abs(skew) >= CLOCK_OFF_MS && <Alert tone="warning">{t(key, { span: formatSpan(Math.abs(skew)) })}</Alert>}
      {conduct.unknown_layers.length > 0 && (
        <Alert tone="warning">{t("conduct/page/unknown_layers", { names: conduct.unknown_layers.join(", ") })}</Alert>
      )}
    </>
  );
}

/** Results that the user can act on. */
export function AnswerList(props: { answers: RuleAnswer[]; conduct: ConductView; record: OpenRecord }): JSX.Element {
  return (
    <ul class="flex flex-col gap-3">
      {mergeAnswers(props.answers).map((same) => (
        <RuleItem key={same[0].rule} answers={same} zone={props.record.view.case.zone}>
          <MissingEvidence answer={same[0]} view={props.record.view} />
          {same.map((answer) => (
            <EntryButtons
              key={answer.rule}
              answer={answer}
              // A reason for a warning is of no use while another rule forbids the same.
              isForbidden={same[0].severity === "block" && same[0].stops}
              conduct={props.conduct}
              record={props.record}
            />
          ))}
        </RuleItem>
      ))}
    </ul>
  );
}

/** A section that is closed at first. */
export function Disclosure(props: { title: string; count: number; children: ComponentChildren }): JSX.Element | null {
  if (props.count === 0) return null;
  return (
    <details class="border-base-300 border-t pt-1">
      <summary class="rounded-field min-h-11 cursor-pointer py-2.5 font-medium">
        {props.title} <span class="muted tabular-nums">({props.count})</span>
      </summary>
      <div class="pt-2 pb-1">{props.children}</div>
    </details>
  );
}

/** Results that do not stop the visit, in closed sections. */
export function OtherResults(props: {
  unknown: RuleAnswer[];
  drafts: RuleAnswer[];
  passed: RuleAnswer[];
  conduct: ConductView;
  record: OpenRecord;
  children?: ComponentChildren;
}): JSX.Element {
  const { unknown, drafts, passed, conduct, record } = props;
  const list = (answers: RuleAnswer[]): JSX.Element => (
    <ul class="flex flex-col gap-3">
      {mergeAnswers(answers).map((same) => (
        <RuleItem key={same[0].rule} answers={same} zone={record.view.case.zone} />
      ))}
    </ul>
  );
  return (
    <div>
      <Disclosure title={t("conduct/page/unknown")} count={unknown.length}>
        <AnswerList answers={unknown} conduct={conduct} record={record} />
      </Disclosure>
      <Disclosure title={t("conduct/page/shadow")} count={drafts.length}>
        <p class="muted pb-3 text-sm">{t("conduct/page/shadow_text")}</p>
        {list(drafts)}
      </Disclosure>
      <Disclosure title={t("conduct/page/met")} count={passed.length}>
        {list(passed)}
      </Disclosure>
      {props.children}
    </div>
  );
}

/** The step on which a piece of evidence is entered. */
function stepOf(path: string): Step | null {
  const [top = "", key = ""] = path.split(".");
  switch (top) {
    case "contacts":
    case "appointment":
      return top === "contacts" ? "contact" : "appointment";
    case "visit":
      return key.startsWith("talk_") ? "talk" : "on_site";
    case "checks":
      return key === "read_back" ? "record" : "on_site";
    case "talk":
      return key === "disposition" ? "record" : "talk";
    case "payments":
      return "record";
    default:
      return null;
  }
}

/** Links to the evidence that an unknown result lacks. */
function MissingEvidence({ answer, view }: { answer: RuleAnswer; view: VisitView }): JSX.Element | null {
  if (answer.answer !== "unknown") return null;
  const lacking = answer.evidence.filter(({ path, value }) => value === "" || path === "visit.visitors");
  if (lacking.length === 0) return null;
  return (
    <p class="flex flex-wrap items-center gap-x-1 text-sm">
      <span class="muted">{t("conduct/page/missing")}</span>
      {lacking.map(({ path }) => {
        const step = stepOf(path);
        const name = evidenceName(path);
        if (!step) return <span key={path}>{name}</span>;
        return (
          <Link
            key={path}
            href={`/visit/${view.id}/${step}`}
            replace
            class="-my-1.5 inline-flex min-h-11 items-center font-medium underline underline-offset-4"
            onClick={(event) => {
              if (document.querySelector(`[data-field~="${CSS.escape(path)}"]`)) focusField(event, path);
              else if (step === "on_site") revealField(path);
            }}
          >
            {name}
          </Link>
        );
      })}
    </p>
  );
}

type Entry = "reason" | "consent" | "notice";

/** Buttons for the entries that can change a result: a reason, a consent, a notice. */
function EntryButtons(props: {
  answer: RuleAnswer;
  isForbidden: boolean;
  conduct: ConductView;
  record: OpenRecord;
}): JSX.Element | null {
  const { answer, isForbidden, conduct, record } = props;
  const [open, setOpen] = useState<Entry | null>(null);
  if (record.readOnly) return null;
  const before = conduct.moment === "before";
  const entries: Entry[] = [];
  if (before && answer.consent && answer.answer !== "pass") entries.push("consent");
  if (["notice_missing", "told_late"].includes(answer.reason_code)) entries.push("notice");
  if (before && !isForbidden && conduct.needs_reason.includes(answer.rule)) entries.push("reason");
  const close = (): void => setOpen(null);
  return (
    <>
      {answer.overridden && (
        <p class="bg-base-200 rounded-field px-3 py-2 text-sm">
          {t("conduct/page/overridden", { reason: answer.overridden })}
        </p>
      )}
      {entries.length > 0 && (
        <div class="flex flex-wrap gap-2 pt-1">
          {entries.map((entry) => (
            <button
              key={entry}
              type="button"
              class="btn btn-quiet h-auto min-h-11 max-w-full shrink py-1.5"
              onClick={() => setOpen(entry)}
            >
              {t(`conduct/page/${entry}`)}
            </button>
          ))}
        </div>
      )}
      {open === "reason" && <ReasonDialog answer={answer} record={record} onClose={close} />}
      {open === "consent" && (
        <ConsentDialog answer={answer} from={conduct.planned_at} record={record} onClose={close} />
      )}
      {open === "notice" && <NoticeDialog answer={answer} record={record} onClose={close} />}
    </>
  );
}
