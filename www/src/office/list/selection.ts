/** The chosen rows and the row with the cursor. */
import { useState } from "preact/hooks";
import type { OfficeRow } from "../api";

export interface Selection {
  chosen: ReadonlySet<string>;
  /** Id of the row with the cursor. */
  cursor: string | null;
  /** Moves the cursor; with `extend`, selects the rows between. */
  move: (to: string, extend?: boolean) => void;
  toggle: (id: string) => void;
  choose: (ids: Iterable<string>) => void;
  clear: () => void;
}

export function useSelection(rows: readonly OfficeRow[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<string | null>(null);
  /** Where a range begins. */
  const [anchor, setAnchor] = useState<string | null>(null);
  return {
    chosen,
    cursor,
    move: (to, extend = false) => {
      setCursor(to);
      if (!extend) return setAnchor(to);
      const at = (id: string | null): number => rows.findIndex((row) => row.id === id);
      const from = at(anchor ?? cursor ?? to);
      const [start, end] = [Math.min(from, at(to)), Math.max(from, at(to))];
      setChosen(new Set([...chosen, ...rows.slice(Math.max(0, start), end + 1).map((row) => row.id)]));
    },
    toggle: (id) => {
      const next = new Set(chosen);
      if (!next.delete(id)) next.add(id);
      setChosen(next);
      setCursor(id);
      setAnchor(id);
    },
    choose: (ids) => setChosen(new Set(ids)),
    clear: () => setChosen(new Set()),
  };
}
