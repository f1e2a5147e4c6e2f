/**
 * A text that saves itself: after a pause, when the field is left, and when the page is left.
 *
 * While a person types nothing from outside replaces what stands in the field.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../ui/parts";

/** A pause in typing after which the text is saved. */
const PAUSE_MS = 600;

interface Props {
  label: string;
  /** The text as the record has it. */
  value: string;
  lines?: number;
  disabled?: boolean | undefined;
  hint?: string;
  type?: "text" | "datetime-local" | "date";
  /** Resolves to whether it was saved. */
  onSave: (text: string) => Promise<boolean>;
}

export function AutoText(props: Props): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  /** What a late timer or an unmount must see: always the newest. */
  const now = useRef({ typed, props });
  now.current = { typed, props };

  const flush = async (): Promise<void> => {
    clearTimeout(timer.current);
    const { typed: text, props: current } = now.current;
    if (text === null) return;
    if (text === current.value) {
      setTyped(null);
      return;
    }
    const saved = await current.onSave(text);
    // Typed on meanwhile: that stays and is saved next. Not saved: it stays too.
    if (saved && now.current.typed === text) setTyped(null);
  };

  useEffect(() => {
    const leave = (): void => {
      if (document.visibilityState === "hidden") void flush();
    };
    document.addEventListener("visibilitychange", leave);
    return () => {
      document.removeEventListener("visibilitychange", leave);
      void flush();
    };
  }, []);

  const onInput = (event: JSX.TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>): void => {
    setTyped(event.currentTarget.value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void flush(), PAUSE_MS);
  };
  const common = {
    value: typed ?? props.value,
    disabled: props.disabled,
    onInput,
    onBlur: () => void flush(),
  };
  return (
    <Field label={props.label} hint={props.hint}>
      {(id, describedBy) =>
        props.lines ? (
          <textarea id={id} aria-describedby={describedBy} rows={props.lines} class="textarea w-full" {...common} />
        ) : (
          <input id={id} aria-describedby={describedBy} type={props.type ?? "text"} class="input w-full" {...common} />
        )
      }
    </Field>
  );
}

/** Notes or feedback, merged by character against the state that typing began from. */
export function Prose(props: {
  label: string;
  lines: number;
  value: string;
  heads: string[];
  disabled: boolean;
  hint?: string;
  onSave: (base: string[], text: string) => Promise<boolean>;
}): JSX.Element {
  const base = useRef({ heads: props.heads, value: props.value });
  const dirty = useRef(false);
  // What is typed builds on the text that the field was filled from.
  if (!dirty.current) base.current = { heads: props.heads, value: props.value };
  return (
    <div onInput={() => (dirty.current = true)}>
      <AutoText
        label={props.label}
        lines={props.lines}
        value={props.value}
        disabled={props.disabled}
        {...(props.hint ? { hint: props.hint } : {})}
        onSave={async (text) => {
          const saved = await props.onSave(base.current.heads, text);
          if (saved) dirty.current = false;
          return saved;
        }}
      />
    </div>
  );
}
