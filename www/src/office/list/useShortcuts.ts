/** Keys of the list. They work unless a text field has the focus or a dialog is open. */
import { useLayoutEffect, useRef } from "preact/hooks";

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

/** Controls that need these keys themselves. */
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** By the key with its modifiers, such as `j`, `Shift+ArrowDown` or `Mod+a`. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const newest = useRef(shortcuts);
  newest.current = shortcuts;
  // Keys work as soon as what they act on is visible.
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as Element;
      if (event.defaultPrevented || event.isComposing || target.matches(TYPING)) return;
      if (document.querySelector("dialog[open]")) return;
      const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
      // "?" is a key of its own, whichever modifier types it.
      const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
      // Enter and space press the control with the focus.
      const presses = event.key === "Enter" || event.key === " ";
      if (presses && target.matches("button, a, summary, input")) return;
      const work = newest.current[`${mod}${shift}${event.key}`];
      if (!work || event.altKey) return;
      event.preventDefault();
      work(event);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
