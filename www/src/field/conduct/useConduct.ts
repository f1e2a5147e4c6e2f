/** The conduct rules' result for an open record, updated with the record, the time and the office's data. */
import { useEffect, useState } from "preact/hooks";
import { ClientError } from "../../core/api";
import type { ConductView, Moment, VisitView } from "../../wasm/doorstep";
import { client, clock, status } from "../state";

export type ConductResult =
  { kind: "loading" } | { kind: "failed"; code: string } | { kind: "ready"; conduct: ConductView };

/** Evaluates the rules at the time `at` (ms), by default now. */
export function useConduct(
  view: VisitView,
  moment: Moment,
  at?: number,
): { result: ConductResult; recheck: () => void } {
  const [result, setResult] = useState<ConductResult>({ kind: "loading" });
  const [checks, setChecks] = useState(0);
  const state = view.heads.join();
  const tick = at === undefined ? clock.value : at;
  const lastSync = status.value?.in_step_at;
  useEffect(() => {
    let current = true;
    client.conduct(view.id, moment, at ?? Date.now()).then(
      (conduct) => current && setResult({ kind: "ready", conduct }),
      (cause: unknown) =>
        current && setResult({ kind: "failed", code: cause instanceof ClientError ? cause.code : "failed" }),
    );
    return () => void (current = false);
  }, [view.id, state, moment, tick, lastSync, checks]);
  return { result, recheck: () => setChecks((before) => before + 1) };
}
