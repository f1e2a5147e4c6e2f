/** Forms that a person is in the middle of: nothing may take the page away from them. */
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

/** How many of this page's forms hold what was not handed in and not thrown away. */
export const unfinished = signal(0);

/** Counts a form while it is `begun`. */
export function useUnfinished(begun: boolean): void {
  useLayoutEffect(() => {
    if (!begun) return;
    unfinished.value += 1;
    return () => void (unfinished.value -= 1);
  }, [begun]);
}
