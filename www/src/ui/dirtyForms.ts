/** Counts forms with unsubmitted contents: while there are any, nothing may reload the page. */
import { signal, type Signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

/** Number of forms on this page that are neither submitted nor discarded. */
export const dirtyForms = signal(0);

/** Counts a form while it is `dirty`. */
export function useDirtyForm(dirty: boolean): void {
  useCountWhile(dirtyForms, dirty);
}

/** Adds one to a count while `counts` is true. */
export function useCountWhile(count: Signal<number>, counts: boolean): void {
  useLayoutEffect(() => {
    if (!counts) return;
    count.value += 1;
    return () => void (count.value -= 1);
  }, [counts]);
}
