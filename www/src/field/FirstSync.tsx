/** Progress of the first sync, which resumes after an interruption. */
import { RefreshCw } from "lucide-preact";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { problemText, t } from "../i18n";
import { formatBytes, formatSpan } from "../ui/format";
import { Alert } from "../ui/components";
import { client, status } from "./state";

/** An estimate of the remaining time is too unstable before this. */
const ESTIMATE_AFTER_MS = 3_000;

export function FirstSync(): JSX.Element {
  const state = status.value;
  const first = state?.first_sync;
  const known = first && first.total > 0 ? first : null;
  const start = useRef<{ at: number; received: number } | null>(null);
  if (known && !start.current) start.current = { at: Date.now(), received: known.received };
  const percent = known ? Math.floor((known.received / known.total) * 100) : null;
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-5 p-6" aria-live="polite">
      <img src="/icons/icon.svg" alt="" width="56" height="56" class="size-14" />
      <h1 class="text-2xl font-bold">{t("first_sync/title")}</h1>
      <progress
        class="progress progress-primary h-3 w-full"
        aria-label={t("first_sync/title")}
        value={known?.received}
        max={known?.total}
      />
      <p class="flex justify-between gap-3 tabular-nums">
        <span>
          {known
            ? t("first_sync/text", {
                received: known.received,
                total: known.total,
                size: formatBytes(known.bytes),
              })
            : t("first_sync/waiting")}
        </span>
        {percent !== null && <span class="font-semibold">{percent} %</span>}
      </p>
      {known && start.current && <Remaining {...known} start={start.current} />}
      {state?.problem && (
        <>
          <Alert tone="warning">{problemText(state.problem)}</Alert>
          <button type="button" class="btn btn-primary" onClick={() => void client.syncNow()}>
            <RefreshCw class="size-5" aria-hidden="true" />
            {t("app/retry")}
          </button>
        </>
      )}
      <p class="muted text-sm">{t("first_sync/safe")}</p>
    </main>
  );
}

/** The number of records left, and the remaining time at the average speed. */
function Remaining(props: {
  received: number;
  total: number;
  start: { at: number; received: number };
}): JSX.Element | null {
  const elapsed = Date.now() - props.start.at;
  const received = props.received - props.start.received;
  const left = props.total - props.received;
  if (left <= 0) return null;
  const estimate = elapsed >= ESTIMATE_AFTER_MS && received > 0 ? formatSpan((elapsed / received) * left) : null;
  return (
    <p class="muted text-sm tabular-nums">
      {estimate ? t("first_sync/left_time", { n: left, span: estimate }) : t("first_sync/left", { n: left })}
    </p>
  );
}
