/** A text that may be long: it scrolls where it stands, by finger and by key. */
import type { JSX } from "preact";

/** Characters that are shown whole: some ten lines beside another text on a phone. */
const SHORT = 300;

export function ScrollableText({ label, text }: { label: string; text: string }): JSX.Element {
  if (text.length <= SHORT) return <>{text}</>;
  return (
    <div role="group" aria-label={label} tabIndex={0} class="max-h-48 overflow-y-auto">
      {text}
    </div>
  );
}
