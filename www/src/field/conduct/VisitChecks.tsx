/** The conduct rules at the door and after the visit. */
import type { JSX } from "preact";
import type { ConductView, Moment } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { StoredEvaluations } from "../../ui/conduct";
import type { OpenRecord } from "../useRecord";
import { AnswerList, ConductCard, ConductWarnings, Disclosure, OtherResults } from "./RuleAnswers";
import { useConduct } from "./useConduct";

/** The rules that apply at the door. */
export function ArrivalCheck({ record }: { record: OpenRecord }): JSX.Element {
  return <MomentCheck record={record} moment="arrival" testid="conduct-door" />;
}

/** The results for the whole visit, before the record is sealed, and all stored evaluations. */
export function PostVisitCheck({ record }: { record: OpenRecord }): JSX.Element {
  return <MomentCheck record={record} moment="after" testid="conduct-after" />;
}

function MomentCheck(props: { record: OpenRecord; moment: Moment; testid: string }): JSX.Element {
  const { record, moment } = props;
  const { view } = record;
  const { result } = useConduct(view, moment);
  const evaluations = view.conduct.filter(({ kind }) => kind === "evaluation").length;
  return (
    <ConductCard testid={props.testid} result={result}>
      {(conduct) => {
        const { failed, unknown, passed, drafts } = groupAnswers(conduct);
        return (
          <>
            <div class="flex flex-col gap-1">
              <h3 class="section-title">{t(`conduct/page/title_${moment === "arrival" ? "arrival" : "after"}`)}</h3>
              <p class="muted text-sm" role="status">
                {t("conduct/page/tally", { failed: failed.length, unknown: unknown.length, passed: passed.length })}
              </p>
            </div>
            <ConductWarnings conduct={conduct} />
            {failed.length > 0 && <AnswerList answers={failed} conduct={conduct} record={record} />}
            <OtherResults unknown={unknown} drafts={drafts} passed={passed} conduct={conduct} record={record}>
              <Disclosure title={t("conduct/page/results")} count={evaluations}>
                <p class="muted pb-3 text-sm">{t("conduct/page/results_text")}</p>
                <StoredEvaluations view={view} />
              </Disclosure>
            </OtherResults>
          </>
        );
      }}
    </ConductCard>
  );
}

function groupAnswers({
  answers,
}: ConductView): Record<"failed" | "unknown" | "passed" | "drafts", ConductView["answers"]> {
  const applicable = answers.filter(({ answer }) => answer !== "not_applicable");
  const own = applicable.filter(({ shadow }) => !shadow);
  return {
    failed: own.filter(({ answer }) => answer === "fail"),
    unknown: own.filter(({ answer }) => answer === "unknown"),
    passed: own.filter(({ answer }) => answer === "pass"),
    drafts: applicable.filter(({ shadow }) => shadow),
  };
}
