/** The history by field, with when the office received each change. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fieldName, formatDateTime, formatField } from "../ui/format";
import { Alert } from "../ui/parts";
import { api, type ReceivedEntry } from "./api";
import { explain } from "./state";

export function HistoryTable({ view }: { view: VisitView }): JSX.Element {
  const [entries, setEntries] = useState<ReceivedEntry[]>([]);
  const [error, setError] = useState<string | null>(null);
  const state = view.heads.join();
  useEffect(
    () =>
      void api.history(view.id).then(
        (history) => setEntries(history.entries),
        (cause: unknown) => setError(explain(cause)),
      ),
    [state],
  );
  const shown = (entry: ReceivedEntry, side: "from" | "to"): string =>
    formatField(entry.path, entry[side], view.case.currency, view.case.zone);
  return (
    <section class="card-plain overflow-x-auto" aria-label={t("office/history")} tabIndex={0}>
      <h2 class="section-title pb-2">{t("office/history")}</h2>
      {error && <Alert tone="error">{error}</Alert>}
      <table class="table-sm table">
        <thead>
          <tr>
            {["field", "from", "to", "who", "when", "received", "device"].map((key) => (
              <th key={key}>{t(`office/${key}`)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...entries].reverse().map((entry, at) => (
            <tr key={at}>
              <td class="font-medium">{fieldName(entry.path)}</td>
              <td class="muted max-w-64">{entry.from.type === "nothing" ? "–" : shown(entry, "from")}</td>
              <td class="max-w-64">{shown(entry, "to")}</td>
              <td>{entry.by}</td>
              <td>{formatDateTime(entry.at)}</td>
              <td>{entry.received_at === null ? "–" : formatDateTime(entry.received_at)}</td>
              <td class="font-mono text-xs">{entry.device.slice(0, 8)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
