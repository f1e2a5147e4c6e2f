/** The conduct of one record: current results with evidence, entries, and stored evaluations. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ConductEntry, ConductView, Moment, RuleAnswer, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { evidenceText, StoredEvaluations, RuleItem, ruleText, wishText } from "../ui/conduct";
import { formatDateTime, formatWindow } from "../ui/format";
import { Alert, Choices } from "../ui/components";
import { api } from "./api";
import { ByLine } from "./layout";
import { explain } from "./state";

export function RecordConduct({ view }: { view: VisitView }): JSX.Element {
  const moments = momentsOf(view);
  const [chosen, choose] = useState<Moment | null>(null);
  const moment = moments.find((one) => one === chosen) ?? moments.at(-1) ?? "before";
  const { conduct, error } = useAnswers(view, moment);
  const kept = view.conduct.some(({ kind }) => kind === "evaluation");
  const entries = view.conduct.filter(({ kind }) => kind !== "evaluation");
  return (
    <section class="card-plain flex flex-col gap-4" aria-label={t("conduct/desk/record_title")} data-testid="conduct">
      <h2 class="section-title">{t("conduct/desk/record_title")}</h2>
      {moments.length > 1 && (
        <Choices<Moment>
          label={t("conduct/desk/moment")}
          options={moments}
          look="segments"
          value={moment}
          word={(one) => t(`conduct/moment/${one}`)}
          onChange={choose}
        />
      )}
      {error && <Alert tone="error">{error}</Alert>}
      {!conduct && !error && <p role="status">{t("app/loading")}</p>}
      {conduct && <Answers conduct={conduct} view={view} />}
      {entries.length > 0 && (
        <Section title={t("conduct/desk/entries")}>
          <ul class="flex flex-col gap-2 text-sm">
            {entries.map((entry) => (
              <li key={entry.id} class="border-base-300 border-l-2 pl-3">
                <Entry entry={entry} view={view} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      {kept && (
        <Section title={t("conduct/page/results")}>
          <p class="muted text-sm">{t("conduct/page/results_text")}</p>
          <StoredEvaluations view={view} />
        </Section>
      )}
    </section>
  );
}

/** The moments that the record has reached; "before departure" is over once the visit has started. */
function momentsOf({ visit, talk, seal }: VisitView): Moment[] {
  const over = visit.left_at !== null || talk.disposition !== null || seal !== null;
  const moments: Moment[] = [];
  if (visit.departed_at === null && visit.arrived_at === null && !over) moments.push("before");
  if (visit.arrived_at !== null) moments.push("arrival");
  if (over) moments.push("after");
  return moments.length > 0 ? moments : ["before"];
}

/** The results, loaded again with every change of the record. */
function useAnswers(view: VisitView, moment: Moment): { conduct: ConductView | null; error: string | null } {
  const [conduct, setConduct] = useState<ConductView | null>(null);
  const [error, setError] = useState<string | null>(null);
  const state = view.heads.join();
  useEffect(() => {
    let current = true;
    api.conduct(view.id, moment).then(
      (result) => {
        if (!current) return;
        setConduct(result);
        setError(null);
      },
      (cause: unknown) => current && setError(explain(cause)),
    );
    return () => void (current = false);
  }, [view.id, state, moment]);
  return { conduct, error };
}

function Answers({ conduct, view }: { conduct: ConductView; view: VisitView }): JSX.Element {
  const applicable = conduct.answers.filter(({ answer }) => answer !== "not_applicable");
  const own = applicable.filter(({ shadow }) => !shadow);
  const of = (wanted: RuleAnswer["answer"]): RuleAnswer[] => own.filter(({ answer }) => answer === wanted);
  const groups: [string, RuleAnswer[]][] = [
    [t("conduct/answer/fail"), of("fail")],
    [t("conduct/answer/unknown"), of("unknown")],
    [t("conduct/page/shadow"), applicable.filter(({ shadow }) => shadow)],
    [t("conduct/answer/pass"), of("pass")],
  ];
  return (
    <>
      <p class="muted text-sm">
        {t("conduct/desk/record_lead", {
          at: formatDateTime(conduct.at),
          moment: t(`conduct/moment/${conduct.moment}`),
          policy: conduct.policy,
        })}
      </p>
      {conduct.unknown_layers.length > 0 && (
        <Alert tone="warning">{t("conduct/page/unknown_layers", { names: conduct.unknown_layers.join(", ") })}</Alert>
      )}
      {applicable.length === 0 && <p class="muted text-sm">{t("conduct/desk/nothing")}</p>}
      {groups.map(
        ([title, answers]) =>
          answers.length > 0 && (
            <Section key={title} title={`${title} (${answers.length})`}>
              <ul class="grid gap-x-8 gap-y-3 lg:grid-cols-2 [&>li]:border-t-0 [&>li]:pt-0">
                {answers.map((answer) => (
                  <RuleItem key={answer.rule} answers={[answer]} zone={view.case.zone}>
                    <EvidenceDetails answer={answer} view={view} />
                  </RuleItem>
                ))}
              </ul>
            </Section>
          ),
      )}
    </>
  );
}

function EvidenceDetails({ answer, view }: { answer: RuleAnswer; view: VisitView }): JSX.Element {
  return (
    <>
      <p class="muted text-sm">
        {t(`conduct/severity/${answer.severity}`)}
        {answer.status !== "product_choice" && ` · ${t(`conduct/confidence/${answer.confidence}`)}`}
        {answer.grade && ` · ${t("conduct/desk/grade", { grade: word("grade", answer.grade) })}`}
      </p>
      {answer.evidence.length > 0 && (
        <p class="muted text-sm break-words">
          {t("conduct/desk/based_on", { what: answer.evidence.map((one) => evidenceText(one, view)).join("; ") })}
        </p>
      )}
      {answer.overridden && <p class="text-sm">{t("conduct/page/overridden", { reason: answer.overridden })}</p>}
    </>
  );
}

/** An entry about conduct: a consent or its withdrawal, a reason, a notice, or an unwanted time. */
function Entry({ entry, view }: { entry: ConductEntry; view: VisitView }): JSX.Element {
  const rule = entry.rule && `${entry.rule} · ${ruleText(entry.rule)}`;
  const title = {
    consent: t("conduct/desk/consent"),
    withdrawal: t("conduct/desk/withdrawal"),
    override: t("conduct/desk/override"),
    notice: t("conduct/desk/notice", { about: t(`conduct/about/${entry.about ?? "visit"}`) }),
    wish: t("conduct/desk/wish", { when: wishText(entry) }),
    evaluation: "",
  }[entry.kind];
  const detail = [
    rule,
    entry.from !== null && formatWindow(entry.from, entry.until, view.case.zone),
    entry.note,
    entry.grade && t("conduct/desk/grade", { grade: word("grade", entry.grade) }),
  ];
  return (
    <>
      <p class="font-medium">{title}</p>
      <p>{detail.filter(Boolean).join(" · ")}</p>
      <ByLine by={entry.by} at={formatDateTime(entry.at)} />
    </>
  );
}

function Section(props: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="flex flex-col gap-3">
      <h3 class="label-text">{props.title}</h3>
      {props.children}
    </div>
  );
}
