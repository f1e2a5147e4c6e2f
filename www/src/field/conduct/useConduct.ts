/** What the rules say of a record that is shown, asked again as the record, the time or the office's word changes. */
import { useEffect, useState } from "preact/hooks";
import { ClientError } from "../../core/api";
import type { ConductView, Moment, VisitView } from "../../wasm/doorstep";
import { client, clock, status } from "../state";

export type Asked = { kind: "asking" } | { kind: "failed"; code: string } | { kind: "told"; conduct: ConductView };

/** As if it were `at`, ms; without, as of now. `again` asks once more. */
export function useConduct(view: VisitView, moment: Moment, at?: number): { asked: Asked; again: () => void } {
  const [asked, setAsked] = useState<Asked>({ kind: "asking" });
  const [times, setTimes] = useState(0);
  const state = view.heads.join();
  const tick = at === undefined ? clock.value : at;
  const inStep = status.value?.in_step_at;
  useEffect(() => {
    let current = true;
    client.conduct(view.id, moment, at ?? Date.now()).then(
      (conduct) => current && setAsked({ kind: "told", conduct }),
      (cause: unknown) =>
        current && setAsked({ kind: "failed", code: cause instanceof ClientError ? cause.code : "failed" }),
    );
    return () => void (current = false);
  }, [view.id, state, moment, tick, inStep, times]);
  return { asked, again: () => setTimes((before) => before + 1) };
}
