/** The list of records. The filters are part of the address; the rows are loaded in pages. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { t } from "../i18n";
import { Alert } from "../ui/components";
import { api, type Page } from "./api";
import { FactFilters } from "./FactFilters";
import { ListFilters } from "./ListFilters";
import { directionOf, hasFilters, officeQuery, sortOf, withFilter, withoutFilters } from "./listQuery";
import { Empty, PageTitle } from "./layout";
import { QuarantineUsageAlert, useUsage } from "./QuarantineUsageAlert";
import { explain, lastSearch, mayWrite, loadCollectors } from "./state";
import { VisitTable } from "./VisitTable";

export function ListPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  /** The active request; responses to superseded requests are ignored. */
  const active = useRef<AbortController | null>(null);
  const { usage } = useUsage();
  const query = officeQuery(search).toString();
  const filters = new URLSearchParams(search);

  const load = async (previous: Page | null): Promise<void> => {
    active.current?.abort();
    const request = new AbortController();
    active.current = request;
    setLoading(true);
    try {
      const after = previous?.next ? `&after=${encodeURIComponent(previous.next)}` : "";
      const next = await api.visits(query + after, request.signal);
      if (request.signal.aborted) return;
      setPage(previous ? { ...next, rows: mergePages(previous, next) } : next);
      setError(null);
    } catch (cause) {
      if (!request.signal.aborted) setError(explain(cause));
    } finally {
      if (!request.signal.aborted) setLoading(false);
    }
  };

  useEffect(() => void loadCollectors(), []);
  useEffect(() => {
    lastSearch.value = search;
    void load(null);
    return () => active.current?.abort();
  }, [query]);
  const change = (query: string): void => go(query ? `/?${query}` : "/", { replace: true });
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <PageTitle>{t("office/visits")}</PageTitle>
        <button type="button" class="btn btn-ghost" disabled={loading} onClick={() => void load(null)}>
          {t("office/refresh")}
        </button>
      </div>
      <QuarantineUsageAlert usage={usage} />
      <ListFilters
        search={search}
        onChange={(key, value) => change(withFilter(search, key, value))}
        onClear={() => change(withoutFilters(search))}
      />
      <FactFilters
        search={search}
        onRemove={(keys) => change(keys.reduce((rest, key) => withFilter(rest, key, ""), search))}
      />
      {error && <Alert tone="error">{error}</Alert>}
      <p class="muted text-sm" role="status">
        {page ? t("office/shown", { shown: page.rows.length, n: page.total }) : loading && t("app/loading")}
      </p>
      {page && page.rows.length > 0 && (
        <VisitTable rows={page.rows} sort={sortOf(filters)} dir={directionOf(filters)} />
      )}
      {page?.rows.length === 0 && <EmptyList narrowed={hasFilters(filters)} />}
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" disabled={loading} onClick={() => void load(page)}>
          {loading ? t("app/loading") : t("office/more")}
        </button>
      )}
    </div>
  );
}

function EmptyList({ narrowed }: { narrowed: boolean }): JSX.Element {
  if (narrowed) return <Empty title={t("office/empty")}>{t("office/empty_filters")}</Empty>;
  return (
    <Empty title={t("office/empty_all")}>
      {mayWrite() && (
        <Link href="/import" class="btn btn-primary">
          {t("office/import")}
        </Link>
      )}
    </Empty>
  );
}

/** Both pages; a row that moved between them because of an edit appears once. */
function mergePages(before: Page, following: Page): Page["rows"] {
  const known = new Set(before.rows.map((row) => row.id));
  return [...before.rows, ...following.rows.filter((row) => !known.has(row.id))];
}
