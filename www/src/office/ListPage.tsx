/** The list: filters in the address, pages by key, nothing loaded whole. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { lang, t } from "../i18n";
import { Alert } from "../ui/components";
import { api, type Page } from "./api";
import { Filters } from "./ListFilters";
import { directionOf, isNarrowed, officeQuery, sortOf, withFilter, withoutFilters } from "./listQuery";
import { Empty, PageTitle } from "./layout";
import { QuarantineUsageAlert, useUsage } from "./QuarantineUsageAlert";
import { explain, lastSearch, mayWrite, needCollectors } from "./state";
import { VisitTable } from "./VisitTable";

export function ListPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  /** The question that is being asked; an answer to an older one is dropped. */
  const asking = useRef<AbortController | null>(null);
  const { usage } = useUsage();
  const query = officeQuery(search).toString();
  const filters = new URLSearchParams(search);

  const ask = async (onTop: Page | null): Promise<void> => {
    asking.current?.abort();
    const own = new AbortController();
    asking.current = own;
    setLoading(true);
    try {
      const after = onTop?.next ? `&after=${encodeURIComponent(onTop.next)}` : "";
      const got = await api.visits(query + after, own.signal);
      if (own.signal.aborted) return;
      setPage(onTop ? { ...got, rows: merged(onTop, got) } : got);
      setError(null);
    } catch (cause) {
      if (!own.signal.aborted) setError(explain(cause));
    } finally {
      if (!own.signal.aborted) setLoading(false);
    }
  };

  useEffect(() => void needCollectors(), []);
  useEffect(() => {
    lastSearch.value = search;
    void ask(null);
    return () => asking.current?.abort();
  }, [query]);
  const change = (next: string): void => go(next ? `/?${next}` : "/", { replace: true });
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <PageTitle>{t("office/visits")}</PageTitle>
        <button type="button" class="btn btn-ghost" disabled={loading} onClick={() => void ask(null)}>
          {t("office/refresh")}
        </button>
      </div>
      <QuarantineUsageAlert usage={usage} />
      <Filters
        search={search}
        onChange={(key, value) => change(withFilter(search, key, value))}
        onClear={() => change(withoutFilters(search))}
      />
      {error && <Alert tone="error">{error}</Alert>}
      <p class="muted text-sm" role="status">
        {page
          ? t("office/shown", { shown: number(page.rows.length), total: number(page.total) })
          : loading && t("app/loading")}
      </p>
      {page && page.rows.length > 0 && (
        <VisitTable rows={page.rows} sort={sortOf(filters)} dir={directionOf(filters)} />
      )}
      {page?.rows.length === 0 && <Nothing narrowed={isNarrowed(filters)} />}
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" disabled={loading} onClick={() => void ask(page)}>
          {loading ? t("app/loading") : t("office/more")}
        </button>
      )}
    </div>
  );
}

function Nothing({ narrowed }: { narrowed: boolean }): JSX.Element {
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

/** Both pages; a row that moved between them while somebody wrote stands once. */
function merged(before: Page, following: Page): Page["rows"] {
  const known = new Set(before.rows.map((row) => row.id));
  return [...before.rows, ...following.rows.filter((row) => !known.has(row.id))];
}

const number = (value: number): string => new Intl.NumberFormat(lang.value).format(value);
