/** Imports cases from a file; a check shows the outcome of each row before the import. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t, textFor } from "../i18n";
import { Alert, Field, Select, useBusy } from "../ui/components";
import { api, type ImportReport } from "./api";

import { Empty, PageTitle } from "./layout";
import { collectors, explain, mayWrite, loadCollectors, displayName } from "./state";

/** Rows shown at first, and added by "Show more". */
const PAGE = 200;
const OUTCOMES = ["refused", "created", "updated", "unchanged"] as const;
type Outcome = (typeof OUTCOMES)[number];

export function ImportPage(): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [assignTo, setAssignTo] = useState("");
  const [report, setReport] = useState<{ dry: boolean; result: ImportReport } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  /** Incremented with every choice, so that the report of an earlier choice is not shown. */
  const chosen = useRef(0);
  useEffect(() => void loadCollectors(), []);
  const choose = (set: () => void): void => {
    chosen.current += 1;
    set();
    setReport(null);
    setError(null);
  };
  const start = (dry: boolean): void =>
    void run(async () => {
      if (!file) return;
      const own = chosen.current;
      setError(null);
      setReport(null);
      try {
        const result = await api.importCases(file, dry, assignTo);
        if (own === chosen.current) setReport({ dry, result });
      } catch (cause) {
        if (own === chosen.current) setError(explain(cause));
      }
    });
  if (!mayWrite()) return <Empty title={t("error/not_allowed")} />;
  return (
    <div class="flex max-w-4xl flex-col gap-4">
      <PageTitle>{t("office/import")}</PageTitle>
      <section class="card-plain flex flex-col gap-4" aria-label={t("office/import")}>
        <Field label={t("office/file")} hint={t("office/file_hint")}>
          {(id, note) => (
            <input
              id={id}
              aria-describedby={note}
              type="file"
              accept=".csv,.xlsx,text/csv"
              class="file-input w-full"
              disabled={busy}
              onChange={(event) => {
                const picked = event.currentTarget.files?.[0] ?? null;
                choose(() => setFile(picked));
              }}
            />
          )}
        </Field>
        <Select
          label={t("office/assign_to")}
          options={collectors.value.filter((user) => !user.disabled).map((user) => user.name)}
          value={assignTo}
          empty={t("office/assign_file")}
          word={displayName}
          disabled={busy}
          onChange={(name) => choose(() => setAssignTo(name))}
        />
        <div class="flex flex-wrap gap-2">
          <button type="button" class="btn btn-outline" disabled={!file || busy} onClick={() => start(true)}>
            {t("office/dry")}
          </button>
          <button type="button" class="btn btn-primary" disabled={!file || busy} onClick={() => start(false)}>
            {t("office/run_import")}
          </button>
        </div>
        {busy && <progress class="progress w-full" aria-label={t("office/checking")} />}
        {error && <Alert tone="error">{error}</Alert>}
      </section>
      {report && <Report dry={report.dry} result={report.result} />}
    </div>
  );
}

function Report({ dry, result }: { dry: boolean; result: ImportReport }): JSX.Element {
  const { created, updated, unchanged, refused } = result;
  const [only, setOnly] = useState<Outcome | "">("");
  const [limit, setLimit] = useState(PAGE);
  const rank = (outcome: string): number => OUTCOMES.findIndex((known) => known === outcome);
  const rows = result.rows
    .filter((row) => !only || row.outcome === only)
    .sort((a, b) => Number(rank(a.outcome) !== 0) - Number(rank(b.outcome) !== 0) || a.row - b.row);
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("office/report")}>
      <div role="status">
        <p class="font-semibold">{t("office/import_done", { created, updated, unchanged, refused })}</p>
        {dry && <p class="muted">{t("office/import_dry")}</p>}
        {result.notes?.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </div>
      {!dry && (
        <Link href="/" class="link self-start">
          {t("office/to_list")}
        </Link>
      )}
      {result.rows.length > 0 && (
        <>
          <Select
            label={t("office/show_rows")}
            options={OUTCOMES.filter((outcome) => result.rows.some((row) => row.outcome === outcome))}
            value={only}
            empty={t("office/any")}
            word={outcomeText}
            onChange={setOnly}
          />
          <div class="overflow-x-auto" role="group" aria-label={t("office/report")} tabIndex={0}>
            <table class="table-sm table [&_th]:text-base-content">
              <thead>
                <tr>
                  <th scope="col">{t("office/row")}</th>
                  <th scope="col">{t("office/what")}</th>
                  <th scope="col">{t("office/field")}</th>
                  <th scope="col">{t("office/why")}</th>
                </tr>
              </thead>
              <tbody>
                {rows.slice(0, limit).map((row) => (
                  <tr key={`${row.row}.${row.field ?? ""}`} data-testid="import-row" data-outcome={row.outcome}>
                    <td class="tabular-nums">
                      {row.row}
                      {row.sheet_row !== undefined && (
                        <div class="muted text-xs">{t("office/sheet_row", { n: row.sheet_row })}</div>
                      )}
                    </td>
                    <td class={row.outcome === "refused" ? "text-error font-medium" : ""}>
                      {outcomeText(row.outcome)}
                      {row.case_no && <div class="muted text-xs">{row.case_no}</div>}
                    </td>
                    <td>{row.field ?? row.changed?.join(", ")}</td>
                    <td>{row.reason}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {rows.length > limit && (
            <button type="button" class="btn btn-outline self-center" onClick={() => setLimit(limit + PAGE)}>
              {t("office/more")}
            </button>
          )}
        </>
      )}
    </section>
  );
}

function outcomeText(outcome: string): string {
  return textFor(`office/import_outcome/${outcome}`) ?? outcome;
}
