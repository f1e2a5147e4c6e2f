/** The records before and after one in the list that its reader came from. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { officeQuery } from "../list/query";

/** Rows of a page, the office's maximum. */
const PAGE = 200;
/** Pages that are searched for the record; further down it has no place in the queue. */
const MAX_PAGES = 5;

/** The list as far as it was loaded. Records that leave the filter keep their place until it is loaded again. */
interface Queue {
  query: string;
  ids: string[];
  after: string | null;
  total: number;
}
let queue: Queue | null = null;

export interface Neighbours {
  /** Position from 1; null if the record is not in the list. */
  position: number | null;
  total: number;
  previous: string | null;
  next: string | null;
}

export function useNeighbours(id: string, search: string): Neighbours | null {
  const [found, setFound] = useState<Neighbours | null>(null);
  const query = officeQuery(search).toString();
  useEffect(() => {
    const request = new AbortController();
    // Without the queue the record can still be read: a failure only leaves out the links.
    void neighbours(id, query, request.signal).then(setFound, () => undefined);
    return () => request.abort();
  }, [id, query]);
  return found;
}

async function neighbours(id: string, query: string, signal: AbortSignal): Promise<Neighbours> {
  if (queue?.query !== query || !queue.ids.includes(id)) queue = { query, ids: [], after: "", total: 0 };
  const list = queue;
  const wanted = (): boolean => {
    const at = list.ids.indexOf(id);
    return at < 0 ? list.ids.length < PAGE * MAX_PAGES : at + 1 >= list.ids.length;
  };
  while (list.after !== null && wanted()) {
    const cursor = list.after && `&after=${encodeURIComponent(list.after)}`;
    const page = await api.visits(`${list.query}&limit=${PAGE}${cursor}`, signal);
    const known = new Set(list.ids);
    list.ids.push(...page.rows.map((row) => row.id).filter((row) => !known.has(row)));
    list.after = page.next ?? null;
    list.total = page.total;
  }
  const at = list.ids.indexOf(id);
  return {
    position: at < 0 ? null : at + 1,
    total: Math.max(list.total, list.ids.length),
    previous: at > 0 ? (list.ids[at - 1] ?? null) : null,
    next: (at < 0 ? list.ids[0] : list.ids[at + 1]) ?? null,
  };
}
