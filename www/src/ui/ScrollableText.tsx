/** A text that scrolls in place if it is long, by touch and by keyboard. */
import type { JSX } from "preact";

/** Texts up to this length are shown whole: about ten lines in half of a phone's width. */
const SHORT = 300;

export function ScrollableText({ label, text }: { label: string; text: string }): JSX.Element {
  if (text.length <= SHORT) return <>{text}</>;
  return (
    <div role="group" aria-label={label} tabIndex={0} class="max-h-48 overflow-y-auto">
      {text}
    </div>
  );
}
