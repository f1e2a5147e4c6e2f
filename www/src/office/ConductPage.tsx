/** The conduct page: failed and unknown results grouped by record, in pages. */
import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import conduct from "../i18n/conduct.en.json";
import { t } from "../i18n";
import { layerText, ANSWER_STYLE, reasonAlone, ruleText } from "../ui/conduct";
import { formatCount, formatDateTime } from "../ui/format";
import { Alert, Field, Select } from "../ui/components";
import { api, type ConductPage as Page, type ConductRow } from "./api";
import { Empty, PageTitle } from "./layout";
import { explain } from "./state";

const ANSWERS = ["fail", "unknown"] as const;
type Answer = (typeof ANSWERS)[number];

/** Rows per page, as in the office. */
const PAGE_ROWS = 50;
/** Refresh interval while the office evaluates records. */
const REFRESH_MS = 2_000;

/** Doorstep's rules, as suggestions; lenders' rules can be typed. */
const RULES = Object.keys(conduct.rule);

export function ConductPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const asked = new URLSearchParams(search);
  const answer = ANSWERS.find((known) => known === asked.get("answer")) ?? "";
  const rule = asked.get("rule") ?? "";
  const { page, error, loading, load } = useQueue(answer, rule);
  const change = (key: string, value: string): void => {
    const next = new URLSearchParams(search);
    if (value) next.set(key, value);
    else next.delete(key);
    go(`/conduct?${next}`, { replace: true });
  };
  const records = byRecord(page?.rows ?? []);
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <PageTitle>{t("conduct/desk/title")}</PageTitle>
        <button type="button" class="btn btn-ghost" disabled={loading} onClick={() => void load(null)}>
          {t("office/refresh")}
        </button>
      </div>
      <p class="muted max-w-prose">{t("conduct/desk/lead")}</p>
      <section class="card-plain grid gap-3 sm:grid-cols-2" role="search" aria-label={t("list/filter")}>
        <Select<Answer>
          label={t("conduct/desk/answer")}
          options={ANSWERS}
          value={answer}
          word={(one) => t(`conduct/answer/${one}`)}
          empty={t("conduct/desk/any")}
          onChange={(one) => change("answer", one)}
        />
        <RuleField key={rule} value={rule} onChange={(one) => change("rule", one)} />
      </section>
      {error && <Alert tone="error">{error}</Alert>}
      <p class="muted text-sm" role="status">
        {page
          ? t("conduct/desk/shown", { rows: formatCount(page.rows.length), records: formatCount(records.length) })
          : loading && t("conduct/desk/loading")}
      </p>
      {page?.evaluating && (
        <p role="status" class="flex items-center gap-2 text-sm" data-testid="conduct-evaluating">
          <span class="loading loading-spinner loading-xs" aria-hidden="true" />
          {t("conduct/desk/evaluating")}
        </p>
      )}
      {page?.rows.length === 0 && !page.evaluating && (
        <Empty title={t(answer || rule ? "conduct/desk/empty_filters" : "conduct/desk/empty")} />
      )}
      <ul class="flex flex-col gap-3 empty:hidden">
        {records.map((rows) => (
          <RecordResults key={rows[0]?.record} rows={rows} />
        ))}
      </ul>
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" disabled={loading} onClick={() => void load(page)}>
          {loading ? t("app/loading") : t("office/more")}
        </button>
      )}
    </div>
  );
}

/** The pages loaded so far; responses to superseded requests are ignored. */
function useQueue(answer: string, rule: string) {
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const active = useRef<AbortController | null>(null);
  const load = async (previous: Page | null): Promise<void> => {
    active.current?.abort();
    const request = new AbortController();
    active.current = request;
    setLoading(true);
    const query = new URLSearchParams();
    if (answer) query.set("answer", answer);
    if (rule) query.set("rule", rule);
    if (previous?.next) query.set("after", previous.next);
    try {
      const next = await api.conductQueue(query.toString(), request.signal);
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
    setPage(null);
    void load(null);
    return () => active.current?.abort();
  }, [answer, rule]);
  // New rows appear while records are evaluated. Not once further pages are loaded: a refresh would drop them.
  const first = page !== null && page.evaluating && page.rows.length <= PAGE_ROWS && !loading;
  useEffect(() => {
    if (!first) return;
    const timer = setTimeout(() => void load(null), REFRESH_MS);
    return () => clearTimeout(timer);
  }, [first, page]);
  return { page, error, loading, load };
}

/** Groups rows, which come ordered by record. */
function byRecord(rows: readonly ConductRow[]): ConductRow[][] {
  const groups: ConductRow[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0]?.record === row.record) last.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** A text field for a rule id, with suggestions. */
function RuleField(props: { value: string; onChange: (rule: string) => void }): JSX.Element {
  const id = useId();
  return (
    <Field label={t("conduct/desk/rule")} hint={t("conduct/desk/rule_hint")}>
      {(field, note) => (
        <>
          <input
            id={field}
            aria-describedby={note}
            class="input w-full"
            list={id}
            autocomplete="off"
            value={props.value}
            onChange={(event) => props.onChange(event.currentTarget.value.trim())}
          />
          <datalist id={id}>
            {RULES.map((rule) => (
              <option key={rule} value={rule}>
                {ruleText(rule)}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function RecordResults({ rows }: { rows: ConductRow[] }): JSX.Element | null {
  const [first] = rows;
  if (!first) return null;
  return (
    <li class="card-plain flex flex-col gap-3" data-testid="conduct-record" data-id={first.record}>
      <div class="flex flex-wrap items-baseline justify-between gap-x-3">
        <Link href={`/visits/${first.record}`} class="link font-medium">
          {first.case_no}
        </Link>
        <span class="muted text-sm">
          {t(`conduct/moment/${first.moment}`)} · {formatDateTime(first.at)}
        </span>
      </div>
      <ul class="grid gap-x-6 gap-y-2.5 text-sm lg:grid-cols-2">
        {rows.map((row) => (
          <ResultItem key={row.rule} row={row} />
        ))}
      </ul>
    </li>
  );
}

function ResultItem({ row }: { row: ConductRow }): JSX.Element {
  const { Icon, tone } = ANSWER_STYLE[row.answer];
  const details = [
    row.rule,
    layerText(row.layer),
    t(`conduct/status/${row.status}`),
    t(`conduct/severity/${row.severity}`),
    reasonAlone(row.reason),
  ];
  return (
    <li class="flex gap-2" data-testid="conduct-row" data-rule={row.rule} data-answer={row.answer}>
      <Icon class={`mt-0.5 size-[1.125rem] shrink-0 ${row.shadow ? "muted" : tone}`} aria-hidden="true" />
      <div class="min-w-0">
        <p>
          <span class={`font-medium ${row.shadow ? "muted" : tone}`}>{t(`conduct/answer/${row.answer}`)}</span>
          {" · "}
          {ruleText(row.rule)}
        </p>
        <p class="muted">{details.filter((part) => part !== "").join(" · ")}</p>
      </div>
    </li>
  );
}
