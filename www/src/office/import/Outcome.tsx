/** What would become of the rows of a file, or has: numbers, the rows, and refused ones as a file. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { lang, t } from "../../i18n";
import { Alert, Choices } from "../../ui/components";
import { formatCount } from "../../ui/format";
import { api, type ImportLine, type ImportRows } from "../api";
import { explain } from "../state";
import { importField } from "./Mapping";

const OUTCOMES = ["refused", "created", "updated", "unchanged"] as const;
type RowOutcome = (typeof OUTCOMES)[number];

export function Outcome(props: { line: ImportLine; busy: boolean; onRun: () => void; onMap: () => void }): JSX.Element {
  const { line, busy } = props;
  const checked = line.phase === "checked";
  const [outcome, setOutcome] = useState<RowOutcome>(() => OUTCOMES.find((name) => line[name] > 0) ?? "created");
  const changes = line.created + line.updated;
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("office/report")}>
      <div role="status" data-testid="import-outcome" data-state={line.phase}>
        <p class="font-semibold">
          {t("office/import_done", {
            created: line.created,
            updated: line.updated,
            unchanged: line.unchanged,
            refused: line.refused,
          })}
        </p>
        {checked && <p class="muted">{t("office/import_dry")}</p>}
        {line.notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </div>
      <div class="flex flex-wrap gap-2">
        {checked ? (
          <>
            <button type="button" class="btn btn-primary" disabled={busy || changes === 0} onClick={props.onRun}>
              {t("office/imports/run", { n: changes })}
            </button>
            <button type="button" class="btn btn-outline" disabled={busy} onClick={props.onMap}>
              {t("office/imports/change_mapping")}
            </button>
          </>
        ) : (
          <Link href="/" class="btn btn-primary">
            {t("office/to_list")}
          </Link>
        )}
        {line.refused > 0 && (
          <a class="btn btn-outline" href={`/api/imports/${line.id}/refused`} download>
            {t("office/imports/refused_file")}
          </a>
        )}
      </div>
      {line.refused > 0 && <p class="muted text-sm">{t("office/imports/refused_note")}</p>}
      <Choices
        label={t("office/show_rows")}
        options={OUTCOMES}
        look="segments"
        value={outcome}
        word={(name) => `${t(`office/import_outcome/${name}`)} (${formatCount(line[name])})`}
        onChange={setOutcome}
      />
      <Rows key={`${outcome} ${line.phase}`} id={line.id} outcome={outcome} />
    </section>
  );
}

/** Rows with one outcome, page after page. */
function Rows({ id, outcome }: { id: string; outcome: RowOutcome }): JSX.Element | null {
  const [page, setPage] = useState<ImportRows | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = (before: ImportRows | null): void =>
    void api.importRows(id, outcome, before?.next ?? undefined).then(
      (next) => setPage(before ? { ...next, rows: [...before.rows, ...next.rows] } : next),
      (cause: unknown) => setError(explain(cause)),
    );
  useEffect(() => load(null), []);
  if (error) return <Alert tone="error">{error}</Alert>;
  if (!page || page.rows.length === 0) return null;
  return (
    <>
      <div class="overflow-x-auto" role="group" aria-label={t("office/report")} tabIndex={0}>
        <table class="table-sm [&_th]:text-base-content table">
          <thead>
            <tr>
              <th scope="col">{t("office/row")}</th>
              <th scope="col">{t("office/case_no")}</th>
              <th scope="col">{t("office/field")}</th>
              <th scope="col">{t("office/why")}</th>
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row) => (
              <tr key={row.row} data-testid="import-row" data-outcome={row.outcome}>
                <td class="tabular-nums">
                  {row.row}
                  <div class="muted text-xs">{t("office/sheet_row", { n: row.sheet_row })}</div>
                </td>
                <td class="tabular-nums">{row.case_no}</td>
                <td>{[...(row.field ? [row.field] : []), ...(row.changed ?? [])].map(importField).join(", ")}</td>
                <td>{lang.value === "zh-CN" ? (row.reason_zh ?? row.reason) : row.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {page.next !== null && (
        <button type="button" class="btn btn-outline self-center" onClick={() => load(page)}>
          {t("office/more")}
        </button>
      )}
    </>
  );
}
