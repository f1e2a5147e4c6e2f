/** The complaint desk: complaints by deadline, entering one, and the sheet for the regulator. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { t } from "../../i18n";
import { Alert, Choices } from "../../ui/components";
import { formatDateTime } from "../../ui/format";
import { api, type ComplaintList } from "../api";
import { Empty, PageTitle } from "../layout";
import { explain } from "../state";
import { DeadlineText, Outcome } from "./facts";
import { EnterComplaint } from "./EnterComplaint";

const PARTS = ["open", "closed"] as const;
const FORMATS = ["csv", "xlsx"] as const;

export function ComplaintsPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const [entering, setEntering] = useState(false);
  const closed = new URLSearchParams(search).get("closed") === "1";
  const { page, error, more } = useDesk(closed);
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center gap-2">
        <PageTitle>{t("office/complaints/title")}</PageTitle>
        {page && (
          <span class="muted text-sm" role="status">
            {t("office/complaints/counts", { open: page.open, late: page.late })}
          </span>
        )}
        <span class="grow" />
        {FORMATS.map((format) => (
          <a
            key={format}
            class="btn btn-outline"
            href={`/api/complaints/export?format=${format}`}
            aria-label={`${t("office/complaints/export")} ${t(`office/format/${format}`)}`}
            download
          >
            {t(`office/format/${format}`)}
          </a>
        ))}
        <button type="button" class="btn btn-primary" aria-haspopup="dialog" onClick={() => setEntering(true)}>
          {t("office/complaints/enter")}
        </button>
      </div>
      <div class="max-w-sm">
        <Choices
          label={t("office/complaints/part")}
          options={PARTS}
          look="segments"
          value={closed ? "closed" : "open"}
          word={(part) => t(`office/complaints/part_${part}`)}
          onChange={(part) => go(part === "closed" ? "/complaints?closed=1" : "/complaints", { replace: true })}
        />
      </div>
      {error && <Alert tone="error">{error}</Alert>}
      {!page && !error && <p role="status">{t("app/loading")}</p>}
      {page?.rows.length === 0 && <Empty title={t(`office/complaints/empty_${closed ? "closed" : "open"}`)} />}
      {page && page.rows.length > 0 && <Table rows={page.rows} />}
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" onClick={more}>
          {t("office/more")}
        </button>
      )}
      {entering && <EnterComplaint onClose={() => setEntering(false)} />}
    </div>
  );
}

/** The part of the desk, page after page. */
function useDesk(closed: boolean): { page: ComplaintList | null; error: string | null; more: () => void } {
  const [page, setPage] = useState<ComplaintList | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = (before: ComplaintList | null, signal?: AbortSignal): void =>
    void api.complaints(closed, before?.next ?? "").then(
      (next) => {
        if (signal?.aborted) return;
        setPage(before ? { ...next, rows: [...before.rows, ...next.rows] } : next);
        setError(null);
      },
      (cause: unknown) => signal?.aborted || setError(explain(cause)),
    );
  useEffect(() => {
    const request = new AbortController();
    setPage(null);
    load(null, request.signal);
    return () => request.abort();
  }, [closed]);
  return { page, error, more: () => load(page) };
}

function Table({ rows }: { rows: ComplaintList["rows"] }): JSX.Element {
  const column = (key: "number" | "received_at" | "source" | "topic" | "deadline" | "state"): JSX.Element => (
    <th scope="col">{t(`office/complaints/${key}`)}</th>
  );
  return (
    <div class="card-plain overflow-x-auto p-0" tabIndex={0} role="region" aria-label={t("office/complaints/title")}>
      <table class="table-sm table [&_th]:text-base-content" data-testid="complaints">
        <thead>
          <tr>
            {column("number")}
            <th scope="col">{t("office/case_no")}</th>
            {column("source")}
            {column("topic")}
            {column("received_at")}
            {column("deadline")}
            {column("state")}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.number} data-testid="complaint-row" class="hover:bg-base-200">
              <td>
                <Link href={`/complaints/${row.number}`} class="link inline-flex min-h-6 items-center tabular-nums">
                  {t("office/complaints/no", { n: row.number })}
                </Link>
              </td>
              <td class="tabular-nums">{row.case_no}</td>
              <td>{t(`office/complaints/sources/${row.source}`)}</td>
              <td>{t(`office/complaints/topics/${row.topic}`)}</td>
              <td class="whitespace-nowrap">{formatDateTime(row.received_at)}</td>
              <td class="whitespace-nowrap">
                <DeadlineText complaint={row} />
              </td>
              <td>
                <Outcome complaint={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
