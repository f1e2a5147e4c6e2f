/** Unsaved edits of a form, which stay when the record is refreshed. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { fromLocalInput } from "../ui/format";
import { Alert, Field } from "../ui/components";
import type { Command } from "./api";

/** Sends a command; gives an error text, or null once the office has accepted it. */
export type Apply = (command: Command) => Promise<string | null>;

type Edits<T> = { [K in keyof T]?: { typed: string; base: string } };

export interface Draft<T extends Record<string, string>> {
  /** The values that the form shows. */
  value: T;
  /** The values that differ from the record. */
  touched: Partial<T>;
  dirty: boolean;
  set: (key: keyof T, typed: string) => void;
  /** Drops the edits that were saved; edits made since stay. */
  markSaved: (sent: Partial<T>) => void;
  discard: () => void;
  /** The record's current value if someone else changed it during the edit. */
  changedTo: (key: keyof T) => string | undefined;
}

export function useDraft<T extends Record<string, string>>(saved: T): Draft<T> {
  const [edits, setEdits] = useState<Edits<T>>({});
  const keys = Object.keys(edits) as (keyof T)[];
  const touched: Partial<T> = {};
  for (const key of keys) touched[key] = edits[key]?.typed as T[keyof T];
  useUnloadWarning(keys.length > 0);
  return {
    value: { ...saved, ...touched },
    touched,
    dirty: keys.length > 0,
    set: (key, typed) =>
      setEdits((before) => {
        const next = { ...before };
        if (typed === saved[key]) delete next[key];
        else next[key] = { typed, base: before[key]?.base ?? saved[key] ?? "" };
        return next;
      }),
    markSaved: (sent) =>
      setEdits((before) => {
        const next = { ...before };
        for (const key of Object.keys(sent) as (keyof T)[]) if (next[key]?.typed === sent[key]) delete next[key];
        return next;
      }),
    discard: () => setEdits({}),
    changedTo: (key) => {
      const edit = edits[key];
      return edit && saved[key] !== edit.base && saved[key] !== edit.typed ? saved[key] : undefined;
    },
  };
}

/** Makes the browser ask before it closes a page with unsaved edits. */
export function useUnloadWarning(dirty: boolean): void {
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [dirty]);
}

/** The time in ms of a time field; null if it is empty or incomplete. */
export function inputTime(text: string, zone: string): number | null {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? fromLocalInput(text.slice(0, 16), zone) : null;
}

/** Labelled input over one field of a draft. */
export function DraftInput<T extends Record<string, string>>(props: {
  draft: Draft<T>;
  field: keyof T & string;
  label: string;
  type?: "text" | "date" | "datetime-local";
  rows?: number;
  error?: string | undefined;
}): JSX.Element {
  const { draft, field } = props;
  const moved = draft.changedTo(field);
  const hint = moved === undefined ? undefined : t("office/moved", { value: moved.replace("T", " ") || "–" });
  return (
    <Field label={props.label} hint={hint} error={props.error}>
      {(id, note) =>
        props.rows ? (
          <textarea
            id={id}
            aria-describedby={note}
            rows={props.rows}
            class="textarea w-full"
            value={draft.value[field]}
            onInput={(event) => draft.set(field, event.currentTarget.value)}
          />
        ) : (
          <input
            id={id}
            aria-describedby={note}
            aria-invalid={props.error ? true : undefined}
            type={props.type ?? "text"}
            class="input w-full"
            value={draft.value[field]}
            onInput={(event) => draft.set(field, event.currentTarget.value)}
          />
        )
      }
    </Field>
  );
}

interface Submit {
  busy: boolean;
  error: string | null;
  saved: boolean;
  /** Sends a command; true once the office has it. */
  send: (command: Command) => Promise<boolean>;
}

/** Sends a form's commands and tracks the result. */
export function useSubmit(apply: Apply): Submit {
  const [state, setState] = useState({ busy: false, error: null as string | null, saved: false });
  const send = async (command: Command): Promise<boolean> => {
    setState({ busy: true, error: null, saved: false });
    const error = await apply(command);
    setState({ busy: false, error, saved: error === null });
    return error === null;
  };
  return { ...state, send };
}

/** The result of the last save, announced by screen readers. */
export function SubmitResult({ submit, quiet }: { submit: Submit; quiet?: boolean }): JSX.Element {
  return (
    <>
      {submit.error && <Alert tone="error">{submit.error}</Alert>}
      <p role="status" class="text-success min-h-5 text-sm empty:hidden">
        {submit.saved && !quiet ? t("office/saved") : ""}
      </p>
    </>
  );
}

/** The props of the parts of a record that the office edits. */
export interface FormProps {
  view: VisitView;
  apply: Apply;
  /** Whether the signed-in user may edit. */
  writes: boolean;
}
