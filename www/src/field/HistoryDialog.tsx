/** The history of a record by field, newest change first. */
import { ArrowRight } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { HistoryEntry, VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fieldName, formatDateTime, formatField } from "../ui/format";
import { Alert, Dialog } from "../ui/components";
import { client, explain } from "./state";

export function HistoryDialog({ view, onClose }: { view: VisitView; onClose: () => void }): JSX.Element {
  const [entries, setEntries] = useState<HistoryEntry[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const state = view.heads.join();
  useEffect(() => void client.history(view.id).then(setEntries, (cause: unknown) => setError(explain(cause))), [state]);
  const valueText = (entry: HistoryEntry, side: "from" | "to"): string =>
    formatField(entry.path, entry[side], view.case.currency, view.case.zone);
  return (
    <Dialog title={t("record/history")} onClose={onClose}>
      {error && <Alert tone="error">{error}</Alert>}
      {entries === null && !error && <p class="muted">{t("app/loading")}</p>}
      {entries?.length === 0 && <p class="muted">{t("record/history_empty")}</p>}
      <ol class="-mx-2 flex flex-col overflow-y-auto px-2" tabIndex={0} aria-label={t("record/history")}>
        {byChange(entries ?? []).map((change) => (
          <li key={change[0]?.change} class="border-base-300 border-t py-3 first:border-t-0">
            <p class="muted pb-1 text-sm">
              {change[0] && t("app/by_at", { by: change[0].by, at: formatDateTime(change[0].at) })}
            </p>
            <ul class="flex flex-col gap-2">
              {change.map((entry, at) => (
                <li key={at}>
                  <span class="block text-sm font-medium">{fieldName(entry.path)}</span>
                  <span class="flex flex-wrap items-center gap-x-2">
                    {entry.from.type !== "nothing" && (
                      <>
                        <del class="muted">{valueText(entry, "from")}</del>
                        <ArrowRight class="muted size-4" aria-hidden="true" />
                      </>
                    )}
                    <ins class="whitespace-pre-line no-underline">{valueText(entry, "to")}</ins>
                  </span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

/** Details of an entry that its heading already shows: time, place and author. */
const REDUNDANT = /^(contacts|checks|payments|amendments|case\.flags)\..*\.(at|by|zone|grade|since)$|\.zone$/;
const TECHNICAL = /^(schema|id|seal\.(device|heads)|review\.(by|of|at|marks))$/;

function isShown(entry: HistoryEntry): boolean {
  const stillEmpty = entry.from.type === "nothing" && entry.to.type === "text" && entry.to.value === "";
  return !stillEmpty && !REDUNDANT.test(entry.path) && !TECHNICAL.test(entry.path);
}

/** Entries grouped by change, newest first. */
function byChange(entries: HistoryEntry[]): HistoryEntry[][] {
  const changes = new Map<string, HistoryEntry[]>();
  for (const entry of entries.filter(isShown)) changes.set(entry.change, [...(changes.get(entry.change) ?? []), entry]);
  return [...changes.values()].reverse();
}
