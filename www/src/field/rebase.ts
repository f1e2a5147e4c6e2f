/** Moves typed text onto a newer version of the text it was typed into. */

/** The one span in which two texts differ, in UTF-16 units. */
interface Splice {
  at: number;
  deleted: number;
  inserted: string;
}

/** The splice that turns `before` into `after`. */
export function spliceBetween(before: string, after: string): Splice {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { at: head, deleted: before.length - head - tail, inserted: after.slice(head, after.length - tail) };
}

/** The position in the text after a splice that corresponds to `position` before it. */
function mapPosition(position: number, splice: Splice): number {
  if (position <= splice.at) return position;
  const end = splice.at + splice.deleted;
  return position >= end ? position - splice.deleted + splice.inserted.length : splice.at + splice.inserted.length;
}

/**
 * `base` was edited to `typed` here and to `now` elsewhere. Gives `now` with the edit made here
 * applied to it, and the caret's position in the result.
 */
export function rebase(base: string, typed: string, now: string, caret: number): { text: string; caret: number } {
  const own = spliceBetween(base, typed);
  const theirs = spliceBetween(base, now);
  const from = mapPosition(own.at, theirs);
  const to = Math.max(from, mapPosition(own.at + own.deleted, theirs));
  const text = now.slice(0, from) + own.inserted + now.slice(to);
  // Inside the inserted text the caret keeps its offset; outside it moves with the surrounding text.
  const offset = caret - own.at;
  if (offset >= 0 && offset <= own.inserted.length) return { text, caret: from + offset };
  const original = offset < 0 ? caret : caret - own.inserted.length + own.deleted;
  const mapped = mapPosition(original, theirs);
  return { text, caret: offset < 0 ? mapped : mapped - (to - from) + own.inserted.length };
}
