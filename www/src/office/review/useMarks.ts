/** The marks of a review that is being written: a note by path, in the order of marking. */
import { useState } from "preact/hooks";

export interface MarkNotes {
  notes: ReadonlyMap<string, string>;
  toggle: (path: string) => void;
  write: (path: string, note: string) => void;
  clear: () => void;
}

export function useMarks(): MarkNotes {
  const [notes, setNotes] = useState<ReadonlyMap<string, string>>(new Map());
  const change = (edit: (next: Map<string, string>) => void): void =>
    setNotes((now) => {
      const next = new Map(now);
      edit(next);
      return next;
    });
  return {
    notes,
    toggle: (path) => change((next) => void (next.delete(path) || next.set(path, ""))),
    write: (path, note) => change((next) => next.set(path, note)),
    clear: () => setNotes(new Map()),
  };
}
