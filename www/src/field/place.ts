/**
 * Where the person was: the scroll of each page, and the record that was open when the system
 * ended the app. The step itself stands in the address.
 */
import { useEffect, useLayoutEffect } from "preact/hooks";

const LAST = "doorstep.place";

// The browser would restore its own idea of it before the page is drawn.
history.scrollRestoration = "manual";

/**
 * Keeps the scroll of a page under its address and goes back to it once the page is `ready`;
 * `fallback` says where a page begins that was not seen before.
 */
export function useScrollMemory(ready: boolean, fallback: () => number): void {
  const key = `doorstep.scroll:${location.pathname}`;
  useLayoutEffect(() => {
    if (!ready) return;
    const kept = sessionStorage.getItem(key);
    scrollTo(0, kept === null ? fallback() : Number(kept));
    const keep = (): void => sessionStorage.setItem(key, String(Math.round(scrollY)));
    addEventListener("scroll", keep, { passive: true });
    return () => removeEventListener("scroll", keep);
  }, [key, ready]);
}

/** Whether this page load has shown a record: then whoever sees the list has left it by hand. */
let recordShown = false;

/** Remembers the open record while its page is shown. */
export function useLastPlace(): void {
  const { pathname } = location;
  useEffect(() => {
    recordShown = true;
    localStorage.setItem(LAST, pathname);
  }, [pathname]);
}

export function forgetPlace(): void {
  localStorage.removeItem(LAST);
}

/** The record, and the address of its step, that was open when the app ended; else null. */
export function lastPlace(): { id: string; href: string } | null {
  const href = recordShown ? null : localStorage.getItem(LAST);
  const id = href?.split("/")[2];
  return href && id ? { id, href } : null;
}
