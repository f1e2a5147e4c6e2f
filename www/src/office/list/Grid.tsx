/**
 * The list as a table that works like a spreadsheet: dense rows, of which only those in view are
 * rendered, columns that can be sorted and resized, and a cursor for the keyboard.
 */
import { ArrowDown, ArrowUp } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t, word } from "../../i18n";
import { formatDate, today } from "../../ui/format";
import type { OfficeRow } from "../api";
import { marks, resize, shownColumns, widthOf, type Column } from "./columns";
import type { Direction, Sort } from "./query";
import type { Selection } from "./selection";

/** Height of a row in pixels. */
const ROW = 40;
const HEAD = 36;
/** Rows rendered beyond the edges, so that scrolling shows no gaps. */
const OVERSCAN = 12;
/** Rows before the end at which the next page is loaded. */
const AHEAD = 60;
/** Width of the column with the check boxes. */
const CHECK = 40;

interface Props {
  rows: OfficeRow[];
  /** Rows on all pages. */
  total: number;
  gone: ReadonlySet<string>;
  sort: Sort;
  dir: Direction;
  selection: Selection;
  onSort: (sort: Sort) => void;
  onOpen: (id: string) => void;
  onEnd: () => void;
}

export function Grid(props: Props): JSX.Element {
  const { rows, selection } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const columns = shownColumns();
  const first = Math.max(0, Math.floor(view.top / ROW) - OVERSCAN);
  const end = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + OVERSCAN);
  const template = `${CHECK}px ${columns.map((column) => `${widthOf(column)}px`).join(" ")} 1fr`;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (end >= rows.length - AHEAD) props.onEnd();
  }, [end, rows.length]);
  // Keeps the row with the cursor in view.
  useEffect(() => {
    const at = rows.findIndex((row) => row.id === selection.cursor);
    const element = scroller.current;
    if (at < 0 || !element) return;
    const [top, room] = [at * ROW, element.clientHeight - HEAD];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + room) element.scrollTop = top + ROW - room;
  }, [selection.cursor]);

  const all = rows.length > 0 && rows.every((row) => selection.chosen.has(row.id));
  return (
    <div
      ref={scroller}
      role="grid"
      id="visit-grid"
      tabIndex={0}
      class="bg-base-100 border-base-300 rounded-box min-h-40 min-w-0 grow overflow-auto border text-sm"
      aria-label={t("office/visits")}
      aria-rowcount={props.total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={selection.cursor ? `row-${selection.cursor}` : undefined}
      data-testid="visit-list"
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <div
        role="row"
        aria-rowindex={1}
        class="bg-base-200 border-base-300 sticky top-0 z-10 grid min-w-full border-b text-xs font-semibold"
        style={{ gridTemplateColumns: template, height: `${HEAD}px`, width: "max-content" }}
      >
        <div role="columnheader" class="flex items-center justify-center">
          <input
            type="checkbox"
            class="checkbox checkbox-xs min-h-0 rounded"
            aria-label={t("office/select_loaded")}
            checked={all}
            onChange={() => (all ? selection.clear() : selection.choose(rows.map((row) => row.id)))}
          />
        </div>
        {columns.map((column) => (
          <Head key={column.key} column={column} {...props} />
        ))}
      </div>
      <div role="rowgroup" style={{ height: `${rows.length * ROW}px`, position: "relative" }}>
        {rows.slice(first, end).map((row, offset) => (
          <Line
            key={row.id}
            row={row}
            at={first + offset}
            template={template}
            columns={columns}
            chosen={selection.chosen.has(row.id)}
            cursor={selection.cursor === row.id}
            gone={props.gone.has(row.id)}
            selection={selection}
            onOpen={props.onOpen}
          />
        ))}
      </div>
    </div>
  );
}

function Head({ column, sort, dir, onSort }: Props & { column: Column }): JSX.Element {
  const sorted = column.sort !== undefined && column.sort === sort;
  const title = t(column.title);
  return (
    <div
      role="columnheader"
      class={`relative flex min-w-0 items-center ${column.end ? "justify-end" : ""}`}
      aria-sort={sorted ? (dir === "asc" ? "ascending" : "descending") : undefined}
    >
      {column.sort ? (
        <button
          type="button"
          class="hover:bg-base-300 flex h-full min-w-0 items-center gap-1 px-2"
          onClick={() => column.sort && onSort(column.sort)}
        >
          <span class="truncate">{title}</span>
          {sorted && (dir === "asc" ? <ArrowUp class="size-3.5" /> : <ArrowDown class="size-3.5" />)}
        </button>
      ) : (
        <span class="truncate px-2">{title}</span>
      )}
      <Handle column={column} />
    </div>
  );
}

/** The edge of a column, to drag. The menu of columns does the same for keyboards. */
function Handle({ column }: { column: Column }): JSX.Element {
  const width = widthOf(column);
  return (
    <span
      aria-hidden="true"
      data-resize={column.key}
      class="hover:bg-primary absolute top-1 right-0 bottom-1 w-1.5 cursor-col-resize rounded"
      onPointerDown={(event) => {
        event.preventDefault();
        const from = event.clientX;
        const element = event.currentTarget;
        element.setPointerCapture(event.pointerId);
        element.onpointermove = (move) => resize(column, width + move.clientX - from);
        element.onpointerup = () => (element.onpointermove = null);
      }}
    />
  );
}

function Line(props: {
  row: OfficeRow;
  at: number;
  template: string;
  columns: Column[];
  chosen: boolean;
  cursor: boolean;
  gone: boolean;
  selection: Selection;
  onOpen: (id: string) => void;
}): JSX.Element {
  const { row, chosen, cursor, selection } = props;
  const tone = chosen ? "bg-primary/12" : "hover:bg-base-200";
  return (
    <div
      role="row"
      id={`row-${row.id}`}
      aria-rowindex={props.at + 2}
      aria-selected={chosen}
      data-testid="visit-row"
      data-id={row.id}
      data-gone={props.gone || undefined}
      class={`border-base-300 absolute grid min-w-full cursor-default items-center border-b ${tone} ${
        cursor ? "cursor-row" : ""
      } ${props.gone ? "line-through opacity-60" : ""}`}
      style={{
        gridTemplateColumns: props.template,
        height: `${ROW}px`,
        top: `${props.at * ROW}px`,
        width: "max-content",
      }}
      onClick={(event) => {
        if (event.shiftKey || event.ctrlKey || event.metaKey) {
          getSelection()?.removeAllRanges();
          if (event.shiftKey) selection.move(row.id, true);
          else selection.toggle(row.id);
        } else {
          selection.move(row.id);
          props.onOpen(row.id);
        }
      }}
    >
      <div role="gridcell" class="flex justify-center" onClick={(event) => event.stopPropagation()}>
        <input
          type="checkbox"
          tabIndex={-1}
          class="checkbox checkbox-xs min-h-0 rounded"
          aria-label={t("office/select_row", { name: row.borrower_name || row.case_no })}
          checked={chosen}
          onClick={(event) => {
            if (event.shiftKey) selection.move(row.id, true);
            else selection.toggle(row.id);
          }}
        />
      </div>
      {props.columns.map((column) => (
        <div
          key={column.key}
          role="gridcell"
          class={`min-w-0 truncate px-2 ${column.end ? "text-right tabular-nums" : ""}`}
        >
          <Cell column={column} row={row} />
        </div>
      ))}
    </div>
  );
}

function Cell({ column, row }: { column: Column; row: OfficeRow }): JSX.Element {
  switch (column.key) {
    case "case_no":
      return (
        <Link href={`/visits/${row.id}`} tabIndex={-1} class="link" onClick={(event: Event) => event.stopPropagation()}>
          {row.case_no}
        </Link>
      );
    case "borrower":
      return <span class="font-medium">{row.borrower_name}</span>;
    case "collectors":
      return row.collectors.length > 0 ? (
        <>{row.collectors.join(", ")}</>
      ) : (
        <span class="muted">{t("office/unassigned")}</span>
      );
    case "due_by":
      return (
        <span class={isOverdue(row) ? "text-error font-semibold" : ""}>{row.due_by && formatDate(row.due_by)}</span>
      );
    case "stage":
      return (
        <>
          {word("stage", row.stage)}
          {row.review_status === "returned" && (
            <span class="bg-warning text-warning-content ml-1 rounded-full px-1.5 text-xs">
              {word("review", row.review_status)}
            </span>
          )}
        </>
      );
    case "marks":
      return (
        <span class="flex gap-1 overflow-hidden text-xs">
          {marks(row).map((mark) => (
            <span key={mark} class="border-base-content/40 shrink-0 rounded-full border px-1.5">
              {mark}
            </span>
          ))}
        </span>
      );
    default:
      return <>{column.text(row)}</>;
  }
}

/** Should have been visited before today. */
export const isOverdue = (row: OfficeRow): boolean =>
  row.due_by !== "" && row.due_by < today() && ["assigned", "contacted", "scheduled"].includes(row.stage);
