/** Carries what was typed over to a text that changed meanwhile. */

/** The one stretch in which two texts differ. */
export interface Stretch {
  at: number;
  deleted: number;
  inserted: string;
}

export function stretch(before: string, after: string): Stretch {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { at: head, deleted: before.length - head - tail, inserted: after.slice(head, after.length - tail) };
}

/** Where a place of `before` lies once a stretch of it was replaced. */
function moved(place: number, by: Stretch): number {
  if (place <= by.at) return place;
  const end = by.at + by.deleted;
  return place >= end ? place - by.deleted + by.inserted.length : by.at + by.inserted.length;
}

/**
 * `typed` grew out of `base` while `base` became `now`: the same typing on top of `now`, and where
 * a caret that stood at `caret` in `typed` stands then.
 */
export function rebase(base: string, typed: string, now: string, caret: number): { text: string; caret: number } {
  const own = stretch(base, typed);
  const theirs = stretch(base, now);
  const from = moved(own.at, theirs);
  const to = Math.max(from, moved(own.at + own.deleted, theirs));
  const text = now.slice(0, from) + own.inserted + now.slice(to);
  // The caret stays where it was within what was typed, or with the text around it.
  const inside = caret - own.at;
  if (inside >= 0 && inside <= own.inserted.length) return { text, caret: from + inside };
  const original = inside < 0 ? caret : caret - own.inserted.length + own.deleted;
  const there = moved(original, theirs);
  return { text, caret: inside < 0 ? there : there - (to - from) + own.inserted.length };
}
