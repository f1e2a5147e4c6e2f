/** Forms that a person is in the middle of: nothing may take the page away from them. */
import { signal, type Signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

/** How many of this page's forms hold what was not handed in and not thrown away. */
export const dirtyForms = signal(0);

/** Counts a form while it is `begun`. */
export function useDirtyForm(begun: boolean): void {
  useCountWhile(dirtyForms, begun);
}

/** Adds one to a count for as long as `counts`. */
export function useCountWhile(count: Signal<number>, counts: boolean): void {
  useLayoutEffect(() => {
    if (!counts) return;
    count.value += 1;
    return () => void (count.value -= 1);
  }, [counts]);
}
