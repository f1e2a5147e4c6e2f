/** One record in the list. All rows have the same height. */
import {
  CircleCheck,
  CloudAlert,
  CloudCheck,
  CloudUpload,
  OctagonAlert,
  Paperclip,
  PencilLine,
  Smartphone,
  Undo2,
} from "lucide-preact";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { navigate } from "wouter-preact/use-browser-location";
import type { ListRow, RecordState } from "../core/api";
import { lang, t, word } from "../i18n";
import { missingFiles } from "./missingFiles";
import { practising } from "./practiceMode";
import { date } from "./state";
import { formatCount, formatMoney, formatShortDate, formatShortWindow, formatTime } from "../ui/format";

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
  const today = date.value;
  const files = missingFiles.value.get(row.id) ?? 0;
  // An unchanged row object is not rendered again: one edit must not render thousands of rows.
  return useMemo(
    () => <Row row={row} showTimes={showTimes} today={today} files={files} />,
    [row, showTimes, language, today, files],
  );
}

interface RowProps {
  row: ListRow;
  showTimes: boolean;
  today: string;
  /** Attachments that the office does not have. */
  files: number;
}

function Row({ row, showTimes, today, files }: RowProps): JSX.Element {
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
        <span
          class={`flex items-center justify-between gap-x-2 text-xs ${row.state === "at_office" ? "" : "flex-wrap"}`}
        >
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
            <DateBadges row={row} today={today} />
            {row.has_draft ? (
              <span class="pill bg-base-200 shrink-0">
                <PencilLine class="size-3.5" aria-hidden="true" />
                {t("form/draft")}
              </span>
            ) : (
              <span class="truncate">{nextText(row, showTimes, today)}</span>
            )}
          </span>
          {files > 0 && (
            <span
              data-badge="files"
              class="pill text-accent shrink-0 px-0"
              title={t("list/files_missing", { n: files })}
            >
              <Paperclip class="size-4" aria-hidden="true" />
              <span aria-hidden="true">{formatCount(files)}</span>
              <span class="sr-only">{t("list/files_missing", { n: files })}</span>
            </span>
          )}
          <span class={`pill shrink-0 ${tone} ${tone.includes("px") ? "" : "px-0"}`}>
            <Icon class="size-4" aria-hidden="true" />
            {/* Most records are at the office: the icon is enough. */}
            <span class={row.state === "at_office" ? "sr-only" : ""}>
              {practising && row.state === "at_office" ? t("practice/row") : word("state", row.state)}
            </span>
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

/** What is overdue or promised. Dates `YYYY-MM-DD` compare as text. */
function DateBadges({ row, today }: { row: ListRow; today: string }): JSX.Element | null {
  if (row.work === "done") return null;
  const { promise } = row;
  const isOverdue = row.due_by !== "" && row.due_by < today && row.work !== "follow_up";
  return (
    <>
      {isOverdue && (
        <span data-badge="overdue" class="pill bg-warning text-warning-content shrink-0">
          {t("list/overdue_badge", { date: formatShortDate(row.due_by) })}
        </span>
      )}
      {promise && (
        <span
          data-badge="promise"
          class={`pill shrink-0 ${promise.due_date < today ? "bg-warning text-warning-content" : "bg-base-200"}`}
        >
          {promise.due_date === today
            ? t("list/promise_today")
            : t(promise.due_date < today ? "list/promise_missed" : "list/promise_badge", {
                date: formatShortDate(promise.due_date),
              })}
        </span>
      )}
    </>
  );
}

/** What has to be done next, with its date; the outcome of a visit that is over. */
export function nextText(row: ListRow, showTimes: boolean, today: string): string {
  const outcome = row.disposition ? word("disposition", row.disposition) : word("stage", row.stage);
  if (row.work === "done") return outcome;
  const text = t(`work/${row.work}`);
  const when =
    row.work === "visit" && row.stage === "on_site"
      ? word("stage", "on_site")
      : row.work === "visit" && !showTimes && row.starts_at !== null
        ? formatShortWindow(row.starts_at, row.ends_at)
        : row.work === "finish"
          ? outcome
          : (row.work === "contact" || row.work === "arrange") && row.due_by >= today
            ? t("list/visit_by", { date: formatShortDate(row.due_by) })
            : "";
  return when === "" ? text : `${text} · ${when}`;
}
