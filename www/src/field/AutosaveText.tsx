/**
 * Text fields that save automatically: after a pause, on blur, and when the page is left.
 *
 * Changes from elsewhere never replace text that is being typed. Text that could not be saved stays
 * in the field.
 */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Fact, Field } from "../ui/components";
import { DateInput, isDateType } from "../ui/DateInput";
import { rebase } from "./rebase";
import { useAutosave, useUnsavedMark } from "./autosave";

interface Props {
  label: string;
  control: string;
  /** The saved text. */
  value: string;
  lines?: number;
  readOnly?: boolean | undefined;
  /** The text to show if the field is read-only; `value` by default. */
  shown?: string;
  hint?: string | undefined;
  type?: "text" | "datetime-local" | "date";
  /** An error message for a text that cannot be saved. */
  check?: (text: string) => string | undefined;
  /** Resolves to null if the text was not saved. */
  onSave: (text: string) => Promise<object | null>;
}

type TextInput = HTMLInputElement | HTMLTextAreaElement;

export function AutosaveText(props: Props): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const autosave = useAutosave(async () => {
    const text = current.current.typed;
    const { value, check, onSave } = current.current.props;
    if (text === null) return true;
    if (check?.(text)) return false;
    if (text !== value && !(await onSave(text))) return false;
    // More was typed meanwhile, which is saved next.
    if (current.current.typed !== text) return true;
    setTyped(null);
    current.current.typed = null;
    return true;
  });
  useUnsavedMark(typed !== null);
  const current = useRef({ typed, props });
  current.current = { typed, props };
  if (props.readOnly) return <Fact label={props.label}>{props.shown ?? props.value}</Fact>;
  return (
    <TextControl
      {...props}
      value={typed ?? props.value}
      error={typed === null ? undefined : props.check?.(typed)}
      onInput={(event) => {
        current.current.typed = event.currentTarget.value;
        setTyped(event.currentTarget.value);
        autosave.soon();
      }}
      onBlur={autosave.now}
    />
  );
}

/** A text and the heads of the record version that contains it. */
export interface TextVersion {
  text: string;
  heads: string[];
}

/** Typed text and the version that typing began from. */
interface Draft {
  text: string;
  base: TextVersion;
}

/** A text merged by character (notes or feedback), saved against the version that typing began from. */
export function MergedTextField(props: {
  label: string;
  control: string;
  lines: number;
  saved: TextVersion;
  readOnly: boolean;
  /** Resolves to the record's text after the save, or to null if the text was not saved. */
  onSave: (base: TextVersion, text: string) => Promise<TextVersion | null>;
}): JSX.Element {
  /** Null while the field shows the saved text. */
  const draft = useRef<Draft | null>(null);
  const control = useRef<TextInput | null>(null);
  const caret = useRef<number | null>(null);
  const [, draw] = useState(0);

  const autosave = useAutosave(async () => {
    const sent = draft.current;
    if (!sent) return true;
    const { text, base } = sent;
    const merged = text === base.text ? base : await props.onSave(base, text);
    if (!merged) return false;
    const now = draft.current;
    if (now && now.text !== text) {
      // More was typed while saving: move it onto the record's new text.
      const onto = rebase(text, now.text, merged.text, control.current?.selectionStart ?? now.text.length);
      draft.current = { text: onto.text, base: merged };
      caret.current = onto.text === now.text ? null : onto.caret;
    } else {
      draft.current = null;
    }
    draw((n) => n + 1);
    return true;
  });

  useUnsavedMark(draft.current !== null);
  useLayoutEffect(() => {
    if (caret.current === null) return;
    control.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  if (props.readOnly) return <Fact label={props.label}>{props.saved.text}</Fact>;
  return (
    <TextControl
      label={props.label}
      control={props.control}
      lines={props.lines}
      value={draft.current?.text ?? props.saved.text}
      onInput={(event) => {
        control.current = event.currentTarget;
        const base = draft.current?.base ?? props.saved;
        draft.current = { text: event.currentTarget.value, base };
        draw((n) => n + 1);
        autosave.soon();
      }}
      onBlur={autosave.now}
    />
  );
}

function TextControl(props: {
  label: string;
  control: string;
  lines?: number | undefined;
  type?: Props["type"];
  hint?: string | undefined;
  error?: string | undefined;
  value: string;
  onInput: (event: JSX.TargetedInputEvent<TextInput>) => void;
  onBlur: () => void;
}): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint} error={props.error}>
      {(id, describedBy) => {
        const common = {
          id,
          "data-control": props.control,
          "aria-describedby": describedBy,
          value: props.value,
          onInput: props.onInput,
          onBlur: props.onBlur,
        };
        if (isDateType(props.type)) return <DateInput type={props.type} {...common} />;
        return props.lines ? (
          <textarea rows={props.lines} class="textarea w-full" {...common} />
        ) : (
          <input type={props.type ?? "text"} class="input w-full" {...common} />
        );
      }}
    </Field>
  );
}
