/** At the door and after it: what the rules ask, what is open, what the record keeps. */
import type { JSX } from "preact";
import type { ConductView, Moment } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { KeptResults, RuleItem } from "../../ui/conduct";
import type { OpenRecord } from "../useRecord";
import { Answers, Card, Doubts, More } from "./RuleAnswers";
import { useConduct } from "./useConduct";

/** What the rules ask while the collectors stand there. */
export function AtDoor({ record }: { record: OpenRecord }): JSX.Element {
  return <Found record={record} moment="arrival" testid="conduct-door" />;
}

/** What is missing or was not kept, before the record is sealed; and every result that it keeps. */
export function Afterwards({ record }: { record: OpenRecord }): JSX.Element {
  return <Found record={record} moment="after" testid="conduct-after" />;
}

function Found(props: { record: OpenRecord; moment: Moment; testid: string }): JSX.Element {
  const { record, moment } = props;
  const { view } = record;
  const { asked } = useConduct(view, moment);
  const results = view.conduct.filter(({ kind }) => kind === "evaluation").length;
  return (
    <Card testid={props.testid} asked={asked}>
      {(conduct) => {
        const { wrong, open, kept, drafts } = sorted(conduct);
        return (
          <>
            <div class="flex flex-col gap-1">
              <h3 class="section-title">{t(`conduct/page/title_${moment === "arrival" ? "arrival" : "after"}`)}</h3>
              <p class="muted text-sm" role="status">
                {t("conduct/page/tally", { wrong: wrong.length, open: open.length, kept: kept.length })}
              </p>
            </div>
            <Doubts conduct={conduct} />
            {wrong.length > 0 && <Answers answers={wrong} conduct={conduct} record={record} />}
            <div>
              <More title={t("conduct/page/unknown")} count={open.length}>
                <Answers answers={open} conduct={conduct} record={record} />
              </More>
              <More title={t("conduct/page/shadow")} count={drafts.length}>
                <p class="muted pb-3 text-sm">{t("conduct/page/shadow_text")}</p>
                <ul class="flex flex-col gap-3">
                  {drafts.map((answer) => (
                    <RuleItem key={answer.rule} answer={answer} zone={view.case.zone} />
                  ))}
                </ul>
              </More>
              <More title={t("conduct/page/kept")} count={kept.length}>
                <ul class="flex flex-col gap-3">
                  {kept.map((answer) => (
                    <RuleItem key={answer.rule} answer={answer} zone={view.case.zone} />
                  ))}
                </ul>
              </More>
              <More title={t("conduct/page/results")} count={results}>
                <p class="muted pb-3 text-sm">{t("conduct/page/results_text")}</p>
                <KeptResults view={view} />
              </More>
            </div>
          </>
        );
      }}
    </Card>
  );
}

function sorted({ answers }: ConductView): Record<"wrong" | "open" | "kept" | "drafts", ConductView["answers"]> {
  const asked = answers.filter(({ answer }) => answer !== "not_applicable");
  const own = asked.filter(({ shadow }) => !shadow);
  return {
    wrong: own.filter(({ answer }) => answer === "fail"),
    open: own.filter(({ answer }) => answer === "unknown"),
    kept: own.filter(({ answer }) => answer === "pass"),
    drafts: asked.filter(({ shadow }) => shadow),
  };
}
