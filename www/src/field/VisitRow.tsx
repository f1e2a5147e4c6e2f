/** One record in the list. All rows have the same height. */
import {
  CircleCheck,
  CloudAlert,
  CloudCheck,
  CloudUpload,
  OctagonAlert,
  PencilLine,
  Smartphone,
  Undo2,
} from "lucide-preact";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { navigate } from "wouter-preact/use-browser-location";
import type { ListRow, RecordState } from "../core/api";
import { lang, t, word } from "../i18n";
import { practising } from "./practiceMode";
import { formatMoney, formatShortDate, formatShortWindow, formatTime } from "../ui/format";

const STATE: Record<RecordState, { tone: string; Icon: typeof CloudCheck }> = {
  on_phone: { tone: "text-accent", Icon: Smartphone },
  sending: { tone: "text-info", Icon: CloudUpload },
  at_office: { tone: "muted", Icon: CloudCheck },
  returned: { tone: "bg-warning text-warning-content px-2", Icon: Undo2 },
  accepted: { tone: "text-success", Icon: CircleCheck },
  attention: { tone: "bg-error text-error-content px-2", Icon: CloudAlert },
};

export function VisitRow({ row, showTimes }: { row: ListRow; showTimes: boolean }): JSX.Element {
  const language = lang.value;
  // An unchanged row object is not rendered again: one edit must not render thousands of rows.
  return useMemo(() => <Row row={row} showTimes={showTimes} />, [row, showTimes, language]);
}

function Row({ row, showTimes }: { row: ListRow; showTimes: boolean }): JSX.Element {
  const { tone, Icon } = STATE[row.state];
  return (
    <a
      href={`/visit/${row.id}`}
      onClick={navigateTo}
      data-testid="visit-row"
      data-control={row.id}
      data-id={row.id}
      data-state={row.state}
      class="hover:bg-base-200/60 active:bg-base-200 flex min-h-[6.25rem] items-stretch gap-3 px-4 @max-[14rem]:flex-col @max-[14rem]:gap-1 py-3 no-underline"
    >
      {showTimes && row.starts_at !== null && (
        <span class="border-primary flex min-w-[3.5rem] shrink-0 flex-col justify-center border-r-2 pr-2.5 text-sm whitespace-nowrap tabular-nums @max-[14rem]:flex-row @max-[14rem]:justify-start @max-[14rem]:gap-2 @max-[14rem]:border-r-0">
          <span class="font-semibold">{formatTime(row.starts_at)}</span>
          {row.ends_at !== null && <span class="muted">{formatTime(row.ends_at)}</span>}
        </span>
      )}
      <span class="flex min-w-0 grow flex-col justify-center gap-1">
        <span class="flex flex-wrap items-baseline justify-between gap-x-3">
          <span class="truncate text-[1.0625rem] font-semibold">{row.borrower_name || row.case_no}</span>
          <span class="shrink-0 font-medium tabular-nums">{formatMoney(row.overdue, row.currency || "CNY")}</span>
        </span>
        <span class="muted truncate text-sm">{row.address || row.case_no}</span>
        <span class="flex flex-wrap items-center justify-between gap-x-2 text-xs">
          <span class="flex min-w-0 items-center gap-1.5">
            {row.holds[0] !== undefined && (
              <span class="pill bg-error text-error-content shrink-0">
                <OctagonAlert class="size-3.5" aria-hidden="true" />
                {word("flag", row.holds[0])}
                {row.holds.length > 1 && ` +${row.holds.length - 1}`}
              </span>
            )}
            {row.conflicts > 0 && (
              <span class="pill border-error text-error shrink-0 border">{t("list/conflict_badge")}</span>
            )}
            {row.begun ? (
              <span class="pill bg-base-200 shrink-0">
                <PencilLine class="size-3.5" aria-hidden="true" />
                {t("form/draft")}
              </span>
            ) : (
              <span class="muted truncate">{summary(row, showTimes)}</span>
            )}
          </span>
          <span class={`pill shrink-0 ${tone} ${tone.includes("px") ? "" : "px-0"}`}>
            <Icon class="size-4" aria-hidden="true" />
            {practising && row.state === "at_office" ? t("practice/row") : word("state", row.state)}
          </span>
        </span>
      </span>
    </a>
  );
}

/** The router's link subscribes to every navigation, which is too slow for thousands of rows. */
function navigateTo(event: JSX.TargetedMouseEvent<HTMLAnchorElement>): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  navigate(event.currentTarget.pathname);
}

/** The outcome or stage of the record, or else its next date. */
function summary(row: ListRow, showTimes: boolean): string {
  const stage = row.disposition ? word("disposition", row.disposition) : word("stage", row.stage);
  const visited = row.disposition !== null;
  if (showTimes || visited) return stage;
  if (row.starts_at !== null) return formatShortWindow(row.starts_at, row.ends_at);
  return row.due_by
    ? t("list/visit_by", { date: formatShortDate(row.due_by) })
    : t("list/dpd", { n: row.days_past_due });
}
