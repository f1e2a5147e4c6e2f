/** The user's own visits, promises and conduct by month. Without those of others, and without a ranking. */
import { ChartNoAxesColumn } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { OwnFigures, OwnMonth } from "../core/api";
import { t } from "../i18n";
import { deviceZone, formatCount, formatDateTime, formatMonth } from "../ui/format";
import { EmptyState } from "./EmptyState";
import { usePagePosition } from "./pagePosition";
import { client, explain } from "./state";
import { SubPage } from "./SubPage";

export function FiguresPage(): JSX.Element {
  const [figures, setFigures] = useState<OwnFigures | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let live = true;
    void (async () => {
      const stored = await client.storedFigures().catch(() => null);
      if (live && stored) setFigures(stored);
      try {
        const fresh = await client.ownFigures(deviceZone());
        if (live) setFigures(fresh);
      } catch (cause) {
        if (live) setProblem(explain(cause));
      }
    })();
    return () => void (live = false);
  }, []);
  usePagePosition(figures !== null, () => 0, "h1");
  const months = figures?.months.filter(({ visits, promises }) => visits + promises > 0) ?? [];
  return (
    <SubPage title={t("figures/title")}>
      <p class="muted px-1 text-sm">{t("figures/text")}</p>
      {problem && <p role="status">{problem}</p>}
      {figures && <p class="muted px-1 text-sm">{t("figures/counted", { at: formatDateTime(figures.counted_at) })}</p>}
      {figures && months.length === 0 && (
        <EmptyState Icon={ChartNoAxesColumn} title={t("figures/empty")}>
          <p class="muted max-w-xs">{t("figures/empty_text")}</p>
        </EmptyState>
      )}
      {months.map((month) => (
        <Month key={month.month} month={month} />
      ))}
    </SubPage>
  );
}

function Month({ month }: { month: OwnMonth }): JSX.Element {
  const kept = month.visits - month.visits_failed - month.visits_unknown;
  const pending = month.promises - month.promises_kept - month.promises_broken;
  const title = formatMonth(month.month);
  return (
    <section class="card-plain flex flex-col gap-2" aria-label={title} data-testid="own-month" data-month={month.month}>
      <h2 class="section-title">{title}</h2>
      <dl class="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1">
        <Figure name={t("figures/visits")} count={month.visits} strong />
        <Figure name={t("figures/conduct_kept")} count={kept} />
        <Figure name={t("figures/conduct_unknown")} count={month.visits_unknown} />
        <Figure name={t("figures/conduct_failed")} count={month.visits_failed} />
        <Figure name={t("figures/promises")} count={month.promises} strong />
        <Figure name={t("figures/promises_kept")} count={month.promises_kept} />
        <Figure name={t("figures/promises_pending")} count={pending} />
        <Figure name={t("figures/promises_broken")} count={month.promises_broken} />
      </dl>
    </section>
  );
}

function Figure({ name, count, strong }: { name: string; count: number; strong?: boolean }): JSX.Element {
  return (
    <>
      <dt class={strong ? "font-semibold" : "pl-4"}>{name}</dt>
      <dd class={`text-right tabular-nums ${strong ? "font-semibold" : ""}`}>{formatCount(count)}</dd>
    </>
  );
}
