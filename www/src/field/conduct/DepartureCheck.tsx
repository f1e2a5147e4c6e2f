/** Before departure: go, wait until, or don't, and why; and the departure itself. */
import { Car } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import type { Command, ConductView, VisitView } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { RuleItem, ruleText } from "../../ui/conduct";
import { formatDateTime, formatWindow } from "../../ui/format";
import { useBusy } from "../../ui/components";
import { FieldAnchor } from "../MissingFields";
import { client } from "../state";
import type { OpenRecord } from "../useRecord";
import { Answers, Card, Doubts, More, Verdict } from "./RuleAnswers";
import { useConduct } from "./useConduct";

/** What the rules say now, what is needed first, and the way to set out. */
export function Before(props: { record: OpenRecord; children: ComponentChildren }): JSX.Element {
  const { record } = props;
  const { view } = record;
  const { asked, again } = useConduct(view, "before");
  const [busy, run] = useBusy();
  const depart = (): Promise<void> =>
    run(async () => {
      const back: Command[] = [{ do: "clear", paths: ["visit.departed_at"] }];
      const at = Date.now();
      // The core asks the rules once more; where time went by, the page catches up with it.
      if (!(await record.applyWithUndo({ do: "depart", at }, t("site/departed_done"), back))) again();
    });
  const goes = asked.kind !== "told" || asked.conduct.verdict === "go";
  return (
    <>
      <Card testid="conduct-before" asked={asked}>
        {(conduct) => {
          const { stopping, open, drafts, kept } = sorted(conduct);
          return (
            <>
              <Verdict conduct={conduct} view={view} />
              <Doubts conduct={conduct} />
              {stopping.length > 0 && <Answers answers={stopping} conduct={conduct} record={record} />}
              <Consents record={record} />
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
              </div>
              <p class="muted text-sm">{t("conduct/page/no_advice")}</p>
            </>
          );
        }}
      </Card>
      {props.children}
      <FieldAnchor paths={["visit.departed_at"]}>
        <button
          type="button"
          class={`btn min-h-14 text-lg ${goes ? "btn-primary" : "btn-quiet"}`}
          disabled={busy}
          onClick={() => void depart()}
        >
          <Car class="size-6" aria-hidden="true" />
          {t("site/depart")}
        </button>
      </FieldAnchor>
    </>
  );
}

/** The same, asked for the start of an appointment that is still to come. */
export function Planned({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view } = record;
  const { starts_at, status } = view.appointment;
  const stands = status === "proposed" || status === "agreed";
  if (starts_at === null || !stands || record.readOnly || starts_at < Date.now() || begun(view)) return null;
  return <AtStart record={record} at={starts_at} />;
}

function AtStart({ record, at }: { record: OpenRecord; at: number }): JSX.Element {
  const { asked } = useConduct(record.view, "before", at);
  return (
    <Card testid="conduct-planned" asked={asked}>
      {(conduct) => {
        const { stopping } = sorted(conduct);
        return (
          <>
            <Verdict conduct={conduct} view={record.view} note={t("conduct/page/asked_again")} />
            {stopping.length > 0 && <Answers answers={stopping} conduct={conduct} record={record} />}
          </>
        );
      }}
    </Card>
  );
}

export function begun({ visit }: VisitView): boolean {
  return visit.departed_at !== null || visit.arrived_at !== null;
}

/** Answers by what they ask of a person; rules that have nothing to say here are left out. */
function sorted({ answers }: ConductView): Record<"stopping" | "open" | "drafts" | "kept", ConductView["answers"]> {
  const asked = answers.filter(({ answer, scope }) => answer !== "not_applicable" && scope !== "call");
  const own = asked.filter(({ shadow }) => !shadow);
  return {
    // A reason that was given stays in sight.
    stopping: own.filter(({ stops, overridden }) => stops || overridden),
    open: own.filter(({ answer, stops }) => answer !== "pass" && !stops),
    drafts: asked.filter(({ shadow }) => shadow),
    kept: own.filter(({ answer, stops }) => answer === "pass" && !stops),
  };
}

/** What the borrower agreed to, and the way to write down that it no longer holds. */
function Consents({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, apply, readOnly } = record;
  const [busy, run] = useBusy();
  const given = view.conduct.filter(({ kind }) => kind === "consent");
  if (given.length === 0) return null;
  const withdraw = (of: string): Promise<void> =>
    run(async () => {
      await apply({ do: "withdraw_consent", id: await client.newId(), of, at: Date.now() });
    });
  return (
    <div class="flex flex-col gap-2">
      <h4 class="label-text">{t("conduct/page/consents")}</h4>
      <ul class="flex flex-col gap-2">
        {given.map((consent) => {
          const ended = view.conduct.find(({ kind, of }) => kind === "withdrawal" && of === consent.id);
          return (
            <li
              key={consent.id}
              data-testid="consent"
              class="rounded-field bg-base-200 flex flex-wrap items-center justify-between gap-2 py-2 pr-2 pl-3 text-sm"
            >
              <div class="min-w-0 basis-48 grow">
                <p class="font-medium">
                  {consent.rule} · {ruleText(consent.rule)}
                </p>
                <p class="tabular-nums">{formatWindow(consent.from ?? 0, consent.until, view.case.zone)}</p>
                <p>{consent.note}</p>
                {ended && <p class="muted">{t("conduct/page/withdrawn", { at: formatDateTime(ended.at) })}</p>}
              </div>
              {!ended && !readOnly && (
                <button type="button" class="btn btn-quiet" disabled={busy} onClick={() => void withdraw(consent.id)}>
                  {t("conduct/page/withdraw")}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
