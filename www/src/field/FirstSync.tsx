/** The first sync: a step of its own, that can be cut off and goes on. */
import { RefreshCw } from "lucide-preact";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { problemText, t } from "../i18n";
import { formatBytes, formatCount, formatSpan } from "../ui/format";
import { Alert } from "../ui/components";
import { client, status } from "./state";

/** Before so many seconds a guess of the rest would jump about. */
const GUESS_AFTER_MS = 3_000;

export function FirstSync(): JSX.Element {
  const state = status.value;
  const first = state?.first_sync;
  const known = first && first.total > 0 ? first : null;
  const begun = useRef<{ at: number; received: number } | null>(null);
  if (known && !begun.current) begun.current = { at: Date.now(), received: known.received };
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
                received: formatCount(known.received),
                total: formatCount(known.total),
                size: formatBytes(known.bytes),
              })
            : t("first_sync/waiting")}
        </span>
        {percent !== null && <span class="font-semibold">{percent} %</span>}
      </p>
      {known && begun.current && <Remaining {...known} begun={begun.current} />}
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

/** What is left, and how long that takes at the pace so far. */
function Remaining(props: {
  received: number;
  total: number;
  begun: { at: number; received: number };
}): JSX.Element | null {
  const took = Date.now() - props.begun.at;
  const got = props.received - props.begun.received;
  const left = props.total - props.received;
  if (left <= 0) return null;
  const guess = took >= GUESS_AFTER_MS && got > 0 ? formatSpan((took / got) * left) : null;
  return (
    <p class="muted text-sm tabular-nums">
      {guess
        ? t("first_sync/left_time", { n: formatCount(left), span: guess })
        : t("first_sync/left", { n: formatCount(left) })}
    </p>
  );
}
