/** The second person's acceptance and the audit that a record needs. */
import { useEffect, useState } from "preact/hooks";
import type { VisitView } from "../../wasm/doorstep";
import { api, type ReviewState } from "../api";
import { queueCounts } from "../list/live";

/** Null until it is loaded; without it the record can still be reviewed, as the office has the rules. */
export function useReviewState(view: VisitView): { state: ReviewState | null; reload: () => void } {
  const [state, setState] = useState<ReviewState | null>(null);
  const [loads, setLoads] = useState(0);
  useEffect(() => {
    let current = true;
    void api.reviewState(view.id).then(
      (next) => current && setState(next),
      () => undefined,
    );
    return () => void (current = false);
    // Proposals do not change the record, but their number.
  }, [view.id, view.heads.join(), queueCounts.value?.proposals, loads]);
  return { state, reload: () => setLoads((n) => n + 1) };
}
