/** Answers as a person on the way reads them: what stops, what is not known, and what to do about it. */
import { CircleCheck, Clock, OctagonX } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ConductView, RuleAnswer, Step, VisitView } from "../../wasm/doorstep";
import { errorText, t } from "../../i18n";
import { CLOCK_OFF_MS, evidenceName, RuleItem } from "../../ui/conduct";
import { formatDateTime, formatSpan } from "../../ui/format";
import { Alert } from "../../ui/components";
import { focusField } from "../MissingFields";
import type { OpenRecord } from "../useRecord";
import { ConsentDialog, NoticeDialog, ReasonDialog } from "./ConductDialogs";
import type { Asked } from "./useConduct";

/** The card around what is asked at one moment. */
export function Card(props: { testid: string; asked: Asked; children: (conduct: ConductView) => ComponentChildren }) {
  const { asked } = props;
  return (
    <section
      class="card-plain flex flex-col gap-4"
      data-testid={props.testid}
      data-verdict={asked.kind === "told" ? asked.conduct.verdict : undefined}
      aria-label={t("conduct/page/title")}
      aria-busy={asked.kind === "asking"}
    >
      {asked.kind === "asking" && <div class="skeleton h-16" aria-label={t("app/loading")} role="status" />}
      {asked.kind === "failed" && (
        <Alert tone="warning">
          {t("conduct/page/failed")} {errorText(asked.code)}
        </Alert>
      )}
      {asked.kind === "told" && props.children(asked.conduct)}
    </section>
  );
}

const VERDICT = {
  go: { Icon: CircleCheck, tone: "text-success" },
  wait_until: { Icon: Clock, tone: "text-accent" },
  dont: { Icon: OctagonX, tone: "text-error" },
} as const;

/** Go, wait until, or don't; and for which time that was asked. */
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
                ? t("conduct/page/once_written_from", { at: formatDateTime(next, zone) })
                : t("conduct/page/once_written")}
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

/** What is in doubt beside the answers: the phone's clock, and rules that are not known here. */
export function Doubts({ conduct }: { conduct: ConductView }): JSX.Element {
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

/** Answers that a person has to do something about. */
export function Answers(props: { answers: RuleAnswer[]; conduct: ConductView; record: OpenRecord }): JSX.Element {
  return (
    <ul class="flex flex-col gap-3">
      {props.answers.map((answer) => (
        <RuleItem key={answer.rule} answer={answer} zone={props.record.view.case.zone}>
          <Lacks answer={answer} view={props.record.view} />
          <Ways answer={answer} conduct={props.conduct} record={props.record} />
        </RuleItem>
      ))}
    </ul>
  );
}

/** Answers that are there to be looked up, closed at first. */
export function More(props: { title: string; count: number; children: ComponentChildren }): JSX.Element | null {
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

/** Where a piece of evidence is entered. */
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

/** The evidence that an open answer lacks, as ways to where it is entered. */
function Lacks({ answer, view }: { answer: RuleAnswer; view: VisitView }): JSX.Element | null {
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
            onClick={(event) =>
              document.querySelector(`[data-field~="${CSS.escape(path)}"]`) && focusField(event, path)
            }
          >
            {name}
          </Link>
        );
      })}
    </p>
  );
}

type Way = "reason" | "consent" | "notice";

/** What may be written down about an answer: a reason, a consent, a notice. */
function Ways(props: { answer: RuleAnswer; conduct: ConductView; record: OpenRecord }): JSX.Element | null {
  const { answer, conduct, record } = props;
  const [open, setOpen] = useState<Way | null>(null);
  if (record.readOnly) return null;
  const before = conduct.moment === "before";
  const ways: Way[] = [];
  if (before && answer.consent && answer.answer !== "pass") ways.push("consent");
  if (["notice_missing", "told_late"].includes(answer.reason_code)) ways.push("notice");
  if (before && conduct.needs_reason.includes(answer.rule)) ways.push("reason");
  const close = (): void => setOpen(null);
  return (
    <>
      {answer.overridden && (
        <p class="bg-base-200 rounded-field px-3 py-2 text-sm">
          {t("conduct/page/overridden", { reason: answer.overridden })}
        </p>
      )}
      {ways.length > 0 && (
        <div class="flex flex-wrap gap-2 pt-1">
          {ways.map((way) => (
            <button key={way} type="button" class="btn btn-quiet" onClick={() => setOpen(way)}>
              {t(`conduct/page/${way}`)}
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
