/** The rows of the list as cards, on narrow screens. */
import type { ComponentChildren, JSX } from "preact";
import { Link } from "wouter-preact";
import { t, word } from "../../i18n";
import { formatDate, formatMoney, formatWindow } from "../../ui/format";
import type { OfficeRow } from "../api";
import { isOverdue } from "./Grid";

export function VisitCards({ rows }: { rows: OfficeRow[] }): JSX.Element {
  return (
    <ul class="flex flex-col gap-2" data-testid="visit-list" aria-label={t("office/visits")}>
      {rows.map((row) => (
        <li key={row.id} data-testid="visit-row" data-id={row.id} class="card-plain list-row-slot flex flex-col gap-1">
          <div class="flex justify-between gap-3">
            <span class="font-medium">{row.borrower_name}</span>
            <span class="whitespace-nowrap tabular-nums">{formatMoney(row.overdue, row.currency)}</span>
          </div>
          <CaseLink row={row} />
          <Badges row={row} />
          <dl class="grid grid-cols-[auto_1fr] gap-x-3 text-sm">
            <Line name={t("office/stage")}>
              {word("stage", row.stage)} <Review row={row} />
            </Line>
            <Line name={t("office/collector")}>
              <Collectors row={row} />
            </Line>
            {row.due_by && (
              <Line name={t("office/due_by")}>
                <DueBy row={row} />
              </Line>
            )}
            {row.starts_at !== null && (
              <Line name={t("office/appointment")}>
                <Appointment row={row} />
              </Line>
            )}
            {row.disposition && <Line name={t("office/outcome")}>{word("disposition", row.disposition)}</Line>}
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Line({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <dt class="muted">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function CaseLink({ row }: { row: OfficeRow }): JSX.Element {
  return (
    <Link href={`/visits/${row.id}`} class="link inline-flex min-h-6 items-center">
      {row.case_no}
    </Link>
  );
}

function Badges({ row }: { row: OfficeRow }): JSX.Element | null {
  if (row.holds.length === 0 && row.conflicts === 0 && row.priority !== 1) return null;
  return (
    <div class="flex flex-wrap gap-1 pt-0.5 text-xs">
      {row.priority === 1 && <span class="border-base-content rounded-full border px-2">{word("priority", "1")}</span>}
      {row.holds.map((hold) => (
        <span key={hold} class="bg-error text-error-content rounded-full px-2">
          {word("flag", hold)}
        </span>
      ))}
      {row.conflicts > 0 && (
        <span class="border-error text-error rounded-full border px-2">{t("list/conflict_badge")}</span>
      )}
    </div>
  );
}

function Review({ row }: { row: OfficeRow }): JSX.Element | null {
  if (row.review_status === "pending") return null;
  const tone = row.review_status === "returned" ? "bg-warning text-warning-content" : "border-base-300 border";
  return <span class={`inline-block rounded-full px-2 text-xs ${tone}`}>{word("review", row.review_status)}</span>;
}

function Collectors({ row }: { row: OfficeRow }): JSX.Element {
  if (row.collectors.length === 0) return <span class="muted">{t("office/unassigned")}</span>;
  return <>{row.collectors.join(", ")}</>;
}

function DueBy({ row }: { row: OfficeRow }): JSX.Element | null {
  if (!row.due_by) return null;
  return (
    <>
      {formatDate(row.due_by)}
      {isOverdue(row) && <div class="text-error text-xs">{t("office/overdue_visit")}</div>}
    </>
  );
}

function Appointment({ row }: { row: OfficeRow }): JSX.Element | null {
  if (row.starts_at === null) return null;
  return (
    <>
      {formatWindow(row.starts_at, row.ends_at)}
      {row.appointment_status && <div class="muted text-xs">{word("appointment", row.appointment_status)}</div>}
    </>
  );
}
