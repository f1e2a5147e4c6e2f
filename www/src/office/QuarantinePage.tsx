/** What was refused: who, when, what it is about, why, and where it stands. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { t, textFor } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, Select } from "../ui/components";
import { refusalReason } from "../ui/refusalReason";
import { api, type Quarantined, type QuarantinePage as Page } from "./api";
import { Empty, PageTitle } from "./layout";
import { pathName } from "./fieldLabels";
import { QuarantineUsageAlert, useUsage } from "./QuarantineUsageAlert";
import { QuarantineExports } from "./QuarantineExport";
import { explain } from "./state";

const STATES = ["open", "accepted", "dismissed"] as const;
type State = (typeof STATES)[number];

export function QuarantinePage(): JSX.Element {
  const search = useSearch();
  const [, go] = useLocation();
  const asked = new URLSearchParams(search).get("state") ?? "open";
  const state = STATES.find((known) => known === asked) ?? "";
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<string | null>(null);
  const { usage, again: askUsage } = useUsage();
  /** The newest question: answers to older ones are dropped. */
  const asking = useRef(0);

  const load = async (onTop: Page | null): Promise<void> => {
    const own = ++asking.current;
    const query = new URLSearchParams(state ? { state } : {});
    if (onTop?.next) query.set("after", String(onTop.next));
    try {
      const got = await api.quarantine(query.toString());
      if (own !== asking.current) return;
      setPage(onTop ? { ...got, rows: [...onTop.rows, ...got.rows] } : got);
      setError(null);
    } catch (cause) {
      if (own === asking.current) setError(explain(cause));
    }
  };
  useEffect(() => {
    setPage(null);
    const again = (): void => void load(null);
    again();
    addEventListener("focus", again);
    return () => removeEventListener("focus", again);
  }, [state]);
  const choose = (next: State | ""): void => go(`/quarantine?state=${next || "all"}`, { replace: true });
  return (
    <div class="flex flex-col gap-4">
      <PageTitle>{t("office/quarantine")}</PageTitle>
      <p class="muted max-w-prose">{t("office/quarantine_lead")}</p>
      <QuarantineUsageAlert usage={usage} />
      <div class="max-w-xs">
        <Select
          label={t("office/q/state")}
          options={STATES}
          value={state}
          word={(one) => t(`office/q/${one}`)}
          empty={t("office/any")}
          onChange={choose}
        />
      </div>
      {error && <Alert tone="error">{error}</Alert>}
      <p class="muted text-sm" role="status">
        {page ? t("office/shown", { shown: page.rows.length, total: page.total }) : !error && t("app/loading")}
      </p>
      {page?.rows.length === 0 && (
        <Empty title={t("office/quarantine_empty")}>
          {state === "open" && <p class="muted">{t("office/q/none")}</p>}
        </Empty>
      )}
      <ul class="flex flex-col gap-2 empty:hidden">
        {page?.rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </ul>
      {page?.next && page.rows.length < page.total && (
        <button type="button" class="btn btn-outline self-center" onClick={() => void load(page)}>
          {t("office/more")}
        </button>
      )}
      {usage && <QuarantineExports usage={usage} again={askUsage} />}
    </div>
  );
}

function Row({ row }: { row: Quarantined }): JSX.Element {
  const about = row.units.length > 0 ? [...new Set(row.units.map(pathName))] : row.path ? [pathName(row.path)] : [];
  return (
    <li data-testid="quarantine-row" data-id={row.id} data-state={row.state}>
      <Link href={`/quarantine/${row.id}`} class="card-plain hover:border-primary flex flex-col gap-1 no-underline">
        <span class="flex flex-wrap items-baseline justify-between gap-x-3">
          <span class="font-medium">{row.case_no ?? t("office/no_such_record", { id: row.record })}</span>
          <span class="badge badge-outline">{t(`office/q/${row.state}`)}</span>
        </span>
        {about.length > 0 && <span class="text-sm">{about.join(" · ")}</span>}
        <span>{sentenceFor(row)}</span>
        <span class="muted text-sm">
          {t("app/by_at", { by: row.user, at: formatDateTime(row.at) })} · {t("office/device")}{" "}
          <span class="font-mono text-xs">{row.device.slice(0, 8)}</span>
        </span>
      </Link>
    </li>
  );
}

/** The sentence for why work was refused, else the office's own. */
export function sentenceFor({ code, path, message }: Pick<Quarantined, "code" | "path" | "message">): string {
  return textFor(`office/q/why/${refusalReason(code, path)}`) ?? message;
}
