/** The audit log: what users of the console changed, newest first. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { t, word } from "../i18n";
import { Alert, TextField } from "../ui/components";
import { deviceZone, formatDateTime } from "../ui/format";
import { api, type AuditLine, type AuditPage as Page } from "./api";
import { Empty, PageTitle } from "./layout";
import { explain } from "./state";

const FILTERS = ["user", "subject", "action"] as const;

/** A pause in typing after which the log is searched. */
const PAUSE_MS = 300;

export function AuditPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const asked = new URLSearchParams(search);
  const { page, error, loading, load } = useLog(queryOf(asked));
  const change = (key: string, value: string): void => {
    const next = new URLSearchParams(search);
    if (value) next.set(key, value);
    else next.delete(key);
    go(`/audit?${next}`, { replace: true });
  };
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <PageTitle>{t("office/audit/title")}</PageTitle>
        <a class="btn btn-ghost" href="/api/audit/export" download="audit.jsonl">
          {t("office/export")}
        </a>
      </div>
      <p class="muted max-w-prose">{t("office/audit/lead")}</p>
      <section
        class="card-plain grid gap-3 sm:grid-cols-3 lg:grid-cols-5"
        role="search"
        aria-label={t("office/audit/filter")}
      >
        {FILTERS.map((key) => (
          <TypedFilter
            key={key}
            label={t(`office/audit/${key}`)}
            value={asked.get(key) ?? ""}
            onChange={(value) => change(key, value)}
          />
        ))}
        {(["from", "to"] as const).map((key) => (
          <TextField
            key={key}
            type="date"
            label={t(key === "from" ? "office/dashboard/first_day" : "office/dashboard/last_day")}
            value={asked.get(key) ?? ""}
            onInput={(value) => change(key, value)}
          />
        ))}
      </section>
      {error && <Alert tone="error">{error}</Alert>}
      <p role="status" class={loading ? "" : "sr-only"}>
        {loading ? t("app/loading") : t("office/audit/shown", { n: page?.rows.length ?? 0 })}
      </p>
      {page?.rows.length === 0 && <Empty title={t("office/audit/empty")} />}
      {page && page.rows.length > 0 && <Log rows={page.rows} />}
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" disabled={loading} onClick={() => void load(page)}>
          {t("office/more")}
        </button>
      )}
    </div>
  );
}

/** A period needs both ends: one alone is a single day. */
function queryOf(asked: URLSearchParams): string {
  const query = new URLSearchParams();
  for (const key of FILTERS) {
    const value = asked.get(key);
    if (value) query.set(key, value);
  }
  const from = asked.get("from") ?? asked.get("to");
  const to = asked.get("to") ?? asked.get("from");
  if (from && to) {
    query.set("from", from < to ? from : to);
    query.set("to", from < to ? to : from);
    query.set("zone", deviceZone());
  }
  return query.toString();
}

function useLog(query: string) {
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const active = useRef<AbortController | null>(null);
  const load = async (previous: Page | null): Promise<void> => {
    active.current?.abort();
    const request = new AbortController();
    active.current = request;
    setLoading(true);
    try {
      const after = previous?.next ? `&after=${previous.next}` : "";
      const next = await api.audit(query + after, request.signal);
      if (request.signal.aborted) return;
      setPage(previous ? { ...next, rows: [...previous.rows, ...next.rows] } : next);
      setError(null);
    } catch (cause) {
      if (!request.signal.aborted) setError(explain(cause));
    } finally {
      if (!request.signal.aborted) setLoading(false);
    }
  };
  useEffect(() => {
    void load(null);
    return () => active.current?.abort();
  }, [query]);
  return { page, error, loading, load };
}

/** A text filter that is applied after a pause in typing. */
function TypedFilter(props: { label: string; value: string; onChange: (value: string) => void }): JSX.Element {
  const [text, setText] = useState(props.value);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <TextField
      label={props.label}
      plain
      value={text}
      onInput={(value) => {
        setText(value);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => props.onChange(value.trim()), PAUSE_MS);
      }}
    />
  );
}

function Log({ rows }: { rows: AuditLine[] }): JSX.Element {
  return (
    <div class="card-plain overflow-x-auto">
      <table class="w-full text-sm">
        <caption class="sr-only">{t("office/audit/title")}</caption>
        <thead>
          <tr class="muted border-base-300 border-b text-left">
            {[t("office/when"), t("office/who"), t("office/audit/action"), t("office/audit/subject")].map((heading) => (
              <th key={heading} scope="col" class="py-1 pr-4 font-normal">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.seq} class="border-base-300 border-b align-top last:border-0" data-testid="audit-row">
              <td class="py-1.5 pr-4 whitespace-nowrap">{formatDateTime(row.at)}</td>
              <td class="py-1.5 pr-4">
                {row.user} <span class="muted">{word("role", row.role)}</span>
                <span class="muted block font-mono text-xs">
                  {t("office/audit/session", { device: row.session.slice(0, 8) })}
                </span>
              </td>
              <td class="py-1.5 pr-4">
                <span class="font-mono text-xs">{row.action}</span>
                {row.detail && <span class="block">{row.detail}</span>}
              </td>
              <td class="py-1.5 font-mono text-xs break-all">
                <Subject row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The subject, with a link if it is a record or refused work. */
function Subject({ row }: { row: AuditLine }): JSX.Element {
  const pages = [
    ["/api/visits/", "/visits/"],
    ["/api/quarantine/{", "/quarantine/"],
  ] as const;
  const page = row.subject && pages.find(([route]) => row.action.includes(route))?.[1];
  if (!page) return <>{row.subject}</>;
  return (
    <Link href={page + row.subject} class="link">
      {row.subject}
    </Link>
  );
}
