/** The page of one record: a reading view of the visit, its review, the office's forms and the history. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation, useSearch } from "wouter-preact";
import type { VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatMoney } from "../ui/format";
import { Alert } from "../ui/components";
import { api } from "./api";
import { Appointment } from "./AppointmentForm";
import { Assignment } from "./AssignmentForm";
import { Attachments } from "./Attachments";
import type { Apply } from "./formDraft";
import { CaseFacts, Contacts, VisitFacts } from "./VisitFacts";
import { HistoryTable } from "./HistoryTable";
import { Holds } from "./HoldForm";
import { Notes } from "./NotesForm";
import { PageTitle } from "./layout";
import { RecordConduct } from "./RecordConduct";
import { AuditPanel } from "./review/AuditPanel";
import { Gaps } from "./review/Gaps";
import { MarkingContext } from "./review/marks";
import { QueueBar } from "./review/QueueBar";
import { ReviewPanel } from "./review/ReviewPanel";
import { Timeline } from "./review/Timeline";
import { useMarks } from "./review/useMarks";
import { useReviewState } from "./review/useReviewState";
import { ConflictsCard } from "./ConflictsCard";
import { explain, lastSearch, mayWrite, loadCollectors } from "./state";
import { Signatures } from "../ui/Signatures";
import { Amendments, Payments, TalkFacts } from "./TalkFacts";

/** Refresh interval; fields that are being edited keep their text. */
const REFRESH_MS = 15_000;

export function VisitPage({ id }: { id: string }): JSX.Element {
  const { view, error, apply, reload } = useVisit(id);
  const search = useQueueSearch(id);
  useEffect(() => void loadCollectors(), []);
  return (
    <div class="flex flex-col gap-4">
      <QueueBar id={id} search={search} />
      {error && <Alert tone="error">{view ? t("office/stale", { text: error }) : error}</Alert>}
      {view ? <Visit view={view} apply={apply} reload={reload} /> : !error && <p role="status">{t("app/loading")}</p>}
    </div>
  );
}

/** The filters of the list that the record was opened from; they become part of its address. */
function useQueueSearch(id: string): string {
  const search = useSearch();
  const [, go] = useLocation();
  useEffect(() => {
    if (search === "" && lastSearch.value) go(`/visits/${id}?${lastSearch.value}`, { replace: true });
    else lastSearch.value = search;
  }, [search]);
  return search;
}

/** The record, refreshed while the page is visible. */
function useVisit(id: string): {
  view: VisitView | null;
  error: string | null;
  apply: Apply;
  reload: () => void;
} {
  const [view, setView] = useState<VisitView | null>(null);
  const [error, setError] = useState<string | null>(null);
  /** Incremented with every own edit, so that a response requested before the edit is ignored. */
  const edits = useRef(0);
  const load = async (): Promise<void> => {
    const before = edits.current;
    try {
      const next = await api.visit(id);
      if (before !== edits.current) return;
      // An unchanged record is not rendered again.
      setView((current) => (current?.heads.join() === next.heads.join() ? current : next));
      setError(null);
    } catch (cause) {
      setError(explain(cause));
    }
  };
  useEffect(() => {
    const refresh = (): void => void (document.hidden || load());
    void load();
    const timer = setInterval(refresh, REFRESH_MS);
    addEventListener("focus", refresh);
    document.addEventListener("visibilitychange", refresh);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", refresh);
      document.removeEventListener("visibilitychange", refresh);
    };
  }, [id]);
  const apply: Apply = async (command) => {
    edits.current += 1;
    try {
      const next = await api.command(id, command);
      edits.current += 1;
      setView(next);
      setError(null);
      return null;
    } catch (cause) {
      return explain(cause);
    }
  };
  return { view, error, apply, reload: () => void load() };
}

/** A second source of the page, loaded again with every change of the record. */
function useByHeads<T>(view: VisitView, load: (id: string) => Promise<T>): { value: T | null; error: string | null } {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const state = view.heads.join();
  useEffect(() => {
    let current = true;
    load(view.id).then(
      (loaded) => {
        if (!current) return;
        setValue(loaded);
        setError(null);
      },
      (cause: unknown) => current && setError(explain(cause)),
    );
    return () => void (current = false);
  }, [state]);
  return { value, error };
}

function Visit({ view, apply, reload }: { view: VisitView; apply: Apply; reload: () => void }): JSX.Element {
  const writes = mayWrite();
  const history = useByHeads(view, api.history);
  const arrivals = useByHeads(view, api.arrivals).value;
  const marks = useMarks();
  const waiting = useReviewState(view);
  const reloadAll = (): void => {
    reload();
    waiting.reload();
  };
  const marking = {
    marks: marks.notes,
    returned: view.stage === "recorded" ? view.review.marks : [],
    enabled: writes && view.stage === "sealed",
    toggle: marks.toggle,
  };
  const form = { view, apply, writes };
  return (
    <MarkingContext.Provider value={marking}>
      <Heading view={view} />
      <Holds {...form} />
      <ConflictsCard {...form} />
      <div class="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div class="flex min-w-0 flex-col gap-4">
          <Timeline view={view} history={history.value?.entries ?? []} />
          <TalkFacts view={view} />
          <VisitFacts view={view} />
          <RecordConduct view={view} />
          <Attachments view={view} arrivals={arrivals} />
          <Signatures view={view} />
          <Payments view={view} />
          <Amendments view={view} />
          <Contacts view={view} />
          <CaseFacts view={view} />
        </div>
        <div class="flex min-w-0 flex-col gap-4">
          <ReviewPanel {...form} marks={marks} proposal={waiting.state?.proposal ?? null} reload={reloadAll} />
          {waiting.state?.audit && <AuditPanel id={view.id} sample={waiting.state.audit} reload={waiting.reload} />}
          <Gaps view={view} arrivals={arrivals} />
          <Assignment {...form} />
          <Appointment {...form} />
          <Notes {...form} />
        </div>
      </div>
      <HistoryTable view={view} history={history.value?.entries ?? null} error={history.error} />
    </MarkingContext.Provider>
  );
}

function Heading({ view }: { view: VisitView }): JSX.Element {
  return (
    <header class="flex flex-wrap items-baseline gap-x-4 gap-y-1">
      <PageTitle>{view.case.borrower_name || view.case_no}</PageTitle>
      <span class="text-lg tabular-nums">{formatMoney(view.case.overdue, view.case.currency)}</span>
      <span class="muted">{view.case_no}</span>
      <span class="bg-base-100 border-base-300 rounded-full border px-3 py-0.5">{word("stage", view.stage)}</span>
      {view.review.status !== "pending" && (
        <span class="bg-warning text-warning-content rounded-full px-3 py-0.5">
          {word("review", view.review.status)}
        </span>
      )}
      <span class="grow" />
      <a class="btn btn-outline" href={`/api/visits/${view.id}.automerge`} download={`${view.case_no}.automerge`}>
        {t("office/download")}
      </a>
    </header>
  );
}
