/** Saves typed text after a pause, and marks the page as unsaved until then. */
import { useEffect, useRef } from "preact/hooks";
import { useCountWhile } from "../ui/dirtyForms";
import { onRestart, unsavedFields } from "./state";

/** A pause in typing after which a text is saved. */
const PAUSE_MS = 600;

/** Keeps the page from saying "saved" while `unsaved` is true. */
export function useUnsavedMark(unsaved: boolean): void {
  useCountWhile(unsavedFields, unsaved);
}

/**
 * Calls `save` after a pause (`soon`), at once (`now`), and when the page is hidden or removed.
 * One save runs at a time; a call during a save starts one more. `save` gives whether it succeeded.
 */
export function useAutosave(save: () => Promise<boolean>): { soon: () => void; now: () => void } {
  const state = useRef({ save, timer: 0, running: false, again: false });
  state.current.save = save;
  const now = (): void => {
    const own = state.current;
    clearTimeout(own.timer);
    if (own.running) {
      own.again = true;
      return;
    }
    own.running = true;
    void own.save().then((saved) => {
      own.running = false;
      // A refused save would be refused again.
      const repeat = own.again && saved;
      own.again = false;
      if (repeat) now();
    });
  };
  const soon = (): void => {
    clearTimeout(state.current.timer);
    state.current.timer = window.setTimeout(now, PAUSE_MS);
  };
  useEffect(() => {
    const saveIfHidden = (): void => {
      if (document.visibilityState === "hidden") now();
    };
    document.addEventListener("visibilitychange", saveIfHidden);
    // A save that failed with the previous worker is retried in the new one.
    const stop = onRestart(soon);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", saveIfHidden);
      now();
    };
  }, []);
  return { soon, now };
}
