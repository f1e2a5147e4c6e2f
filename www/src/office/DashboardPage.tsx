/** The dashboard: figures of a period and a team. Each one links to the list of the records it counts. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLocation, useSearch } from "wouter-preact";
import { t, textFor, word } from "../i18n";
import { Alert } from "../ui/components";
import { ruleText } from "../ui/conduct";
import { deviceZone, formatCount, formatDate, formatMoney } from "../ui/format";
import { api, type Report } from "./api";
import { BarTable, Count, type Figure } from "./BarTable";
import { DashboardFilters } from "./DashboardFilters";
import { dpdText } from "./dpd";
import { PageTitle } from "./layout";
import { periodOf } from "./period";
import { collectors, explain, loadCollectors } from "./state";

export function DashboardPage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const asked = new URLSearchParams(search);
  const month = periodOf("this_month");
  const from = asked.get("from") ?? month.from;
  const to = asked.get("to") ?? month.to;
  const team = (asked.get("collector") ?? "").split(",").filter((name) => name !== "");
  const query = new URLSearchParams({ from, to, zone: deviceZone() });
  if (team.length > 0) query.set("collector", team.join(","));
  const { loaded, error } = useReport(query.toString());
  useEffect(() => void loadCollectors(), []);
  return (
    <div class="flex flex-col gap-4">
      <div class="flex flex-wrap items-center justify-between gap-2">
        <PageTitle>{t("office/dashboard/title")}</PageTitle>
        <button type="button" class="btn btn-ghost print:hidden" onClick={() => print()}>
          {t("office/dashboard/print")}
        </button>
      </div>
      <DashboardFilters
        period={{ from, to }}
        team={team}
        onChange={(period, names) => {
          const next = new URLSearchParams({ ...period });
          if (names.length > 0) next.set("collector", names.join(","));
          go(`/dashboard?${next}`, { replace: true });
        }}
      />
      <p class="hidden print:block">
        {formatDate(from)} – {formatDate(to)} · {team.map(displayName).join(", ") || t("office/dashboard/everybody")}
      </p>
      {error && <Alert tone="error">{error}</Alert>}
      {!loaded && !error && <p role="status">{t("app/loading")}</p>}
      {loaded && <Figures {...loaded} isStale={loaded.query !== query.toString()} />}
    </div>
  );
}

/** A report and the query that it answers. */
interface Loaded {
  query: string;
  report: Report;
}

/** The report of a query; the one before stays while the next is loaded. */
function useReport(query: string): { loaded: Loaded | null; error: string | null } {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const request = new AbortController();
    api.report(query, request.signal).then(
      (report) => {
        setLoaded({ query, report });
        setError(null);
      },
      (cause: unknown) => {
        if (!request.signal.aborted) setError(explain(cause));
      },
    );
    return () => request.abort();
  }, [query]);
  return { loaded, error };
}

const displayName = (name: string): string => collectors.value.find((user) => user.name === name)?.display_name ?? name;

function Figures(props: Loaded & { isStale: boolean }): JSX.Element {
  const { report, isStale } = props;
  // The links belong to the figures, whatever is being loaded.
  const query = new URLSearchParams(props.query);
  /** The list of the records that a figure counts. */
  const list = (filters: Record<string, string>): string =>
    `/?${new URLSearchParams([...query, ...Object.entries(filters)])}`;
  const visits = (filters: Record<string, string>): string => list({ event: "visited", ...filters });
  const named = (vocabulary: string, filter: string) => (line: { name: string; count: number }) => ({
    key: line.name || "none",
    name: line.name === "" ? t("office/dashboard/none") : word(vocabulary, line.name),
    figures: [{ count: line.count, href: visits({ [filter]: line.name || "none" }) }],
  });
  const collector = query.get("collector");
  const team = collector === null ? undefined : { collector };
  const hold = (name: string): string => `/?${new URLSearchParams({ ...team, hold: name })}`;
  const records = [t("office/dashboard/records")];
  const count = [t("office/dashboard/visits")];
  return (
    <div
      class={`grid gap-4 lg:grid-cols-2 print:block print:space-y-4 ${isStale ? "opacity-60" : ""}`}
      data-testid="dashboard"
      aria-busy={isStale}
    >
      <div class="grid gap-4 sm:grid-cols-3 lg:col-span-2 print:grid-cols-3">
        <Key
          id="planned"
          figure={{ count: report.planned, href: list({ event: "planned" }) }}
          of={{ count: report.planned_visited, href: list({ event: "planned", visited: "1" }) }}
        />
        <Key
          id="visited"
          figure={{ count: report.visited, href: visits({}) }}
          of={{ count: report.met, href: visits({ met: "1" }) }}
        />
        <Key
          id="contacts"
          figure={{ count: report.contacts, href: list({ event: "contacted" }) }}
          of={{ count: report.reached, href: list({ event: "reached" }) }}
        />
      </div>
      <Part id="promises" empty={report.promises.length === 0}>
        <BarTable
          testId="promises"
          caption={t("office/dashboard/promises/title")}
          heading={t("office/dashboard/promises/state")}
          columns={records}
          rows={report.promises.map((line) => ({
            key: `${line.state}-${line.currency}`,
            name: textFor(`office/dashboard/promises/${line.state}`) ?? line.state,
            detail: formatMoney(line.amount, line.currency),
            figures: [{ count: line.count, href: list({ event: "promised", promise: line.state }) }],
          }))}
        />
      </Part>
      <Part id="outcomes" empty={report.outcomes.length === 0}>
        <BarTable
          testId="outcomes"
          caption={t("office/dashboard/outcomes/title")}
          heading={t("office/outcome")}
          columns={count}
          rows={report.outcomes.map(named("disposition", "outcome"))}
        />
      </Part>
      <Part id="reasons" empty={report.reasons.length === 0}>
        <BarTable
          testId="reasons"
          caption={t("office/dashboard/reasons/title")}
          heading={t("office/dashboard/reasons/reason")}
          columns={count}
          rows={report.reasons.map(named("reason", "reason"))}
        />
      </Part>
      <Part id="dpd" empty={report.visited === 0}>
        <BarTable
          testId="dpd"
          caption={t("office/dashboard/dpd/title")}
          heading={t("office/dashboard/dpd/days")}
          columns={count}
          rows={report.dpd.map((line) => ({
            key: line.name,
            name: dpdText(line.name),
            figures: [{ count: line.count, href: visits({ dpd: line.name }) }],
          }))}
        />
      </Part>
      <Part id="holds" empty={report.holds.length === 0}>
        <BarTable
          testId="holds"
          caption={t("office/dashboard/holds/title")}
          heading={t("office/hold")}
          columns={records}
          rows={report.holds.map((line) => ({
            key: line.name,
            name: word("flag", line.name),
            figures: [{ count: line.count, href: hold(line.name) }],
          }))}
        />
      </Part>
      <Part id="load" empty={report.load.length === 0}>
        <BarTable
          testId="load"
          caption={t("office/dashboard/load/title")}
          heading={t("office/collector")}
          columns={[
            t("office/dashboard/load/due"),
            t("office/dashboard/load/planned"),
            t("office/dashboard/load/visited"),
          ]}
          rows={report.load.map(({ collector, ...line }) => ({
            key: collector,
            name: displayName(collector),
            figures: (["due", "planned", "visited"] as const).map((event) => ({
              count: line[event],
              href: `/?${new URLSearchParams(
                [...query]
                  .filter(([key]) => key !== "collector")
                  .concat([
                    ["collector", collector],
                    ["event", event],
                  ]),
              )}`,
            })),
          }))}
        />
      </Part>
      <Part id="sync" empty={false}>
        <SyncHealth sync={report.sync} />
      </Part>
      <Part id="conduct" wide empty={report.conduct.length === 0}>
        <BarTable
          testId="conduct"
          caption={t("office/dashboard/conduct/title")}
          heading={t("office/dashboard/conduct/rule")}
          columns={[t("conduct/answer/fail"), t("conduct/answer/unknown")]}
          rows={report.conduct.map(({ rule, failed, unknown }) => ({
            key: rule,
            name: ruleText(rule),
            detail: rule,
            figures: [
              { count: failed, href: visits({ rule, answer: "fail" }) },
              { count: unknown, href: visits({ rule, answer: "unknown" }) },
            ],
          }))}
        />
      </Part>
    </div>
  );
}

/** A figure of the first row, and a part of it with its share. */
function Key(props: { id: "planned" | "visited" | "contacts"; figure: Figure; of: Figure }): JSX.Element {
  const { id, figure, of } = props;
  const label = t(`office/dashboard/${id}/title`);
  const part = t(`office/dashboard/${id}/part`);
  const share = figure.count === 0 ? "" : ` (${percent(of.count / figure.count)})`;
  return (
    <section class="card-plain flex flex-col gap-1" data-testid={`key-${id}`}>
      <h2 class="muted text-sm">{label}</h2>
      <p class="text-3xl font-bold tabular-nums" data-count={figure.count}>
        <Count {...figure} label={[label]} />
      </p>
      <p data-part={of.count}>
        {part}: <Count {...of} label={[label, part]} />
        {share}
      </p>
      <p class="muted text-xs">{t(`office/dashboard/${id}/definition`)}</p>
    </section>
  );
}

type PartId = "promises" | "outcomes" | "reasons" | "dpd" | "conduct" | "holds" | "load" | "sync";

/** A part with its definition: what is counted, and from which field. */
function Part(props: { id: PartId; empty: boolean; wide?: boolean; children: ComponentChildren }): JSX.Element {
  return (
    <section class={`card-plain flex min-w-0 flex-col gap-2 break-inside-avoid ${props.wide ? "lg:col-span-2" : ""}`}>
      <h2 class="section-title">{t(`office/dashboard/${props.id}/title`)}</h2>
      {props.empty ? <p class="muted">{t("office/dashboard/nothing")}</p> : props.children}
      <p class="muted mt-auto text-xs">{t(`office/dashboard/${props.id}/definition`)}</p>
    </section>
  );
}

function SyncHealth({ sync }: { sync: Report["sync"] }): JSX.Element {
  const rows: [string, string, Figure][] = [
    ["devices", t("office/dashboard/sync/devices"), { count: sync.devices, href: "/people" }],
    ["seen_today", t("office/dashboard/sync/seen_today"), { count: sync.seen_today, href: "/people" }],
    ["out_of_touch", t("office/dashboard/sync/out_of_touch"), { count: sync.out_of_touch, href: "/people" }],
    ["quarantined", t("office/dashboard/sync/quarantined"), { count: sync.quarantined, href: "/quarantine" }],
  ];
  return (
    <BarTable
      testId="sync"
      caption={t("office/dashboard/sync/title")}
      heading={t("office/dashboard/sync/what")}
      columns={[t("office/dashboard/count")]}
      rows={rows.map(([key, name, figure]) => ({ key, name, figures: [figure] }))}
    />
  );
}

function percent(share: number): string {
  return `${formatCount(Math.round(100 * share))} %`;
}
