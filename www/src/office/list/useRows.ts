/**
 * The rows of a list, loaded in pages, and kept current without moving anything.
 *
 * When something changes at the office, the first pages are read again. Rows that are shown get
 * their new values where they are; rows that came, went or moved are only counted until the user
 * asks for them.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type OfficeRow, type Page } from "../api";
import { explain } from "../state";
import { changes } from "./live";

/** Rows of a page: the most that the office gives. */
const PAGE = 200;

/** Pages that are read again when something changes. */
const FRESH_PAGES = 2;

/** Rows that are loaded to select all: more cannot be worked on at once. */
export const MAX_SELECTED = 5_000;

export interface Rows {
  rows: OfficeRow[];
  total: number;
  /** The largest total: it means this many or more. */
  maxTotal: number;
  more: boolean;
  loading: boolean;
  error: string | null;
  /** How many rows came or went since the rows were loaded. */
  waiting: number;
  /** Shown rows that the filter no longer passes. */
  gone: ReadonlySet<string>;
  loadMore: () => void;
  /** Loads everything, up to a bound. Null after an error. */
  loadAll: () => Promise<OfficeRow[] | null>;
  reload: () => void;
}

interface Loaded {
  rows: OfficeRow[];
  next: string | null;
  total: number;
  maxTotal: number;
}

const NOTHING: Loaded = { rows: [], next: null, total: 0, maxTotal: Infinity };
const NONE: ReadonlySet<string> = new Set();

export function useRows(query: string): Rows {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [fresh, setFresh] = useState<{ came: number; gone: ReadonlySet<string> }>({ came: 0, gone: NONE });
  const [error, setError] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  /** The active request; responses to superseded requests are ignored. */
  const active = useRef<AbortController | null>(null);
  const current = useRef<Loaded | null>(null);
  current.current = loaded;

  const request = async (work: (signal: AbortSignal) => Promise<Loaded>): Promise<Loaded | null> => {
    active.current?.abort();
    const controller = new AbortController();
    active.current = controller;
    setLoading(true);
    try {
      const next = await work(controller.signal);
      if (controller.signal.aborted) return null;
      setLoaded(next);
      setError(null);
      return next;
    } catch (cause) {
      if (!controller.signal.aborted) setError(explain(cause));
      return null;
    } finally {
      if (!controller.signal.aborted) setLoading(false);
    }
  };
  const page = (after: string | null, signal: AbortSignal): Promise<Page> =>
    api.visits(`${query}&limit=${PAGE}${after ? `&after=${encodeURIComponent(after)}` : ""}`, signal);
  const first = (): void => {
    setFresh({ came: 0, gone: NONE });
    void request(async (signal) => joined(NOTHING, await page(null, signal)));
  };

  useEffect(() => {
    setLoaded(null);
    first();
    return () => active.current?.abort();
  }, [query]);

  // Reads the first pages again, beside whatever else is loaded.
  useEffect(() => {
    if (changes.value === 0 || !current.current) return;
    const controller = new AbortController();
    const before = current.current;
    void (async () => {
      let now = NOTHING;
      const pages = Math.min(FRESH_PAGES, Math.max(1, Math.ceil(before.rows.length / PAGE)));
      for (let n = 0; n < pages; n++) {
        now = joined(now, await page(now.next, controller.signal));
        if (!now.next) break;
      }
      if (controller.signal.aborted) return;
      const compared = compare(current.current ?? before, now);
      setLoaded(compared.loaded);
      setFresh(compared);
    })().catch((cause: unknown) => {
      if (!controller.signal.aborted) setError(explain(cause));
    });
    return () => controller.abort();
  }, [changes.value, query]);

  const { rows, next, total, maxTotal } = loaded ?? NOTHING;
  return {
    rows,
    total,
    maxTotal,
    more: next !== null,
    loading,
    error,
    waiting: fresh.came + fresh.gone.size,
    gone: fresh.gone,
    loadMore: () => {
      if (loading || !loaded || next === null) return;
      void request(async (signal) => joined(loaded, await page(next, signal)));
    },
    loadAll: async () => {
      let all = loaded ?? NOTHING;
      if (next === null) return all.rows;
      const end = await request(async (signal) => {
        while (all.next !== null && all.rows.length < MAX_SELECTED) all = joined(all, await page(all.next, signal));
        return all;
      });
      return end?.rows.slice(0, MAX_SELECTED) ?? null;
    },
    reload: first,
  };
}

/** Both; a row that moved between them because of an edit appears once. */
function joined(before: Loaded, following: Page): Loaded {
  const known = new Set(before.rows.map((row) => row.id));
  return {
    rows: [...before.rows, ...following.rows.filter((row) => !known.has(row.id))],
    next: following.next ?? null,
    total: following.total,
    maxTotal: following.max_total,
  };
}

/** Shown rows with their newest values, and what differs otherwise. */
function compare(before: Loaded, now: Loaded): { loaded: Loaded; came: number; gone: ReadonlySet<string> } {
  const newest = new Map(now.rows.map((row) => [row.id, row]));
  const shown = new Set(before.rows.map((row) => row.id));
  // Beyond the pages that were read again nothing is known.
  const covered = now.next === null ? before.rows : before.rows.slice(0, now.rows.length);
  const gone = new Set(covered.filter((row) => !newest.has(row.id)).map((row) => row.id));
  const last = before.next === null ? now.rows.length : before.rows.length;
  const came = now.rows.slice(0, last).filter((row) => !shown.has(row.id)).length;
  const rows = before.rows.map((row) => newest.get(row.id) ?? row);
  return { loaded: { ...before, rows, total: now.total }, came, gone };
}
