/** Moves the next open question to where the answered one was, so that the thumb can stay. */

/** A tap meant for the question before must not answer the one that has moved under the thumb. */
const SETTLE_MS = 600;

const OPEN_QUESTIONS = "[role=radiogroup]:not(:has([aria-checked=true]))";

/** `control` is the `data-control` of the radio group that was answered by a tap. */
export function advance(control: string): void {
  const from = document.querySelector<HTMLElement>(`[role=radiogroup][data-control="${CSS.escape(control)}"]`);
  if (!from) return;
  const follows = (other: Element): boolean =>
    (from.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  const next = [...document.querySelectorAll<HTMLElement>(OPEN_QUESTIONS)].find(follows);
  if (!next) return;
  next.style.pointerEvents = "none";
  setTimeout(() => (next.style.pointerEvents = ""), SETTLE_MS);
  const top = next.getBoundingClientRect().top - from.getBoundingClientRect().top;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scrollBy({ top, behavior: calm ? "auto" : "smooth" });
}
