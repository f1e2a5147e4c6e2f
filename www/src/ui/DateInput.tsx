/**
 * A native date or time input that shows its value in the page's language.
 *
 * Browsers write these inputs in their own language, whatever the page's. The browser's picker is
 * kept: it is the one that the phone's owner knows, and it needs no code.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { formatInput } from "./format";

const DATE_TYPES = ["date", "datetime-local", "time"] as const;
type DateType = (typeof DATE_TYPES)[number];

export function isDateType(type: string | undefined): type is DateType {
  return DATE_TYPES.some((known) => known === type);
}

type Props = Pick<
  JSX.IntrinsicElements["input"],
  "id" | "value" | "min" | "max" | "onInput" | "onBlur" | "aria-describedby"
> & { type: DateType; value: string; "data-control"?: string | undefined };

export function DateInput(props: Props): JSX.Element {
  const { onBlur, ...input } = props;
  /** While a keyboard changes single parts, the browser's own text shows which part. */
  const [typing, setTyping] = useState(false);
  const shown = formatInput(props.type, props.value);
  return (
    <div
      class="input date-input grid h-auto min-h-(--size) w-full grid-cols-1 *:[grid-area:1/1]"
      data-typing={typing || undefined}
    >
      <input
        {...input}
        class="w-full"
        onClick={(event) => openPicker(event.currentTarget)}
        onKeyDown={({ key }) => setTyping(key !== "Tab" && key !== "Escape")}
        onBlur={(event) => {
          setTyping(false);
          onBlur?.(event);
        }}
      />
      {!typing && (
        <span
          aria-hidden="true"
          data-shown
          class={`pointer-events-none mr-7 flex min-w-0 items-center py-1 leading-tight whitespace-normal ${shown ? "" : "muted"}`}
        >
          {shown || t(props.type === "time" ? "app/choose_time" : "app/choose_date")}
        </span>
      )}
    </div>
  );
}

/** The whole field opens the picker, not only its small icon. */
function openPicker(input: HTMLInputElement): void {
  try {
    input.showPicker();
  } catch {
    // Not in this browser, or not now: the icon still opens it.
  }
}
