/** Progress of the first sync, step by step. It resumes after an interruption. */
import { Circle, CircleCheck, LoaderCircle, RefreshCw } from "lucide-preact";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { problemText, t } from "../i18n";
import { formatBytes, formatSeconds, formatSpan } from "../ui/format";
import { Alert } from "../ui/components";
import { FIRST_SYNC_STEPS, firstSyncStep, firstSyncTimes, type FirstSyncStep } from "./firstSync";
import { client, receiving, status } from "./state";

/** An estimate of the remaining time is too unstable before this. */
const ESTIMATE_AFTER_MS = 3_000;

export function FirstSync(): JSX.Element {
  const state = status.value;
  const first = state?.first_sync;
  const known = first && first.total > 0 ? first : null;
  const start = useRef<{ at: number; received: number } | null>(null);
  if (known && !start.current) start.current = { at: Date.now(), received: known.received };
  return (
    <main
      data-testid="first-sync"
      class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-5 p-6"
      aria-live="polite"
    >
      <img src="/icons/icon.svg" alt="" width="56" height="56" class="size-14" />
      <h1 class="text-2xl font-bold">{t("first_sync/title")}</h1>
      <progress
        class="progress progress-primary h-3 w-full"
        aria-label={t("first_sync/title")}
        value={known?.received}
        max={known?.total}
      />
      <ol class="flex flex-col gap-3">
        {FIRST_SYNC_STEPS.map((step) => (
          <StepLine key={step} step={step}>
            {step === "download" && (known !== null || receiving.value !== null) && (
              <span class="muted block text-sm tabular-nums">
                {known
                  ? t("first_sync/text", {
                      received: known.received,
                      total: known.total,
                      size: formatBytes(known.bytes + (receiving.value ?? 0)),
                    })
                  : formatBytes(receiving.value ?? 0)}
                {known && start.current && remaining(known, start.current)}
              </span>
            )}
          </StepLine>
        ))}
      </ol>
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

/** One step, with the time that it took. */
function StepLine(props: { step: FirstSyncStep; children: JSX.Element | false | null }): JSX.Element {
  const now = firstSyncStep.value;
  const at = (step: FirstSyncStep | null): number => (step ? FIRST_SYNC_STEPS.indexOf(step) : FIRST_SYNC_STEPS.length);
  const state = at(props.step) < at(now) ? "done" : props.step === now ? "current" : "next";
  const Icon = { done: CircleCheck, current: LoaderCircle, next: Circle }[state];
  const tone = { done: "text-success", current: "text-info animate-spin [animation-duration:1.6s]", next: "muted" };
  const took = firstSyncTimes.value[props.step];
  return (
    <li
      data-step={props.step}
      data-state={state}
      aria-current={state === "current" ? "step" : undefined}
      class="flex gap-3"
    >
      <Icon class={`mt-0.5 size-5 shrink-0 ${tone[state]}`} aria-hidden="true" />
      <span class={`min-w-0 grow ${state === "current" ? "font-semibold" : state === "next" ? "muted" : ""}`}>
        {t(`first_sync/step_${props.step}`)}
        {props.children}
      </span>
      {state === "done" && took !== undefined && (
        <span class="muted shrink-0 text-sm tabular-nums">{formatSeconds(took)}</span>
      )}
    </li>
  );
}

/** The number of records left, and the remaining time at the average speed. */
function remaining(
  known: { received: number; total: number },
  start: { at: number; received: number },
): JSX.Element | null {
  const elapsed = Date.now() - start.at;
  const received = known.received - start.received;
  const left = known.total - known.received;
  if (left <= 0) return null;
  const estimate = elapsed >= ESTIMATE_AFTER_MS && received > 0 ? formatSpan((elapsed / received) * left) : null;
  return (
    <span class="block">
      {estimate ? t("first_sync/left_time", { n: left, span: estimate }) : t("first_sync/left", { n: left })}
    </span>
  );
}
