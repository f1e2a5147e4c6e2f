/**
 * Texts that save themselves: after a pause, when the field is left, and when the page is left.
 *
 * One save runs at a time. While a person types nothing from outside replaces what stands in the
 * field; what could not be saved stays there.
 */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Fact, Field } from "../ui/components";
import { rebase } from "./rebase";
import { useAutosave, useTyping } from "./autosave";

interface Props {
  label: string;
  /** The text as the record has it. */
  value: string;
  lines?: number;
  readOnly?: boolean | undefined;
  /** What stands there where nothing can be changed any more. */
  shown?: string;
  hint?: string | undefined;
  type?: "text" | "datetime-local" | "date";
  /** What is wrong with a text, if it cannot be saved. */
  check?: (text: string) => string | undefined;
  /** Resolves to something where it was saved, to null where it was not. */
  onSave: (text: string) => Promise<object | null>;
}

type Control = HTMLInputElement | HTMLTextAreaElement;

export function AutosaveText(props: Props): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const saving = useAutosave(async () => {
    const text = current.current.typed;
    const { value, check, onSave } = current.current.props;
    if (text === null) return true;
    if (check?.(text)) return false;
    if (text !== value && !(await onSave(text))) return false;
    // Typed on meanwhile: that stays and is saved next.
    if (current.current.typed !== text) return true;
    setTyped(null);
    current.current.typed = null;
    return true;
  });
  useTyping(typed !== null);
  const current = useRef({ typed, props });
  current.current = { typed, props };
  if (props.readOnly) return <Fact label={props.label}>{props.shown ?? props.value}</Fact>;
  return (
    <Control
      {...props}
      value={typed ?? props.value}
      error={typed === null ? undefined : props.check?.(typed)}
      onInput={(event) => {
        current.current.typed = event.currentTarget.value;
        setTyped(event.currentTarget.value);
        saving.soon();
      }}
      onBlur={saving.now}
    />
  );
}

/** A text of the record, and the state of the record that says so. */
export interface TextVersion {
  text: string;
  heads: string[];
}

/** What a prose field shows, and the state of the record that it was filled from. */
interface Draft {
  text: string;
  base: TextVersion;
}

/** Notes or feedback, merged by character against the state that typing began from. */
export function MergedTextField(props: {
  label: string;
  lines: number;
  state: TextVersion;
  readOnly: boolean;
  /** Resolves to the record's text after the save, or to null where it was not saved. */
  onSave: (base: TextVersion, text: string) => Promise<TextVersion | null>;
}): JSX.Element {
  /** Null while the field shows the record's own text. */
  const draft = useRef<Draft | null>(null);
  const control = useRef<Control | null>(null);
  const caret = useRef<number | null>(null);
  const [, draw] = useState(0);

  const saving = useAutosave(async () => {
    const sent = draft.current;
    if (!sent) return true;
    const { text, base } = sent;
    const merged = text === base.text ? base : await props.onSave(base, text);
    if (!merged) return false;
    const now = draft.current;
    if (now && now.text !== text) {
      // Typed on meanwhile: that builds on what was sent, and goes on top of what the record says.
      const onto = rebase(text, now.text, merged.text, control.current?.selectionStart ?? now.text.length);
      draft.current = { text: onto.text, base: merged };
      caret.current = onto.text === now.text ? null : onto.caret;
    } else {
      draft.current = null;
    }
    draw((n) => n + 1);
    return true;
  });

  useTyping(draft.current !== null);
  useLayoutEffect(() => {
    if (caret.current === null) return;
    control.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  if (props.readOnly) return <Fact label={props.label}>{props.state.text}</Fact>;
  return (
    <Control
      label={props.label}
      lines={props.lines}
      value={draft.current?.text ?? props.state.text}
      onInput={(event) => {
        control.current = event.currentTarget;
        const base = draft.current?.base ?? props.state;
        draft.current = { text: event.currentTarget.value, base };
        draw((n) => n + 1);
        saving.soon();
      }}
      onBlur={saving.now}
    />
  );
}

function Control(props: {
  label: string;
  lines?: number | undefined;
  type?: Props["type"];
  hint?: string | undefined;
  error?: string | undefined;
  value: string;
  onInput: (event: JSX.TargetedInputEvent<Control>) => void;
  onBlur: () => void;
}): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint} error={props.error}>
      {(id, describedBy) => {
        const common = {
          id,
          "aria-describedby": describedBy,
          value: props.value,
          onInput: props.onInput,
          onBlur: props.onBlur,
        };
        return props.lines ? (
          <textarea rows={props.lines} class="textarea w-full" {...common} />
        ) : (
          <input type={props.type ?? "text"} class="input w-full" {...common} />
        );
      }}
    </Field>
  );
}
