/** The page of one record: facts, the office's forms, conflicts, conduct and history. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatMoney } from "../ui/format";
import { Alert } from "../ui/components";
import { api } from "./api";
import { Appointment } from "./AppointmentForm";
import { Assignment } from "./AssignmentForm";
import { Attachments } from "./Attachments";
import type { Apply } from "./formDraft";
import { CaseFacts, Contacts, MissingFields, VisitFacts } from "./VisitFacts";
import { HistoryTable } from "./HistoryTable";
import { Holds } from "./HoldForm";
import { Notes } from "./NotesForm";
import { PageTitle } from "./layout";
import { RecordConduct } from "./RecordConduct";
import { Review } from "./ReviewForm";
import { ConflictsCard } from "./ConflictsCard";
import { explain, lastSearch, mayWrite, loadCollectors } from "./state";
import { Signatures } from "../ui/Signatures";
import { Amendments, Payments, TalkFacts } from "./TalkFacts";

/** Refresh interval; fields that are being edited keep their text. */
const REFRESH_MS = 15_000;

export function VisitPage({ id }: { id: string }): JSX.Element {
  const { view, error, apply } = useVisit(id);
  useEffect(() => void loadCollectors(), []);
  return (
    <div class="flex flex-col gap-4">
      <Link href={lastSearch.value ? `/?${lastSearch.value}` : "/"} class="btn btn-ghost self-start">
        ‹ {t("office/back_to_list")}
      </Link>
      {error && <Alert tone="error">{view ? t("office/stale", { text: error }) : error}</Alert>}
      {view ? <Visit view={view} apply={apply} /> : !error && <p role="status">{t("app/loading")}</p>}
    </div>
  );
}

/** The record, refreshed while the page is visible. */
function useVisit(id: string): { view: VisitView | null; error: string | null; apply: Apply } {
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
  return { view, error, apply };
}

function Visit({ view, apply }: { view: VisitView; apply: Apply }): JSX.Element {
  const writes = mayWrite();
  return (
    <>
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
      <Holds view={view} apply={apply} writes={writes} />
      <ConflictsCard view={view} apply={apply} writes={writes} />
      <div class="grid items-start gap-4 lg:grid-cols-2">
        <div class="flex min-w-0 flex-col gap-4">
          <CaseFacts view={view} />
          <Contacts view={view} />
          <Appointment view={view} apply={apply} writes={writes} />
          <VisitFacts view={view} />
          <MissingFields view={view} />
        </div>
        <div class="flex min-w-0 flex-col gap-4">
          <Review view={view} apply={apply} writes={writes} />
          <Assignment view={view} apply={apply} writes={writes} />
          <TalkFacts view={view} />
          <Notes view={view} apply={apply} writes={writes} />
          <Payments view={view} />
          <Attachments view={view} />
          <Signatures view={view} />
          <Amendments view={view} />
        </div>
      </div>
      <RecordConduct view={view} />
      <HistoryTable view={view} />
    </>
  );
}
