/**
 * Where the person was: scroll and focus of each page, and the record that was open when the
 * system ended the app. The step itself stands in the address.
 */
import { useEffect, useLayoutEffect } from "preact/hooks";
import { forget, writePreference, readPreference } from "../ui/preferences";

/** The record that is open: only this outlives a kill. */
const LAST = "doorstep.place";

interface Place {
  path: string;
  scroll: number;
  /** The control that had the focus, if one had. */
  focus: string | null;
}

// The browser would restore its own idea of it before the page is drawn.
history.scrollRestoration = "manual";

/** The page that was shown before this one. */
let shown: string | null = null;

const CONTROLS = "a[href], button, input, select, textarea, summary";
/** A scroll is written down once it rests: storage is slow on old phones. */
const REST_MS = 200;

function keptAt(path: string): Place | null {
  try {
    return parsed(sessionStorage.getItem(`${LAST}:${path}`)) ?? lastOf(path);
  } catch {
    return null;
  }
}

function keepAt(place: Place): void {
  try {
    sessionStorage.setItem(`${LAST}:${place.path}`, JSON.stringify(place));
  } catch {
    // A browser that keeps nothing keeps no place either.
  }
  if (place.path.startsWith("/visit/")) writePreference(LAST, JSON.stringify(place));
}

/**
 * Identifies a control by position: index of the enclosing part of the page among parts of the same
 * name, index of the control in it, and the part's name (a test id or record id). Nothing is derived
 * from the control's text or value: a phone number can be recovered even from its hash.
 */
function nameOf(control: HTMLElement): string {
  const part = control.closest<HTMLElement>(PARTS);
  const name = partName(part);
  return [parts(name).indexOf(part), controls(part).indexOf(control), name].join(" ");
}

function named(text: string): HTMLElement | undefined {
  const [nth = "", at = "", ...name] = text.split(" ");
  const part = parts(name.join(" "))[Number(nth)];
  return part === undefined ? undefined : controls(part)[Number(at)];
}

const PARTS = "[data-testid], [data-id]";

function partName(part: HTMLElement | null): string {
  return [part?.dataset["testid"] ?? "", part?.dataset["id"] ?? ""].join(" ").trim();
}

/** Parts of a name; without a name there is one, the page. */
function parts(name: string): (HTMLElement | null)[] {
  if (name === "") return [null];
  return [...document.querySelectorAll<HTMLElement>(PARTS)].filter((part) => partName(part) === name);
}

/** Controls of a part that are in no part within it. */
function controls(part: HTMLElement | null): HTMLElement[] {
  const all = [...(part ?? document).querySelectorAll<HTMLElement>(CONTROLS)];
  if (part?.matches(CONTROLS)) all.unshift(part);
  return all.filter((control) => control.closest(PARTS) === part);
}

/** Removes the hashes of control texts that earlier versions stored. */
function forgetWords(storage: () => globalThis.Storage): void {
  try {
    for (const key of Object.keys(storage()).filter((key) => key.startsWith(LAST))) {
      const place = parsed(storage().getItem(key));
      if (place?.focus && /^-?\d+ \d{3,}$/.test(place.focus)) {
        storage().setItem(key, JSON.stringify({ ...place, focus: null }));
      }
    }
  } catch {
    // Storage is blocked: there are no hashes.
  }
}
forgetWords(() => sessionStorage);
forgetWords(() => localStorage);

/**
 * Keeps scroll and focus of a page under its address and goes back to them once the page is
 * `ready`. A page that was not seen before begins at `fallback`, with the focus on `heading`.
 */
export function usePagePosition(ready: boolean, fallback: () => number, heading: string): void {
  const path = location.pathname;
  useLayoutEffect(() => {
    if (!ready) return;
    const place = keptAt(path);
    const moved = shown !== null && shown !== path;
    shown = path;
    const now: Place = { path, scroll: place?.scroll ?? fallback(), focus: place?.focus ?? null };
    scrollTo(0, now.scroll);
    const target = (now.focus && named(now.focus)) || (moved ? document.querySelector<HTMLElement>(heading) : null);
    target?.focus({ preventScroll: true });
    keepAt(now);
    let timer = 0;
    const scrolled = (): void => {
      clearTimeout(timer);
      timer = window.setTimeout(rested, REST_MS);
    };
    const rested = (): void => {
      clearTimeout(timer);
      now.scroll = Math.round(scrollY);
      keepAt(now);
    };
    const focused = ({ target }: FocusEvent): void => {
      now.focus = target instanceof HTMLElement && target.matches(CONTROLS) ? nameOf(target) : null;
      // A tap on a link comes before the scroll has rested.
      rested();
    };
    addEventListener("scroll", scrolled, { passive: true });
    addEventListener("pagehide", rested);
    document.addEventListener("focusin", focused);
    return () => {
      clearTimeout(timer);
      removeEventListener("scroll", scrolled);
      removeEventListener("pagehide", rested);
      document.removeEventListener("focusin", focused);
    };
  }, [path, ready]);
}

/** Whether this page load has shown a record: then whoever sees the list has left it by hand. */
let recordShown = false;

/** Remembers that a record is open. */
export function useResumable(): void {
  useEffect(() => void (recordShown = true), []);
}

/** Takes the place where the app ended over into this page load, and forgets it; null without one. */
export function takeResumeTarget(): { id: string; href: string } | null {
  const place = recordShown ? null : last();
  const id = place?.path.split("/")[2];
  if (place && id) keepAt(place);
  forget(LAST);
  if (!place || !id) return null;
  return { id, href: place.path };
}

function lastOf(path: string): Place | null {
  const place = last();
  return place?.path === path ? place : null;
}

function last(): Place | null {
  return parsed(readPreference(LAST));
}

function parsed(text: string | null): Place | null {
  const place = JSON.parse(text ?? "null") as Partial<Place> | null;
  if (typeof place?.path !== "string") return null;
  return { path: place.path, scroll: Number(place.scroll) || 0, focus: place.focus ?? null };
}
