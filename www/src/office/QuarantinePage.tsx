/** The list of quarantine items. */
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
  const { usage, reload: reloadUsage } = useUsage();
  /** The number of the latest request; responses to earlier ones are ignored. */
  const latest = useRef(0);

  const load = async (previous: Page | null): Promise<void> => {
    const request = ++latest.current;
    const query = new URLSearchParams(state ? { state } : {});
    if (previous?.next) query.set("after", String(previous.next));
    try {
      const next = await api.quarantine(query.toString());
      if (request !== latest.current) return;
      setPage(previous ? { ...next, rows: [...previous.rows, ...next.rows] } : next);
      setError(null);
    } catch (cause) {
      if (request === latest.current) setError(explain(cause));
    }
  };
  useEffect(() => {
    setPage(null);
    const reload = (): void => void load(null);
    reload();
    addEventListener("focus", reload);
    return () => removeEventListener("focus", reload);
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
        {page ? t("office/shown", { shown: page.rows.length, n: page.total }) : !error && t("app/loading")}
      </p>
      {page?.rows.length === 0 && (
        <Empty title={t("office/quarantine_empty")}>
          {state === "open" && <p class="muted">{t("office/q/none")}</p>}
        </Empty>
      )}
      <ul class="flex flex-col gap-2 empty:hidden">
        {page?.rows.map((row) => (
          <ItemRow key={row.id} row={row} />
        ))}
      </ul>
      {page?.next && page.rows.length < page.total && (
        <button type="button" class="btn btn-outline self-center" onClick={() => void load(page)}>
          {t("office/more")}
        </button>
      )}
      {usage && <QuarantineExports usage={usage} reload={reloadUsage} />}
    </div>
  );
}

function ItemRow({ row }: { row: Quarantined }): JSX.Element {
  const fields = row.units.length > 0 ? [...new Set(row.units.map(pathName))] : row.path ? [pathName(row.path)] : [];
  return (
    <li data-testid="quarantine-row" data-id={row.id} data-state={row.state}>
      <Link href={`/quarantine/${row.id}`} class="card-plain hover:border-primary flex flex-col gap-1 no-underline">
        <span class="flex flex-wrap items-baseline justify-between gap-x-3">
          <span class="font-medium">{row.case_no ?? t("office/no_such_record", { id: row.record })}</span>
          <span class="badge badge-outline">{t(`office/q/${row.state}`)}</span>
        </span>
        {fields.length > 0 && <span class="text-sm">{fields.join(" · ")}</span>}
        <span>{refusalText(row)}</span>
        <span class="muted text-sm">
          {t("app/by_at", { by: row.user, at: formatDateTime(row.at) })} · {t("office/device")}{" "}
          <span class="font-mono text-xs">{row.device.slice(0, 8)}</span>
        </span>
      </Link>
    </li>
  );
}

/** The reason for a refusal, or else the office's own message. */
export function refusalText({ code, path, message }: Pick<Quarantined, "code" | "path" | "message">): string {
  return textFor(`office/q/why/${refusalReason(code, path)}`) ?? message;
}
