/** How what is typed gets to the disk, and how the page says that it is not there yet. */
import { useEffect, useRef } from "preact/hooks";
import { useCountWhile } from "../ui/dirtyForms";
import { onRestart, typing } from "./state";

/** A pause in typing after which a text is saved. */
const PAUSE_MS = 600;

/** While the page holds what the core has not taken, it does not say "saved". */
export function useTyping(unsaved: boolean): void {
  useCountWhile(typing, unsaved);
}

/**
 * Runs one save at a time: after a pause, or now, and when the page is left; what comes meanwhile
 * asks for one more. `work` gives whether it was saved.
 */
export function useAutosave(work: () => Promise<boolean>): { soon: () => void; now: () => void } {
  const state = useRef({ work, timer: 0, running: false, again: false });
  state.current.work = work;
  const now = (): void => {
    const own = state.current;
    clearTimeout(own.timer);
    if (own.running) {
      own.again = true;
      return;
    }
    own.running = true;
    void own.work().then((saved) => {
      own.running = false;
      // Nothing is gained by trying again at once what was refused.
      const more = own.again && saved;
      own.again = false;
      if (more) now();
    });
  };
  const soon = (): void => {
    clearTimeout(state.current.timer);
    state.current.timer = window.setTimeout(now, PAUSE_MS);
  };
  useEffect(() => {
    const leave = (): void => {
      if (document.visibilityState === "hidden") now();
    };
    document.addEventListener("visibilitychange", leave);
    // A save that failed with the previous worker is retried in the new one.
    const stop = onRestart(soon);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", leave);
      now();
    };
  }, []);
  return { soon, now };
}
