/** The conduct rules before departure, and the departure. */
import { Car } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import type { Command, ConductView, VisitView } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { ruleText } from "../../ui/conduct";
import { formatDateTime, formatWindow } from "../../ui/format";
import { useBusy } from "../../ui/components";
import { FieldAnchor } from "../MissingFields";
import { client } from "../state";
import type { OpenRecord } from "../useRecord";
import { AnswerList, ConductCard, ConductWarnings, OtherResults, Verdict } from "./RuleAnswers";
import { useConduct } from "./useConduct";

/** The verdict for departing now, its reasons, and the button that records the departure. */
export function DepartureCheck(props: { record: OpenRecord; children: ComponentChildren }): JSX.Element {
  const { record } = props;
  const { view } = record;
  const { result, recheck } = useConduct(view, "before");
  const [busy, run] = useBusy();
  const depart = (): Promise<void> =>
    run(async () => {
      const undo: Command[] = [{ do: "clear", paths: ["visit.departed_at"] }];
      const at = Date.now();
      // The core checks the rules again and may refuse; then the page shows its current verdict.
      if (!(await record.applyWithUndo({ do: "depart", at }, t("site/departed_done"), undo))) recheck();
    });
  const mayGo = result.kind !== "ready" || result.conduct.verdict === "go";
  return (
    <>
      {props.children}
      <ConductCard testid="conduct-before" result={result}>
        {(conduct) => {
          const { stopping, unknown, drafts, passed } = groupAnswers(conduct);
          return (
            <>
              <Verdict conduct={conduct} view={view} />
              <ConductWarnings conduct={conduct} />
              {stopping.length > 0 && <AnswerList answers={stopping} conduct={conduct} record={record} />}
              <Consents record={record} />
              <OtherResults unknown={unknown} drafts={drafts} passed={passed} conduct={conduct} record={record} />
              <p class="muted text-sm">{t("conduct/page/no_advice")}</p>
            </>
          );
        }}
      </ConductCard>
      <FieldAnchor paths={["visit.departed_at"]}>
        <button
          type="button"
          class={`btn min-h-14 text-lg ${mayGo ? "btn-primary" : "btn-quiet"}`}
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

/** The verdict for the start of a future appointment. */
export function AppointmentCheck({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view } = record;
  const { starts_at, status } = view.appointment;
  const isActive = status === "proposed" || status === "agreed";
  if (starts_at === null || !isActive || record.readOnly || starts_at < Date.now() || isUnderWay(view)) return null;
  return <PlannedVerdict record={record} at={starts_at} />;
}

function PlannedVerdict({ record, at }: { record: OpenRecord; at: number }): JSX.Element {
  const { result } = useConduct(record.view, "before", at);
  return (
    <ConductCard testid="conduct-planned" result={result}>
      {(conduct) => {
        const { stopping } = groupAnswers(conduct);
        return (
          <>
            <Verdict conduct={conduct} view={record.view} note={t("conduct/page/asked_again")} />
            {stopping.length > 0 && <AnswerList answers={stopping} conduct={conduct} record={record} />}
          </>
        );
      }}
    </ConductCard>
  );
}

export function isUnderWay({ visit }: VisitView): boolean {
  return visit.departed_at !== null || visit.arrived_at !== null;
}

/** Results by what the user has to do; rules that do not apply are left out. */
function groupAnswers({
  answers,
}: ConductView): Record<"stopping" | "unknown" | "drafts" | "passed", ConductView["answers"]> {
  const applicable = answers.filter(({ answer, scope }) => answer !== "not_applicable" && scope !== "call");
  const own = applicable.filter(({ shadow }) => !shadow);
  return {
    // A warning with a reason for continuing stays visible.
    stopping: own.filter(({ stops, overridden }) => stops || overridden),
    unknown: own.filter(({ answer, stops }) => answer !== "pass" && !stops),
    drafts: applicable.filter(({ shadow }) => shadow),
    passed: own.filter(({ answer, stops }) => answer === "pass" && !stops),
  };
}

/** The borrower's consents, each with a button that records its withdrawal. */
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
