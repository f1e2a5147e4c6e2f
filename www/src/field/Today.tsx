/** The first screen: what today asks for, then the rest; search over all of it. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ListRow } from "../core/api";
import { lang, t, word } from "../i18n";
import { formatDate, formatMoney, formatWindow, today, toLocalInput } from "../ui/format";
import { SignInForm } from "./SignIn";
import { expired, rows, session } from "./state";
import { SyncChip } from "./SyncStatus";

type Filter = "all" | "conflicts" | "unsent";

/** Records due within so many days stand before the rest. */
const SOON_DAYS = 3;

export function Today(): JSX.Element {
  const [query, setQuery] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const all = rows.value ?? [];
  const shown = useMemo(() => all.filter((row) => passes(row, filter) && matches(row, query)), [all, filter, query]);
  const sections = useMemo(() => arrange(shown), [shown]);
  const conflicts = all.filter((row) => row.conflicts > 0).length;
  const unsent = all.filter((row) => row.unsent > 0).length;
  const who = session.value?.kind === "ready" ? session.value.user : "";
  return (
    <div class="mx-auto max-w-xl">
      <header class="bg-base-200/95 sticky top-0 z-10 flex flex-col gap-3 px-4 pt-3 pb-2 backdrop-blur">
        <div class="flex items-center justify-between gap-2">
          <div>
            <h1 class="text-2xl font-bold">{t("list/title")}</h1>
            <p class="muted text-sm">{new Intl.DateTimeFormat(lang.value, { dateStyle: "full" }).format(Date.now())}</p>
          </div>
          <SyncChip />
        </div>
        <input
          type="search"
          class="input w-full"
          aria-label={t("list/search")}
          placeholder={t("list/search")}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        {(conflicts > 0 || unsent > 0 || filter !== "all") && (
          <div class="flex gap-2 overflow-x-auto" role="group" aria-label={t("list/filter")}>
            <FilterButton label={t("list/all")} on={filter === "all"} onClick={() => setFilter("all")} />
            <FilterButton
              label={t("list/conflicts", { n: conflicts })}
              on={filter === "conflicts"}
              onClick={() => setFilter("conflicts")}
            />
            <FilterButton
              label={t("list/unsent", { n: unsent })}
              on={filter === "unsent"}
              onClick={() => setFilter("unsent")}
            />
          </div>
        )}
      </header>
      <main class="px-4 pb-24">
        {expired.value && (
          <div class="card-plain my-2 flex flex-col gap-3">
            <p>{t("sign/again")}</p>
            <SignInForm name={who} onDone={() => undefined} />
          </div>
        )}
        <div data-testid="visit-list">
          {sections.map(({ title, rows }) => (
            <section key={title} aria-label={t(title)}>
              <h2 class="muted flex justify-between pt-4 pb-2 text-sm font-semibold">
                <span>{t(title)}</span>
                <span>{rows.length}</span>
              </h2>
              <ul class="flex flex-col gap-2">
                {rows.map((row) => (
                  <li key={row.id} class="list-row-slot">
                    <VisitRow row={row} />
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
        {shown.length === 0 && <Empty query={all.length === 0 ? null : query} />}
      </main>
    </div>
  );
}

function FilterButton(props: { label: string; on: boolean; onClick: () => void }): JSX.Element {
  return (
    <button
      type="button"
      aria-pressed={props.on}
      class={`btn btn-sm min-h-11 ${props.on ? "btn-primary" : "bg-base-100 border-base-300"}`}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

function Empty({ query }: { query: string | null }): JSX.Element {
  return (
    <div class="flex flex-col items-center gap-2 py-16 text-center">
      <p class="text-lg font-semibold">{query === null ? t("list/empty") : t("list/nothing", { q: query })}</p>
      {query === null && <p class="muted max-w-xs">{t("list/empty_text")}</p>}
    </div>
  );
}

const STATE_TONE: Record<ListRow["state"], string> = {
  on_phone: "border-accent text-accent",
  sending: "border-info text-info",
  at_office: "border-base-300 muted",
  returned: "bg-warning text-warning-content border-transparent",
  accepted: "border-success text-success",
  attention: "border-error text-error",
};

function VisitRow({ row }: { row: ListRow }): JSX.Element {
  return (
    <Link
      href={`/visit/${row.id}`}
      data-testid="visit-row"
      data-id={row.id}
      data-state={row.state}
      class="card-plain flex flex-col gap-1.5 p-3.5 no-underline"
    >
      <span class="flex items-baseline justify-between gap-3">
        <span class="text-lg font-semibold">{row.borrower_name || row.case_no}</span>
        <span class="font-medium tabular-nums">{formatMoney(row.overdue, row.currency || "CNY")}</span>
      </span>
      <span class="muted text-sm">{row.address}</span>
      <span class="flex flex-wrap items-center gap-1.5 text-xs">
        {row.holds.map((hold) => (
          <span key={hold} class="bg-error text-error-content rounded-full px-2 py-0.5 font-medium">
            {word("flag", hold)}
          </span>
        ))}
        {row.conflicts > 0 && (
          <span class="border-error text-error rounded-full border px-2 py-0.5">{t("list/conflict_badge")}</span>
        )}
        <span class="bg-base-200 rounded-full px-2 py-0.5">{word("stage", row.stage)}</span>
        <span class={`rounded-full border px-2 py-0.5 ${STATE_TONE[row.state]}`}>{word("state", row.state)}</span>
        <span class="muted ml-auto">
          {row.starts_at !== null
            ? formatWindow(row.starts_at, row.ends_at)
            : row.due_by
              ? t("list/visit_by", { date: formatDate(row.due_by) })
              : t("list/dpd", { n: row.days_past_due })}
        </span>
      </span>
    </Link>
  );
}

function passes(row: ListRow, filter: Filter): boolean {
  return filter === "all" || (filter === "conflicts" ? row.conflicts > 0 : row.unsent > 0);
}

function matches(row: ListRow, query: string): boolean {
  const wanted = query.trim().toLocaleLowerCase();
  return (
    wanted === "" ||
    [row.borrower_name, row.case_no, row.address].some((text) => text.toLocaleLowerCase().includes(wanted))
  );
}

/** Sections in the order in which a day needs them; a record stands in the first that fits. */
function arrange(list: ListRow[]): { title: string; rows: ListRow[] }[] {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = today(zone);
  const soon = toLocalInput(Date.now() + SOON_DAYS * 86_400_000, zone).slice(0, 10);
  const sections: Record<string, ListRow[]> = {
    "list/attention": [],
    "list/today": [],
    "list/returned": [],
    "list/due": [],
    "list/rest": [],
  };
  for (const row of list) {
    const open = row.stage !== "sealed" && row.stage !== "reviewed";
    const isToday =
      row.starts_at !== null &&
      toLocalInput(row.starts_at, zone).startsWith(now) &&
      row.appointment_status !== "cancelled";
    const title =
      row.state === "attention"
        ? "list/attention"
        : open && isToday
          ? "list/today"
          : row.state === "returned"
            ? "list/returned"
            : open && row.due_by !== "" && row.due_by <= soon
              ? "list/due"
              : "list/rest";
    sections[title]?.push(row);
  }
  sections["list/today"]?.sort((a, b) => (a.starts_at ?? 0) - (b.starts_at ?? 0));
  sections["list/rest"]?.sort(
    (a, b) =>
      a.priority - b.priority || (a.due_by || "9").localeCompare(b.due_by || "9") || a.case_no.localeCompare(b.case_no),
  );
  return Object.entries(sections)
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => ({ title, rows }));
}
