/** The list: filters in the address, pages by key, nothing loaded whole. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useSearch, useLocation } from "wouter-preact";
import { t, word } from "../i18n";
import { formatDateTime, formatMoney, formatWindow } from "../ui/format";
import { Alert, Field, Select } from "../ui/parts";
import { api, type OfficeRow, type Page, type User } from "./api";
import { explain } from "./state";

const STAGES = ["assigned", "contacted", "scheduled", "on_site", "recorded", "sealed", "reviewed"] as const;
const REVIEWS = ["pending", "accepted", "returned"] as const;
const SORTS = ["updated", "due", "case_no", "overdue"] as const;
const FORMATS = ["csv", "xlsx", "jsonl", "automerge"] as const;
/** A pause in typing after which the list is asked for. */
const PAUSE_MS = 250;

export function ListPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const [page, setPage] = useState<Page | null>(null);
  const [collectors, setCollectors] = useState<User[]>([]);
  const [error, setError] = useState<string | null>(null);
  const filters = new URLSearchParams(search);

  useEffect(() => void api.collectors().then(setCollectors, () => undefined), []);
  useEffect(() => {
    let current = true;
    api.visits(search).then(
      (next) => {
        if (!current) return;
        setPage(next);
        setError(null);
      },
      (cause: unknown) => current && setError(explain(cause)),
    );
    return () => void (current = false);
  }, [search]);

  const set = (key: string, value: string): void => {
    const next = new URLSearchParams(search);
    if (value) next.set(key, value);
    else next.delete(key);
    go(`/?${next}`, { replace: true });
  };
  const more = async (): Promise<void> => {
    if (!page?.next) return;
    const next = new URLSearchParams(search);
    next.set("after", page.next);
    try {
      const following = await api.visits(next.toString());
      setPage({ ...following, rows: [...page.rows, ...following.rows] });
    } catch (cause) {
      setError(explain(cause));
    }
  };
  const value = (key: string): string => filters.get(key) ?? "";
  return (
    <div class="flex flex-col gap-4">
      <h1 class="text-xl font-bold">{t("office/visits")}</h1>
      <section class="card-plain grid items-end gap-3 sm:grid-cols-2 lg:grid-cols-5" aria-label={t("list/filter")}>
        <Search value={value("q")} onChange={(text) => set("q", text)} />
        <Select
          label={t("office/stage")}
          options={STAGES}
          value={value("stage") as (typeof STAGES)[number] | ""}
          empty={t("office/any")}
          word={(option) => word("stage", option)}
          onChange={(option) => set("stage", option)}
        />
        <Select
          label={t("office/collector")}
          options={collectors.map((user) => user.name)}
          value={value("collector")}
          empty={t("office/any")}
          word={(option) => option}
          onChange={(option) => set("collector", option)}
        />
        <Select
          label={t("office/review")}
          options={REVIEWS}
          value={value("review") as (typeof REVIEWS)[number] | ""}
          empty={t("office/any")}
          word={(option) => word("review", option)}
          onChange={(option) => set("review", option)}
        />
        <Select
          label={t("office/sort")}
          options={SORTS}
          value={(value("sort") || "updated") as (typeof SORTS)[number]}
          word={(option) => t(`office/sort_${option}`)}
          onChange={(option) => set("sort", option)}
        />
        <div class="flex flex-wrap gap-4 sm:col-span-2 lg:col-span-5">
          {(["conflicts", "hold", "unassigned"] as const).map((key) => (
            <label key={key} class="flex min-h-11 items-center gap-2">
              <input
                type="checkbox"
                class="checkbox min-h-0"
                checked={filters.has(key)}
                onChange={(event) => set(key, event.currentTarget.checked ? "1" : "")}
              />
              {t(`office/${key}`)}
            </label>
          ))}
          <span class="grow" />
          <span class="flex flex-wrap items-center gap-2">
            <span class="muted text-sm">{t("office/export")}</span>
            {FORMATS.map((format) => (
              <a
                key={format}
                class="btn btn-sm btn-outline min-h-11"
                href={`/api/export?format=${format}&${search}`}
                download
              >
                {format.toUpperCase()}
              </a>
            ))}
          </span>
        </div>
      </section>
      {error && <Alert tone="error">{error}</Alert>}
      <p class="muted text-sm" aria-live="polite">
        {page ? t("office/total", { n: page.total }) : t("app/loading")}
      </p>
      {page && <Table rows={page.rows} />}
      {page?.rows.length === 0 && <p class="py-8 text-center">{t("office/empty")}</p>}
      {page?.next && (
        <button type="button" class="btn btn-outline self-center" onClick={() => void more()}>
          {t("office/more")}
        </button>
      )}
    </div>
  );
}

function Search(props: { value: string; onChange: (text: string) => void }): JSX.Element {
  const [typed, setTyped] = useState(props.value);
  useEffect(() => {
    if (typed === props.value) return;
    const timer = setTimeout(() => props.onChange(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <Field label={t("office/search")}>
      {(id) => (
        <input
          id={id}
          type="search"
          class="input w-full"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function Table({ rows }: { rows: OfficeRow[] }): JSX.Element {
  return (
    <div class="card-plain overflow-x-auto p-0" tabIndex={0} role="region" aria-label={t("office/visits")}>
      <table class="table" data-testid="visit-list">
        <thead>
          <tr>
            <th>{t("office/case_no")}</th>
            <th>{t("office/borrower")}</th>
            <th class="text-right">{t("office/overdue")}</th>
            <th class="text-right">{t("office/dpd")}</th>
            <th>{t("office/stage")}</th>
            <th>{t("office/collector")}</th>
            <th>{t("office/appointment")}</th>
            <th>{t("office/outcome")}</th>
            <th>{t("office/updated")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} data-testid="visit-row" data-id={row.id} class="hover:bg-base-200">
              <td>
                <Link href={`/visits/${row.id}`} class="link font-medium">
                  {row.case_no}
                </Link>
              </td>
              <td>
                <div class="font-medium">{row.borrower_name}</div>
                <div class="flex flex-wrap gap-1 text-xs">
                  {row.holds.map((hold) => (
                    <span key={hold} class="bg-error text-error-content rounded-full px-2">
                      {word("flag", hold)}
                    </span>
                  ))}
                  {row.conflicts > 0 && (
                    <span class="border-error text-error rounded-full border px-2">{t("list/conflict_badge")}</span>
                  )}
                </div>
              </td>
              <td class="text-right tabular-nums">{formatMoney(row.overdue, row.currency)}</td>
              <td class="text-right tabular-nums">{row.days_past_due}</td>
              <td>
                {word("stage", row.stage)}
                {row.review_status === "returned" && <div class="text-xs">{word("review", "returned")}</div>}
              </td>
              <td>{row.collectors.join(", ")}</td>
              <td class="text-sm">
                {row.starts_at !== null && formatWindow(row.starts_at, row.ends_at)}
                {row.appointment_status && (
                  <div class="muted text-xs">{word("appointment", row.appointment_status)}</div>
                )}
              </td>
              <td>{row.disposition && word("disposition", row.disposition)}</td>
              <td class="muted text-sm">{formatDateTime(row.updated_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
