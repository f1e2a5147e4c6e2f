/** The page of one record: holds, the case, and one of five steps. */
import { Check, ChevronRight, CircleCheck, LoaderCircle, PencilLine, TriangleAlert } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import type { Step, VisitView } from "../wasm/doorstep";
import { errorText, t, word } from "../i18n";
import { Alert } from "../ui/components";
import { Conflicts } from "../ui/Conflicts";
import { fieldName } from "../ui/format";
import { ownRemark } from "../ui/reviewRemark";
import { DraftsElsewhere } from "./DraftNotices";
import { CaseHeader } from "./CaseHeader";
import { HoldsBanner } from "./Holds";
import { MissingFields, revealField, ReviewMarks } from "./MissingFields";
import { useResumable, usePagePosition } from "./pagePosition";
import { RefusedWork } from "./RefusedWork";
import { BackLink } from "./SubPage";
import { client, saveState, pendingEdits, unsavedFields } from "./state";
import { AppointmentStep } from "./steps/AppointmentStep";
import { ContactStep } from "./steps/ContactStep";
import { LeaveBar } from "./steps/LeaveBar";
import { OnSiteStep } from "./steps/OnSiteStep";
import { RecordStep } from "./steps/RecordStep";
import { TalkStep } from "./steps/TalkStep";
import { SyncChip } from "./SyncStatus";
import { useRecord, type OpenRecord } from "./useRecord";
import { STEPS } from "./formOptions";

/** Height of the sticky header. */
const HEADER_PX = 72;

const BODY: Record<Step, (props: { record: OpenRecord }) => JSX.Element> = {
  contact: ContactStep,
  appointment: AppointmentStep,
  on_site: OnSiteStep,
  talk: TalkStep,
  record: RecordStep,
};

export function RecordPage({ id, step: stepName }: { id: string; step: string | undefined }): JSX.Element {
  const state = useRecord(id);
  const [, go] = useLocation();
  const step = STEPS.find((known) => known === stepName);
  const view = state.kind === "open" ? state.record.view : null;
  const first = view && (view.steps.find(({ done }) => !done)?.step ?? "record");
  // The step is part of the address, so that completing it does not move on to the next one.
  useEffect(() => {
    if (first && !step) go(`/visit/${id}/${first}`, { replace: true });
  }, [id, first, step]);
  useResumable();
  useLayoutEffect(() => scrollTo(0, 0), [id]);
  const shownRecord = useRef<string | null>(null);
  const ready = view !== null && step !== undefined;
  // Screen readers announce the borrower when coming from the list, else the step.
  const fromStep = shownRecord.current === id;
  usePagePosition(ready, () => (fromStep ? stepTop() : 0), fromStep ? "#step" : "h1");
  useEffect(() => {
    if (!view) return;
    shownRecord.current = id;
    document.title = `${view.case.borrower_name || view.case_no} – ${t("app/name")}`;
  });
  switch (state.kind) {
    case "loading":
      return (
        <Frame id={id}>
          <Skeleton />
        </Frame>
      );
    case "failed":
      return (
        <Frame id={id}>
          <LoadError code={state.code} />
        </Frame>
      );
    case "open":
      return (
        <Frame id={id} footer={step && <StepNavigation view={state.record.view} current={step} />}>
          {step && <RecordBody record={state.record} step={step} />}
          {state.error && (
            <div class="fixed inset-x-0 bottom-[calc(4.5rem+var(--leave-bar)+env(safe-area-inset-bottom))] z-20 mx-auto max-w-xl p-3">
              <div class="rounded-box bg-base-100 border-error flex items-center gap-1 border p-1 pr-2 shadow-lg">
                <div class="grow [&>*]:border-0">
                  <Alert tone="error">{state.error}</Alert>
                </div>
                <button type="button" class="btn btn-ghost" onClick={state.dismiss}>
                  {t("app/dismiss")}
                </button>
              </div>
            </div>
          )}
        </Frame>
      );
  }
}

/** The start of the step: changing steps must not scroll back to the case. */
function stepTop(): number {
  const heading = document.getElementById("step");
  return heading ? scrollY + heading.getBoundingClientRect().top - HEADER_PX : 0;
}

function Frame(props: { id: string; children: ComponentChildren; footer?: ComponentChildren }): JSX.Element {
  const { id, children, footer } = props;
  return (
    <div class="mx-auto max-w-xl pb-[calc(6rem+env(safe-area-inset-bottom))]">
      <header class="bg-base-200/95 sticky top-(--banner) z-10 flex flex-wrap items-center justify-between gap-x-2 py-2 pt-[max(0.5rem,env(safe-area-inset-top))] pr-3 pl-1 backdrop-blur">
        <BackLink href="/" label={t("list/title")} />
        <div class="ml-auto flex items-center gap-2.5">
          <SaveIndicator />
          <SyncChip record={id} />
        </div>
      </header>
      <main class="flex flex-col gap-4 px-4 pt-1">{children}</main>
      {footer}
    </div>
  );
}

/** Says "Saved on this phone" only after the store's transaction has completed. */
function SaveIndicator(): JSX.Element | null {
  const last = saveState.value?.state;
  const state =
    last === "failed" ? last : pendingEdits.value > 0 ? "saving" : unsavedFields.value > 0 ? "typing" : last;
  if (!state) return null;
  const { tone, Icon } = {
    typing: { tone: "muted", Icon: PencilLine },
    saving: { tone: "muted", Icon: LoaderCircle },
    saved: { tone: "muted", Icon: CircleCheck },
    failed: { tone: "text-error font-semibold", Icon: TriangleAlert },
  }[state];
  return (
    <span
      data-testid="save-state"
      data-state={state === "typing" ? "saving" : state}
      role="status"
      class={`flex min-w-0 items-center gap-1.5 text-right text-[0.8125rem] leading-tight ${tone}`}
    >
      <Icon class="size-4 shrink-0" aria-hidden="true" />
      {t(`save/${state}`)}
    </span>
  );
}

/** Shown if an edit could not be saved: the reason, and a button that tries again. */
function NotSaved(): JSX.Element | null {
  const state = saveState.value;
  if (state?.state !== "failed") return null;
  return (
    <Alert tone="error">
      <p>{errorText(state.reason ?? "storage_failed")}</p>
      <button type="button" class="btn btn-quiet mt-2" onClick={() => void client.syncNow().catch(() => undefined)}>
        {t("app/retry")}
      </button>
    </Alert>
  );
}

function Skeleton(): JSX.Element {
  return (
    <div aria-busy="true" aria-label={t("app/loading")} class="flex flex-col gap-4">
      <div class="skeleton h-40" />
      <div class="skeleton h-72" />
    </div>
  );
}

function LoadError({ code }: { code: string }): JSX.Element {
  const known =
    code === "unknown_record"
      ? (["record/gone", "record/gone_text"] as const)
      : code === "damaged"
        ? (["record/damaged", "record/damaged_text"] as const)
        : null;
  return (
    <div class="card-plain flex flex-col gap-3">
      <h1 class="text-lg font-semibold">{known ? t(known[0]) : errorText(code)}</h1>
      {known && <p>{t(known[1])}</p>}
      <button type="button" class="btn btn-primary" onClick={() => void client.syncNow()}>
        {t("sync/now")}
      </button>
      {code === "unknown_record" && (
        <Link href="/past" class="btn btn-quiet">
          {t("past/title")}
        </Link>
      )}
    </div>
  );
}

function RecordBody({ record, step }: { record: OpenRecord; step: Step }): JSX.Element {
  const { view, apply } = record;
  const next = STEPS[STEPS.indexOf(step) + 1];
  const Body = BODY[step];
  const returned = view.stage === "recorded" && view.review.status === "returned";
  return (
    <ReviewMarks.Provider value={returned ? view.review.marks : []}>
      <NotSaved />
      <HoldsBanner view={view} />
      <RefusedWork view={view} />
      <ReviewStatus view={view} />
      <CaseHeader record={record} />
      <Conflicts view={view} apply={apply} />
      <div class="pt-1">
        <h2 id="step" tabIndex={-1} class="scroll-mt-18 pb-1 text-xl font-bold">
          {word("step", step)}
        </h2>
        <MissingFields step={view.steps.find((candidate) => candidate.step === step)} />
        <DraftsElsewhere record={record} step={step} />
      </div>
      <Body key={step} record={record} />
      {next && (
        <Link href={`/visit/${view.id}/${next}`} replace class="btn btn-tonal">
          {t("record/next", { step: word("step", next) })}
          <ChevronRight class="size-5" aria-hidden="true" />
        </Link>
      )}
      <LeaveBar record={record} />
    </ReviewMarks.Provider>
  );
}

/** The review status of a sealed record. */
function ReviewStatus({ view }: { view: VisitView }): JSX.Element | null {
  if (view.review.status === "returned" && view.stage === "recorded") {
    return (
      <Alert tone="warning">
        <strong class="font-semibold">{t("record/returned")}</strong>
        <p class="whitespace-pre-line empty:hidden">{ownRemark(view.review)}</p>
        <ul class="flex flex-col gap-1 empty:hidden" data-testid="returned-marks">
          {view.review.marks.map(({ path, note }) => (
            <li key={path}>
              <Link
                href={`/visit/${view.id}/${stepOf(path)}`}
                replace
                class="font-medium underline underline-offset-4"
                onClick={() => revealField(path)}
              >
                {fieldName(path)}
              </Link>
              : {note}
            </li>
          ))}
        </ul>
        {view.review.by && <p class="pt-1 opacity-80">{view.review.by}</p>}
      </Alert>
    );
  }
  if (view.stage === "reviewed") return <Alert>{t("record/accepted")}</Alert>;
  return view.stage === "sealed" ? <Alert>{t("record/sealed")}</Alert> : null;
}

/** The step that has the control of a field. */
function stepOf(path: string): Step {
  if (path === "checks.read_back" || path === "talk.disposition") return "record";
  const area = path.split(".")[0] ?? "";
  const steps: Record<string, Step> = {
    contacts: "contact",
    appointment: "appointment",
    visit: "on_site",
    checks: "on_site",
    talk: "talk",
  };
  return steps[area] ?? "record";
}

/** The navigation between the five steps. */
function StepNavigation({ view, current }: { view: VisitView; current: Step }): JSX.Element {
  return (
    <nav
      aria-label={t("record/steps")}
      class="border-base-300 bg-base-100 @container fixed inset-x-0 bottom-0 z-20 border-t pb-[env(safe-area-inset-bottom)]"
    >
      <ol class="mx-auto grid max-w-xl grid-cols-5 @max-[19rem]:flex @max-[19rem]:justify-around">
        {view.steps.map(({ step, done }, at) => {
          const isCurrent = step === current;
          const mark = isCurrent
            ? "bg-primary text-primary-content border-primary"
            : done
              ? "border-success text-success"
              : "border-base-content/40";
          return (
            <li key={step}>
              <Link
                href={`/visit/${view.id}/${step}`}
                replace
                aria-current={isCurrent ? "step" : undefined}
                class="flex min-h-[4.25rem] flex-col items-center justify-center gap-1 px-0.5 py-1.5 text-center no-underline"
              >
                <span
                  aria-hidden="true"
                  class={`grid size-[min(1.75rem,13vw)] place-items-center rounded-full border-[1.5px] text-sm font-semibold ${mark}`}
                >
                  {done ? <Check class="size-4" strokeWidth={3} /> : at + 1}
                </span>
                <span
                  class={`text-[min(0.6875rem,4.2vw)] leading-tight ${isCurrent ? "text-primary font-semibold" : "@max-[19rem]:sr-only"}`}
                >
                  {word("step", step)}
                </span>
                {done && <span class="sr-only">{t("record/step_done")}</span>}
              </Link>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
