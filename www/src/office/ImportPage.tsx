/** Import with a check before: per row what would happen, and why a row is refused. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert, Field, useBusy } from "../ui/parts";
import { api, type ImportReport } from "./api";
import { explain } from "./state";

export function ImportPage(): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<{ dry: boolean; result: ImportReport } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const start = (dry: boolean): void =>
    void run(async () => {
      if (!file) return;
      setError(null);
      try {
        setReport({ dry, result: await api.importCases(file, dry) });
      } catch (cause) {
        setReport(null);
        setError(explain(cause));
      }
    });
  return (
    <div class="flex max-w-3xl flex-col gap-4">
      <h1 class="text-xl font-bold">{t("office/import")}</h1>
      <section class="card-plain flex flex-col gap-4">
        <Field label={t("office/file")}>
          {(id) => (
            <input
              id={id}
              type="file"
              accept=".csv,.xlsx,text/csv"
              class="file-input w-full"
              onChange={(event) => {
                setFile(event.currentTarget.files?.[0] ?? null);
                setReport(null);
              }}
            />
          )}
        </Field>
        <div class="flex gap-2">
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
  const refusals = result.rows.filter((row) => row.outcome === "refused");
  return (
    <section class="card-plain flex flex-col gap-3" aria-live="polite">
      <p class="font-semibold">{t("office/import_done", { created, updated, unchanged, refused })}</p>
      {dry && <p class="muted">{t("office/import_dry")}</p>}
      {refusals.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th>{t("office/row")}</th>
              <th>{t("office/field")}</th>
              <th>{t("office/why")}</th>
            </tr>
          </thead>
          <tbody>
            {refusals.map((row) => (
              <tr key={row.row}>
                <td>{row.row}</td>
                <td>{row.field}</td>
                <td>{row.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
