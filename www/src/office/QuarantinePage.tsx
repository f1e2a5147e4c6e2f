/** What was refused: who, when, which field, why. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert } from "../ui/parts";
import { api, type Quarantined } from "./api";
import { Empty, PageTitle } from "./page";
import { pathName } from "./paths";
import { errorWords, explain } from "./state";

export function QuarantinePage(): JSX.Element {
  const [rows, setRows] = useState<Quarantined[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const load = (): void =>
      void api.quarantine().then(
        (got) => {
          setRows(got);
          setError(null);
        },
        (cause: unknown) => setError(explain(cause)),
      );
    load();
    addEventListener("focus", load);
    return () => removeEventListener("focus", load);
  }, []);
  return (
    <div class="flex flex-col gap-4">
      <PageTitle>{t("office/quarantine")}</PageTitle>
      <p class="muted">{t("office/quarantine_text")}</p>
      {error && <Alert tone="error">{error}</Alert>}
      {!rows && !error && <p role="status">{t("app/loading")}</p>}
      {rows?.length === 0 && <Empty title={t("office/quarantine_empty")} />}
      <ul class="flex flex-col gap-2 empty:hidden">
        {rows?.map((row) => (
          <li key={row.id} data-testid="quarantine-row" data-id={row.id} class="card-plain flex flex-col gap-1">
            <p class="font-medium">
              {row.case_no ? (
                <Link href={`/visits/${row.record}`} class="link">
                  {row.case_no}
                </Link>
              ) : (
                t("office/no_such_record", { id: row.record })
              )}
              {row.path && ` · ${pathName(row.path)}`}
            </p>
            <p>{errorWords(row.code, row.message)}</p>
            {row.message && <p class="muted text-sm">{row.message}</p>}
            <p class="muted text-sm">
              {t("app/by_at", { by: row.user, at: formatDateTime(row.at) })} · {t("office/device")}{" "}
              <span class="font-mono text-xs">{row.device.slice(0, 8)}</span>
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
