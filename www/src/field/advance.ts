/** Moves the next control to where the answered question was, so that the thumb can stay. */

/** A tap meant for the question before must not answer the one that has moved under the thumb. */
const SETTLE_MS = 600;

const OPEN_QUESTIONS = "[role=radiogroup]:not(:has([aria-checked=true]))";

/**
 * `control` is the `data-control` of the question that was answered by a tap, `to` that of the next
 * control; by default it is the next open question.
 */
export function advance(control: string, to?: string): void {
  const from = find(control);
  if (!from) return;
  const follows = (other: Element): boolean =>
    (from.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  const next = to ? find(to) : [...document.querySelectorAll<HTMLElement>(OPEN_QUESTIONS)].find(follows);
  if (!next) return;
  next.style.pointerEvents = "none";
  setTimeout(() => (next.style.pointerEvents = ""), SETTLE_MS);
  const top = next.getBoundingClientRect().top - from.getBoundingClientRect().top;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scrollBy({ top, behavior: calm ? "auto" : "smooth" });
}

function find(control: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-control="${CSS.escape(control)}"]`);
}
