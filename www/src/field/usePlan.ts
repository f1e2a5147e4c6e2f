/** Repayment plans, computed by the core. */
import { useEffect, useState } from "preact/hooks";
import type { Plan } from "../wasm/doorstep";
import { client } from "./state";

interface Terms {
  /** Minor units. */
  amount: number;
  instalments: number;
  /** `YYYY-MM-DD`. */
  first_due: string;
}

/** The same terms always give the same plan. */
const cache = new Map<string, Promise<Plan | null>>();

/** The plan, or null if the terms allow none. */
export function planOf({ amount, instalments, first_due }: Terms): Promise<Plan | null> {
  const key = `${amount} ${instalments} ${first_due}`;
  const known = cache.get(key);
  if (known) return known;
  const plan = client.plan(amount, instalments, first_due).catch(() => {
    cache.delete(key);
    return null;
  });
  cache.set(key, plan);
  return plan;
}

/** The plan for terms that change while they are typed; null while there is none. */
export function usePlan(terms: Terms | null): Plan | null {
  const [plan, setPlan] = useState<Plan | null>(null);
  const { amount = 0, instalments = 0, first_due = "" } = terms ?? {};
  useEffect(() => {
    let live = true;
    const show = (next: Plan | null): void => void (live && setPlan(next));
    if (terms === null) show(null);
    else void planOf({ amount, instalments, first_due }).then(show);
    return () => {
      live = false;
    };
  }, [terms === null, amount, instalments, first_due]);
  return plan;
}
