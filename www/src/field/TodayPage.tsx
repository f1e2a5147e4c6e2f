/** The first page: all records in the order of the day, with search and filters. */
import { signal } from "@preact/signals";
import {
  CalendarCheck2,
  CornerDownRight,
  History,
  LifeBuoy,
  Map as MapIcon,
  Search,
  SearchX,
  Settings,
  WifiOff,
} from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ListRow } from "../core/api";
import { t } from "../i18n";
import { formatDay } from "../ui/format";
import { GROUPINGS, search, type Grouping } from "./listSections";
import { EmptyState } from "./EmptyState";
import { InstallCard } from "./InstallCard";
import { takeResumeTarget, usePagePosition } from "./pagePosition";
import { practising } from "./practiceMode";
import { SignInForm } from "./SignIn";
import { clock, expired, grouping, listSections, me, rows, setGrouping } from "./state";
import { SyncChip } from "./SyncStatus";
import { supportRequest } from "./supportRequest";
import { offlineReady } from "./updates";
import { VisitRows } from "./VisitRows";

type Filter = "all" | "conflicts" | "unsent";

/** Kept while a record is open, so that the list is the same on return. */
const query = signal("");
const filter = signal<Filter>("all");

export function TodayPage(): JSX.Element {
  const all = rows.value ?? [];
  const text = query.value;
  const shownFilter = filter.value;
  const sorted = listSections.value;
  const sections = useMemo(() => search(sorted, text, (row) => passes(row, shownFilter)), [sorted, shownFilter, text]);
  usePagePosition(true, () => 0, "h1");
  useEffect(() => void (document.title = `${t("list/title")} – ${t("app/name")}`));
  return (
    <div class="mx-auto max-w-xl">
      <ListHeader all={all} />
      <main class="flex flex-col gap-5 px-4 pt-1 pb-24">
        {expired.value && (
          <div class="card-plain flex flex-col gap-3">
            <p>{t("sign_in/again")}</p>
            <SignInForm name={me.value} onDone={() => undefined} />
          </div>
        )}
        <SupportLink />
        <ResumeLink all={all} />
        {!practising && all.length > 0 && <InstallCard />}
        {all.length > 0 && (
          <Link href="/plan" data-control="day-plan" class="btn btn-tonal gap-2">
            <MapIcon class="size-5" aria-hidden="true" />
            {t("plan_day/title")}
          </Link>
        )}
        {all.length > 0 && <GroupingControl />}
        <div data-testid="visit-list" class="flex flex-col gap-5">
          {sections.map(({ key, title, name, rows: list, byTime }) => (
            <section key={key} data-section={key} aria-label={title ? t(title) : name}>
              <h2 class="muted flex justify-between px-1 pb-2 text-sm font-semibold">
                <span>{title ? t(title) : name}</span>
                <span class="tabular-nums">{list.length}</span>
              </h2>
              <VisitRows rows={list} showTimes={byTime} />
            </section>
          ))}
        </div>
        {sections.length === 0 && <EmptyList noRecords={all.length === 0} />}
        {!practising && (
          <Link href="/past" data-control="past-work" class="btn btn-quiet gap-2 self-center rounded-full px-5">
            <History class="size-5" aria-hidden="true" />
            {t("past/title")}
          </Link>
        )}
        {offlineReady.value && !practising && (
          <p class="muted flex items-center justify-center gap-2 text-sm">
            <WifiOff class="size-4 shrink-0" aria-hidden="true" />
            {t("app/offline_ready")}
          </p>
        )}
      </main>
    </div>
  );
}

function ListHeader({ all }: { all: ListRow[] }): JSX.Element {
  const conflicts = all.filter((row) => row.conflicts > 0).length;
  const unsent = all.filter((row) => row.unsent > 0).length;
  const filters: [Filter, string][] = [["all", t("list/all")]];
  if (conflicts > 0 || filter.value === "conflicts") filters.push(["conflicts", t("list/conflicts", { n: conflicts })]);
  if (unsent > 0 || filter.value === "unsent") filters.push(["unsent", t("list/unsent", { n: unsent })]);
  return (
    <header class="bg-base-200/95 sticky top-(--banner) z-10 flex flex-col gap-3 px-4 pt-[max(0.75rem,env(safe-area-inset-top))] pb-3 backdrop-blur">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <div>
          <h1 tabIndex={-1} class="text-2xl leading-tight font-bold">
            {t("list/title")}
          </h1>
          <p class="muted text-sm">{formatDay(clock.value)}</p>
        </div>
        <div class="ml-auto flex min-w-0 items-center gap-1">
          <SyncChip />
          <Link
            href="/settings"
            data-control="settings"
            class="btn btn-ghost btn-square relative shrink-0"
            aria-label={t(supportRequest.value ? "support/settings" : "settings/title")}
          >
            <Settings class="size-6" aria-hidden="true" />
            {supportRequest.value && (
              <span class="bg-warning absolute top-1.5 right-1.5 size-2.5 rounded-full" aria-hidden="true" />
            )}
          </Link>
        </div>
      </div>
      <label class="input w-full rounded-full">
        <Search class="size-[1.125rem] shrink-0 opacity-70" aria-hidden="true" />
        <input
          type="search"
          data-control="search"
          aria-label={t("list/search")}
          placeholder={t("list/search")}
          enterkeyhint="search"
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
      </label>
      {filters.length > 1 && (
        <div class="-mx-4 flex gap-2 overflow-x-auto px-4 py-0.5" role="group" aria-label={t("list/filter")}>
          {filters.map(([kind, label]) => (
            <button
              key={kind}
              type="button"
              aria-pressed={filter.value === kind}
              class={`btn rounded-full px-4 ${filter.value === kind ? "btn-primary" : "btn-quiet"}`}
              onClick={() => (filter.value = kind)}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </header>
  );
}

function GroupingControl(): JSX.Element {
  return (
    <div role="group" aria-label={t("list/group")} class="segments bg-base-300/60 flex-nowrap">
      {GROUPINGS.map((kind: Grouping) => (
        <button
          key={kind}
          type="button"
          data-control={`group-${kind}`}
          aria-pressed={grouping.value === kind}
          class={`segment min-w-0 basis-0 px-1 whitespace-normal ${grouping.value === kind ? "bg-base-100 font-semibold" : ""}`}
          onClick={() => setGrouping(kind)}
        >
          {t(`list/group_${kind}`)}
        </button>
      ))}
    </div>
  );
}

/** The office asks for a support bundle. Not while the list is shown: rows would move under the user's thumb. */
function SupportLink(): JSX.Element | null {
  const [shownAtStart] = useState(supportRequest.value !== null);
  if (!shownAtStart || !supportRequest.value) return null;
  return (
    <Link href="/settings" data-control="support-request" class="btn btn-tonal gap-2">
      <LifeBuoy class="size-5" aria-hidden="true" />
      {t("support/review")}
    </Link>
  );
}

/** A link to the record that was open when the app ended. */
function ResumeLink({ all }: { all: ListRow[] }): JSX.Element | null {
  const target = useMemo(takeResumeTarget, []);
  const row = target && all.find(({ id }) => id === target.id);
  if (!target || !row) return null;
  return (
    <Link href={target.href} class="btn btn-tonal h-auto justify-start gap-2 py-2.5 text-left">
      <CornerDownRight class="size-5 shrink-0" aria-hidden="true" />
      {t("list/continue", { name: row.borrower_name || row.case_no })}
    </Link>
  );
}

function EmptyList({ noRecords }: { noRecords: boolean }): JSX.Element {
  const Icon = noRecords ? CalendarCheck2 : SearchX;
  return (
    <EmptyState Icon={Icon} title={noRecords ? t("list/empty") : t("list/nothing", { q: query.value.trim() })}>
      {noRecords ? (
        <p class="muted max-w-xs">{t("list/empty_text")}</p>
      ) : (
        <button
          type="button"
          class="btn btn-quiet"
          onClick={() => {
            query.value = "";
            filter.value = "all";
          }}
        >
          {t("list/show_all")}
        </button>
      )}
    </EmptyState>
  );
}

function passes(row: ListRow, shownFilter: Filter): boolean {
  return shownFilter === "all" || (shownFilter === "conflicts" ? row.conflicts > 0 : row.unsent > 0);
}
