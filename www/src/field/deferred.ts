/** Draws a long list in parts, so that its head is there at once. */
import { useEffect, useState } from "preact/hooks";

/** Enough for the tallest screen. */
const AT_ONCE = 120;
/** One part: short enough that a tap in between is answered. */
const PART = 240;

/** How many of `total` rows to draw now; grows while the browser has nothing better to do. */
export function useDeferredRender(total: number): { count: number; all: boolean } {
  const [count, setCount] = useState(AT_ONCE);
  const all = count >= total;
  useEffect(() => {
    if (all) return;
    const more = (): void => setCount((now) => now + PART);
    // Safari has no idle callbacks.
    if (typeof requestIdleCallback === "undefined") {
      const timer = setTimeout(more, 30);
      return () => clearTimeout(timer);
    }
    const idle = requestIdleCallback(more, { timeout: 500 });
    return () => cancelIdleCallback(idle);
  }, [count, all]);
  return { count, all };
}
