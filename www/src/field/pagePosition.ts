/**
 * Restores scroll and focus of each page, also after the system ended the app, and offers to
 * continue with the record that was open then. The step is part of the address.
 */
import { useEffect, useLayoutEffect } from "preact/hooks";
import { readPreference, removePreference, writePreference } from "../ui/preferences";

/** The open record's position; the only one that survives the end of the app. */
const LAST = "doorstep.place";

interface Position {
  path: string;
  scroll: number;
  /** The `data-control` of the focused control. Names are fixed or ids; none holds a text or a value. */
  focus: string | null;
}

// The browser restores the scroll before the page is rendered.
history.scrollRestoration = "manual";

/** The path of the page that was shown before this one. */
let shownPath: string | null = null;

const FOCUSABLE = "a[href], button:not([tabindex='-1']), input, select, textarea, summary";
/** A scroll is stored once it pauses: storage is slow on old phones. */
const SCROLL_PAUSE_MS = 200;

function storedPosition(path: string): Position | null {
  try {
    return parse(sessionStorage.getItem(`${LAST}:${path}`)) ?? lastPosition(path);
  } catch {
    return null;
  }
}

function storePosition(position: Position): void {
  try {
    sessionStorage.setItem(`${LAST}:${position.path}`, JSON.stringify(position));
  } catch {
    // Storage is blocked.
  }
  if (position.path.startsWith("/visit/")) writePreference(LAST, JSON.stringify(position));
}

/** The name of a control, or of the radio group around it. */
function controlName(target: EventTarget | null): string | null {
  const control = target instanceof HTMLElement ? target.closest<HTMLElement>("[data-control]") : null;
  return control?.dataset["control"] ?? null;
}

function findControl(name: string): HTMLElement | null {
  const control = document.querySelector<HTMLElement>(`[data-control="${CSS.escape(name)}"]`);
  return control?.matches(FOCUSABLE) ? control : (control?.querySelector<HTMLElement>(FOCUSABLE) ?? null);
}

/** Removes positions and hashes of control texts that earlier versions stored as the focus. */
function removeOldFocus(storage: () => globalThis.Storage): void {
  try {
    for (const key of Object.keys(storage()).filter((key) => key.startsWith(LAST))) {
      const position = parse(storage().getItem(key));
      if (position?.focus && /^-?\d+ /.test(position.focus)) {
        storage().setItem(key, JSON.stringify({ ...position, focus: null }));
      }
    }
  } catch {
    // Storage is blocked, so nothing was stored.
  }
}
removeOldFocus(() => sessionStorage);
removeOldFocus(() => localStorage);

/**
 * Stores scroll and focus under the page's address, and restores them once the page is `ready`. A
 * page seen for the first time starts at `initialScroll`, with the focus on `heading`.
 */
export function usePagePosition(ready: boolean, initialScroll: () => number, heading: string): void {
  const path = location.pathname;
  useLayoutEffect(() => {
    if (!ready) return;
    const stored = storedPosition(path);
    const navigated = shownPath !== null && shownPath !== path;
    shownPath = path;
    const position: Position = { path, scroll: stored?.scroll ?? initialScroll(), focus: stored?.focus ?? null };
    scrollTo(0, position.scroll);
    const target =
      (position.focus && findControl(position.focus)) ||
      (navigated ? document.querySelector<HTMLElement>(heading) : null);
    target?.focus({ preventScroll: true });
    storePosition(position);
    let timer = 0;
    const store = (): void => {
      clearTimeout(timer);
      position.scroll = Math.round(scrollY);
      storePosition(position);
    };
    const onScroll = (): void => {
      clearTimeout(timer);
      timer = window.setTimeout(store, SCROLL_PAUSE_MS);
    };
    const onFocus = ({ target }: FocusEvent): void => {
      position.focus = controlName(target);
      // A tap on a link comes before the pause.
      store();
    };
    addEventListener("scroll", onScroll, { passive: true });
    addEventListener("pagehide", store);
    document.addEventListener("focusin", onFocus);
    return () => {
      clearTimeout(timer);
      removeEventListener("scroll", onScroll);
      removeEventListener("pagehide", store);
      document.removeEventListener("focusin", onFocus);
    };
  }, [path, ready]);
}

/** Whether this page load has shown a record; then the list was opened on purpose. */
let recordShown = false;

/** Marks that a record was open in this page load. */
export function useResumable(): void {
  useEffect(() => void (recordShown = true), []);
}

/** The record that was open when the app ended; null if there is none. It is offered once. */
export function takeResumeTarget(): { id: string; href: string } | null {
  const position = recordShown ? null : parse(readPreference(LAST));
  const id = position?.path.split("/")[2];
  if (position && id) storePosition(position);
  removePreference(LAST);
  if (!position || !id) return null;
  return { id, href: position.path };
}

function lastPosition(path: string): Position | null {
  const position = parse(readPreference(LAST));
  return position?.path === path ? position : null;
}

function parse(text: string | null): Position | null {
  const position = JSON.parse(text ?? "null") as Partial<Position> | null;
  if (typeof position?.path !== "string") return null;
  return { path: position.path, scroll: Number(position.scroll) || 0, focus: position.focus ?? null };
}
