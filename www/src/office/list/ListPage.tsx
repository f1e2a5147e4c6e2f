/** The list of records with its queues. Queue, filters and order are part of the address. */
import { Keyboard, RefreshCw } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { t } from "../../i18n";
import { Alert } from "../../ui/components";
import { formatCount } from "../../ui/format";
import type { OfficeRow } from "../api";
import { Empty, isNarrow, PageTitle } from "../layout";
import { QuarantineUsageAlert, useUsage } from "../QuarantineUsageAlert";
import { FactFilters } from "../FactFilters";
import { lastSearch, mayWrite, loadCollectors } from "../state";
import { AcceptDialog, HoldsDialog } from "./BulkActions";
import { BulkDialog } from "./BulkDialog";
import { ColumnMenu } from "./ColumnMenu";
import { toTsv } from "./copy";
import { Chips, Exports, Filters, Search } from "./FilterBar";
import { Grid } from "./Grid";
import { directionOf, isNarrowed, officeQuery, queueOf, sortedBy, sortOf, withFilter, withoutFilters } from "./query";
import { useSelection } from "./selection";
import { ShortcutSheet } from "./ShortcutSheet";
import { SavedViewsMenu } from "./SavedViews";
import { QueueSelect, Sidebar } from "./Sidebar";
import { SidePanel } from "./SidePanel";
import { MAX_SELECTED, useRows } from "./useRows";
import { useShortcuts } from "./useShortcuts";
import { VisitCards } from "./VisitCards";

/** What can be done to the chosen records. */
const BULK = [
  ["bulk", "office/bulk/assign"],
  ["holds", "office/bulk/holds"],
  ["accept", "office/bulk/accept"],
] as const;

export function ListPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const filters = new URLSearchParams(search);
  const queue = queueOf(filters);
  const query = officeQuery(search).toString();
  const list = useRows(query);
  const { rows } = list;
  const selection = useSelection(rows);
  const [panel, setPanel] = useState<string | null>(null);
  const [dialog, setDialog] = useState<"keys" | "bulk" | "holds" | "accept" | null>(null);
  const [notice, setNotice] = useState("");
  const { usage } = useUsage();

  useEffect(() => void loadCollectors(), []);
  useEffect(() => {
    lastSearch.value = search;
    selection.clear();
    setPanel(null);
    setNotice("");
  }, [query]);
  const change = (query: string): void => go(query ? `/?${query}` : "/", { replace: true });
  const filter = {
    search,
    onChange: (key: string, value: string) => change(withFilter(search, key, value)),
    onClear: () => change(withoutFilters(search)),
  };
  const chosen = rows.filter((row) => selection.chosen.has(row.id));

  const selectAll = async (): Promise<void> => {
    const all = await list.loadAll();
    if (!all) return;
    selection.choose(all.map((row) => row.id));
    const left = all.length >= MAX_SELECTED && (list.more || list.total > all.length);
    setNotice(left ? t("office/selected_most", { n: formatCount(all.length) }) : "");
  };
  const copy = async (): Promise<void> => {
    const copied: OfficeRow[] = chosen.length > 0 ? chosen : rows;
    try {
      await navigator.clipboard.writeText(toTsv(copied));
      setNotice(t("office/copied", { n: copied.length }));
    } catch {
      setNotice(t("office/copy_failed"));
    }
  };
  const step = (by: number, extend = false): void => {
    const at = rows.findIndex((row) => row.id === selection.cursor);
    const to = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (!to) return;
    selection.move(to.id, extend);
    // The panel follows the cursor.
    if (panel) setPanel(to.id);
  };
  useShortcuts({
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    PageDown: () => step(15),
    PageUp: () => step(-15),
    Home: () => step(-rows.length),
    End: () => step(rows.length),
    "Shift+ArrowDown": () => step(1, true),
    "Shift+ArrowUp": () => step(-1, true),
    x: () => selection.cursor && selection.toggle(selection.cursor),
    "Mod+a": () => void selectAll(),
    "Mod+c": () => {
      // Text that the user marked is copied as usual.
      const marked = getSelection()?.toString();
      if (marked) void navigator.clipboard.writeText(marked);
      else void copy();
    },
    Enter: () => setPanel(selection.cursor),
    o: () => selection.cursor && go(`/visits/${selection.cursor}`),
    Escape: () => (panel ? setPanel(null) : selection.clear()),
    "/": () => document.getElementById("list-search")?.focus(),
    a: () => mayWrite() && chosen.length > 0 && setDialog("bulk"),
    r: list.reload,
    "?": () => setDialog("keys"),
  });

  return (
    <div class="flex h-full min-h-0 gap-4">
      <Sidebar queue={queue} search={search} />
      <div class="relative flex min-h-0 min-w-0 grow flex-col gap-2">
        <div class="flex items-center gap-3">
          <PageTitle small>{queue ? t(`office/queue/${queue}`) : t("office/visits")}</PageTitle>
          <p class="muted text-sm" role="status" data-testid="list-total">
            {list.error || (list.loading && rows.length === 0)
              ? t("app/loading")
              : totalText(list.total, list.maxTotal)}
          </p>
          {notice && (
            <p role="status" class="truncate text-sm">
              {notice}
            </p>
          )}
          {list.waiting > 0 && (
            <button
              type="button"
              class="btn btn-sm btn-primary bar-control rounded-full"
              data-testid="list-waiting"
              onClick={list.reload}
            >
              {t("office/waiting", { n: list.waiting })}
            </button>
          )}
          <span class="grow" />
          <button
            type="button"
            class="btn btn-ghost btn-sm btn-square bar-control"
            aria-label={t("office/refresh")}
            disabled={list.loading}
            onClick={list.reload}
          >
            <RefreshCw class="size-4" aria-hidden="true" />
          </button>
          <button
            type="button"
            class="btn btn-ghost btn-sm btn-square bar-control max-md:hidden"
            aria-label={t("office/keys")}
            aria-haspopup="dialog"
            onClick={() => setDialog("keys")}
          >
            <Keyboard class="size-4" aria-hidden="true" />
          </button>
        </div>
        <QuarantineUsageAlert usage={usage} />
        <div class="flex flex-wrap items-center gap-2" role="search" aria-label={t("list/filter")}>
          <QueueSelect queue={queue} />
          <SavedViewsMenu search={search} />
          <Search value={filters.get("q") ?? ""} onChange={(text) => filter.onChange("q", text)} />
          <Filters {...filter} />
          {!isNarrow.value && <ColumnMenu />}
          <Exports search={search} />
        </div>
        <Chips {...filter} />
        <FactFilters
          search={search}
          onRemove={(keys) => change(keys.reduce((rest, key) => withFilter(rest, key, ""), search))}
        />
        {list.error && <Alert tone="error">{list.error}</Alert>}
        {rows.length > 0 ? (
          <div class="flex min-h-0 grow gap-2">
            {isNarrow.value ? (
              <Narrow rows={rows} more={list.more} loading={list.loading} onMore={list.loadMore} />
            ) : (
              <Grid
                rows={rows}
                total={list.total}
                gone={list.gone}
                sort={sortOf(filters)}
                dir={directionOf(filters)}
                selection={selection}
                onSort={(sort) => change(sortedBy(search, sort))}
                onOpen={setPanel}
                onEnd={list.loadMore}
              />
            )}
            {panel && <SidePanel id={panel} onClose={() => setPanel(null)} />}
          </div>
        ) : (
          !list.loading && !list.error && <EmptyList narrowed={isNarrowed(filters)} />
        )}
        {chosen.length > 0 && (
          <div
            class="bg-base-100 border-primary rounded-box absolute bottom-4 left-1/2 z-10 flex w-max max-w-[calc(100%-2rem)] -translate-x-1/2 flex-wrap items-center gap-2 border px-3 py-1.5 text-sm shadow-xl"
            data-testid="selection"
            data-count={chosen.length}
          >
            <span class="font-medium" role="status">
              {t("office/selected", { n: chosen.length })}
            </span>
            {chosen.length < list.total && (
              <button type="button" class="btn btn-ghost btn-sm bar-control" onClick={() => void selectAll()}>
                {t("office/select_all", { n: totalText(list.total, list.maxTotal) })}
              </button>
            )}
            {mayWrite() &&
              BULK.map(([name, label]) => (
                <button
                  key={name}
                  type="button"
                  class={`btn btn-sm bar-control ${name === "bulk" ? "btn-primary" : "btn-outline"}`}
                  aria-haspopup="dialog"
                  onClick={() => setDialog(name)}
                >
                  {t(label)}
                </button>
              ))}
            <button type="button" class="btn btn-outline btn-sm bar-control" onClick={() => void copy()}>
              {t("office/copy")}
            </button>
            <button type="button" class="btn btn-ghost btn-sm bar-control" onClick={selection.clear}>
              {t("office/select_none")}
            </button>
          </div>
        )}
      </div>
      {dialog === "keys" && <ShortcutSheet onClose={() => setDialog(null)} />}
      {dialog === "bulk" && <BulkDialog rows={chosen} onClose={() => setDialog(null)} />}
      {dialog === "holds" && <HoldsDialog rows={chosen} onClose={() => setDialog(null)} />}
      {dialog === "accept" && <AcceptDialog rows={chosen} onClose={() => setDialog(null)} />}
    </div>
  );
}

/** A bounded number of records. */
const totalText = (total: number, max: number): string =>
  total < max ? t("office/total", { n: total }) : t("office/total_more", { n: formatCount(max) });

function Narrow(props: { rows: OfficeRow[]; more: boolean; loading: boolean; onMore: () => void }): JSX.Element {
  return (
    <div class="flex min-w-0 grow flex-col gap-3">
      <VisitCards rows={props.rows} />
      {props.more && (
        <button type="button" class="btn btn-outline self-center" disabled={props.loading} onClick={props.onMore}>
          {props.loading ? t("app/loading") : t("office/more")}
        </button>
      )}
    </div>
  );
}

function EmptyList({ narrowed }: { narrowed: boolean }): JSX.Element {
  if (narrowed) return <Empty title={t("office/empty")}>{t("office/empty_filters")}</Empty>;
  return (
    <Empty title={t("office/empty_all")}>
      {mayWrite() && (
        <Link href="/import" class="btn btn-primary">
          {t("office/import")}
        </Link>
      )}
    </Empty>
  );
}
