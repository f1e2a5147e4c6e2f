/** The history by field: who, when, from, to. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { HistoryEntry, VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fieldName, formatDateTime, formatField } from "../ui/format";
import { Alert, Dialog } from "../ui/parts";
import { client, explain } from "./state";

export function History({ view, onClose }: { view: VisitView; onClose: () => void }): JSX.Element {
  const [entries, setEntries] = useState<HistoryEntry[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const state = view.heads.join();
  useEffect(() => void client.history(view.id).then(setEntries, (cause: unknown) => setError(explain(cause))), [state]);
  const shown = (entry: HistoryEntry, side: "from" | "to"): string =>
    formatField(entry.path, entry[side], view.case.currency, view.case.zone);
  return (
    <Dialog title={t("rec/history")} onClose={onClose}>
      {error && <Alert tone="error">{error}</Alert>}
      {entries?.length === 0 && <p class="muted">{t("rec/history_empty")}</p>}
      <ol class="flex flex-col gap-3 overflow-y-auto" tabIndex={0}>
        {[...(entries ?? [])].reverse().map((entry, at) => (
          <li key={at} class="border-base-300 border-b pb-3">
            <p class="muted text-xs">{t("app/by_at", { by: entry.by, at: formatDateTime(entry.at) })}</p>
            <p class="text-sm font-medium">{fieldName(entry.path)}</p>
            <p>{shown(entry, "to")}</p>
            {entry.from.type !== "nothing" && <p class="muted text-sm line-through">{shown(entry, "from")}</p>}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
