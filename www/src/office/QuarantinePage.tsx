/** What was refused: who, when, which field, why. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../i18n";
import { fieldName, formatDateTime } from "../ui/format";
import { Alert } from "../ui/parts";
import { api, type Quarantined } from "./api";
import { explain } from "./state";

export function QuarantinePage(): JSX.Element {
  const [rows, setRows] = useState<Quarantined[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => void api.quarantine().then(setRows, (cause: unknown) => setError(explain(cause))), []);
  return (
    <div class="flex flex-col gap-4">
      <h1 class="text-xl font-bold">{t("office/quarantine")}</h1>
      <p class="muted">{t("office/quarantine_text")}</p>
      {error && <Alert tone="error">{error}</Alert>}
      {rows?.length === 0 && <p class="py-8 text-center">{t("office/quarantine_empty")}</p>}
      <ul class="flex flex-col gap-2">
        {rows?.map((row) => (
          <li key={row.id} data-testid="quarantine-row" class="card-plain">
            <p class="font-medium">
              <Link href={`/visits/${row.record}`} class="link">
                {row.case_no ?? row.record}
              </Link>{" "}
              · {row.path ? fieldName(row.path) : row.code}
            </p>
            <p>{row.message}</p>
            <p class="muted text-sm">
              {t("app/by_at", { by: row.user, at: formatDateTime(row.at) })} · {row.device.slice(0, 8)}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
