/** Single keys of a page. They do nothing while a field or a dialog has the focus. */
import { useLayoutEffect, useRef } from "preact/hooks";

export function useShortcuts(keys: Record<string, () => void>): void {
  const current = useRef(keys);
  current.current = keys;
  // Keys work as soon as what they act on is visible.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const { target, key } = event;
      const typing = target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]");
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || typing) return;
      if (document.querySelector("dialog[open]")) return;
      const action = current.current[key.toLowerCase()];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
