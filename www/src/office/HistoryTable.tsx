/** The history by field, newest first, with when the office received each change. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert } from "../ui/components";
import type { ReceivedEntry } from "./api";
import { isNarrow } from "./layout";
import { pathChange, pathName } from "./fieldLabels";

/** Entries shown at first, and added by "Show more". */
const PAGE = 100;

export function HistoryTable(props: {
  view: VisitView;
  /** Oldest first; null while loading. */
  history: ReceivedEntry[] | null;
  error: string | null;
}): JSX.Element {
  const { view, history, error } = props;
  const [limit, setLimit] = useState(PAGE);
  const entries = history && [...history].reverse();
  const shown = entries?.slice(0, limit) ?? [];
  return (
    <section class="card-plain flex flex-col gap-3" aria-label={t("office/history")} data-testid="history">
      <h2 class="section-title">{t("office/history")}</h2>
      {error && <Alert tone="error">{error}</Alert>}
      {entries?.length === 0 && <p class="muted text-sm">{t("record/history_empty")}</p>}
      {shown.length > 0 &&
        (isNarrow.value ? <List entries={shown} view={view} /> : <Table entries={shown} view={view} />)}
      {entries && entries.length > limit && (
        <button type="button" class="btn btn-outline self-center" onClick={() => setLimit(limit + PAGE)}>
          {t("office/more")}
        </button>
      )}
    </section>
  );
}

interface Props {
  entries: ReceivedEntry[];
  view: VisitView;
}

function Table({ entries, view }: Props): JSX.Element {
  return (
    <div class="overflow-x-auto" role="group" aria-label={t("office/history")} tabIndex={0}>
      <table class="table-sm table [&_th]:text-base-content">
        <thead>
          <tr>
            {(["field", "from", "to", "who", "when", "received", "device"] as const).map((key) => (
              <th key={key} scope="col">
                {t(`office/${key}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => {
            const [from, to] = pathChange(entry, view);
            return (
              <tr key={`${entry.change}.${entry.path}`} class="align-top">
                <td class="font-medium">{pathName(entry.path)}</td>
                <td class="muted max-w-64">{from}</td>
                <td class="max-w-64">{to}</td>
                <td>{entry.by}</td>
                <td>{formatDateTime(entry.at)}</td>
                <td>{received(entry)}</td>
                <td class="font-mono text-xs">{entry.device.slice(0, 8)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function List({ entries, view }: Props): JSX.Element {
  return (
    <ol class="flex flex-col gap-3 text-sm">
      {entries.map((entry) => (
        <li key={`${entry.change}.${entry.path}`} class="border-base-300 border-l-2 pl-3">
          <p class="font-medium">{pathName(entry.path)}</p>
          <p>{pathChange(entry, view).join(" → ")}</p>
          <p class="muted">
            {t("app/by_at", { by: entry.by, at: formatDateTime(entry.at) })} ·{" "}
            <span class="font-mono text-xs">{entry.device.slice(0, 8)}</span>
          </p>
          <p class="muted">
            {t("office/received")}: {received(entry)}
          </p>
        </li>
      ))}
    </ol>
  );
}

const received = (entry: ReceivedEntry): string =>
  entry.received_at === null ? "–" : formatDateTime(entry.received_at);
