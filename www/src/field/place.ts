/**
 * Where the person was: scroll and focus of each page, and the record that was open when the
 * system ended the app. The step itself stands in the address.
 */
import { useEffect, useLayoutEffect } from "preact/hooks";
import { forget, remember, remembered } from "../ui/remember";

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
  if (place.path.startsWith("/visit/")) remember(LAST, JSON.stringify(place));
}

/**
 * Names a control by its words, as a number that tells nothing about them, and by its place among
 * those of the same words.
 */
function nameOf(control: Element): string {
  const words = wordsOf(control);
  return `${controlsOf(words).indexOf(control as HTMLElement)} ${words}`;
}

function named(name: string): HTMLElement | undefined {
  const [at, words] = name.split(" ").map(Number);
  return controlsOf(words ?? 0)[at ?? -1];
}

function controlsOf(words: number): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(CONTROLS)].filter((control) => wordsOf(control) === words);
}

function wordsOf(control: Element): number {
  const label = "labels" in control ? (control as HTMLInputElement).labels?.[0]?.textContent : null;
  const words = control.getAttribute("aria-label") ?? label ?? control.textContent ?? "";
  let hash = 0x811c9dc5;
  for (let at = 0; at < words.length; at += 1) hash = Math.imul(hash ^ words.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/**
 * Keeps scroll and focus of a page under its address and goes back to them once the page is
 * `ready`. A page that was not seen before begins at `fallback`, with the focus on `heading`.
 */
export function usePlace(ready: boolean, fallback: () => number, heading: string): void {
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
      now.focus = target instanceof Element && target.matches(CONTROLS) ? nameOf(target) : null;
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
export function useLastPlace(): void {
  useEffect(() => void (recordShown = true), []);
}

/** Takes the place where the app ended over into this page load, and forgets it; null without one. */
export function takeLastPlace(): { id: string; href: string } | null {
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
  return parsed(remembered(LAST));
}

function parsed(text: string | null): Place | null {
  const place = JSON.parse(text ?? "null") as Partial<Place> | null;
  if (typeof place?.path !== "string") return null;
  return { path: place.path, scroll: Number(place.scroll) || 0, focus: place.focus ?? null };
}
