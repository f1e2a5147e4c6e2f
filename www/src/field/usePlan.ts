/** What a repayment option comes to, worked out by the core. */
import { useEffect, useState } from "preact/hooks";
import type { Plan } from "../wasm/doorstep";
import { client } from "./state";

export interface Terms {
  /** Minor units. */
  amount: number;
  instalments: number;
  /** `YYYY-MM-DD`. */
  first_due: string;
}

/** Terms make the same plan for ever. */
const made = new Map<string, Promise<Plan | null>>();

/** The plan, or null where the terms make none. */
export function planOf({ amount, instalments, first_due }: Terms): Promise<Plan | null> {
  const key = `${amount} ${instalments} ${first_due}`;
  const known = made.get(key);
  if (known) return known;
  const plan = client.plan(amount, instalments, first_due).catch(() => {
    made.delete(key);
    return null;
  });
  made.set(key, plan);
  return plan;
}

/** The plan of terms that change as they are typed; null while there is none. */
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
