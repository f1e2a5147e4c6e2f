/** What is typed over what the record says, kept until it is saved, whatever comes in meanwhile. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { fromLocalInput } from "../ui/format";
import { Alert, Field } from "../ui/components";
import type { Command } from "./api";

/** Carries out a command; gives an error in words, or null once the office has it. */
export type Apply = (command: Command) => Promise<string | null>;

type Edits<T> = { [K in keyof T]?: { typed: string; over: string } };

export interface Draft<T extends Record<string, string>> {
  /** What the form shows. */
  value: T;
  /** What differs from the record. */
  touched: Partial<T>;
  dirty: boolean;
  set: (key: keyof T, typed: string) => void;
  /** Lets go of what was sent; what was typed since stays. */
  settle: (sent: Partial<T>) => void;
  discard: () => void;
  /** What the record says now where somebody else changed it under the typing. */
  moved: (key: keyof T) => string | undefined;
}

export function useDraft<T extends Record<string, string>>(saved: T): Draft<T> {
  const [edits, setEdits] = useState<Edits<T>>({});
  const keys = Object.keys(edits) as (keyof T)[];
  const touched: Partial<T> = {};
  for (const key of keys) touched[key] = edits[key]?.typed as T[keyof T];
  useGuard(keys.length > 0);
  return {
    value: { ...saved, ...touched },
    touched,
    dirty: keys.length > 0,
    set: (key, typed) =>
      setEdits((before) => {
        const next = { ...before };
        if (typed === saved[key]) delete next[key];
        else next[key] = { typed, over: before[key]?.over ?? saved[key] ?? "" };
        return next;
      }),
    settle: (sent) =>
      setEdits((before) => {
        const next = { ...before };
        for (const key of Object.keys(sent) as (keyof T)[]) if (next[key]?.typed === sent[key]) delete next[key];
        return next;
      }),
    discard: () => setEdits({}),
    moved: (key) => {
      const edit = edits[key];
      return edit && saved[key] !== edit.over && saved[key] !== edit.typed ? saved[key] : undefined;
    },
  };
}

/** The browser asks before a page with unsaved typing is closed. */
export function useGuard(dirty: boolean): void {
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [dirty]);
}

/** The moment in a time field; an empty or unfinished one holds none. */
export function momentIn(text: string, zone: string): number | null {
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
  const moved = draft.moved(field);
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

export interface Sending {
  busy: boolean;
  error: string | null;
  saved: boolean;
  /** Sends a command; true once the office has it. */
  send: (command: Command) => Promise<boolean>;
}

/** One form's way to the office: what it is doing, and what came of it. */
export function useSending(apply: Apply): Sending {
  const [state, setState] = useState({ busy: false, error: null as string | null, saved: false });
  const send = async (command: Command): Promise<boolean> => {
    setState({ busy: true, error: null, saved: false });
    const error = await apply(command);
    setState({ busy: false, error, saved: error === null });
    return error === null;
  };
  return { ...state, send };
}

/** What came of the last save, read out. */
export function Result({ sending, quiet }: { sending: Sending; quiet?: boolean }): JSX.Element {
  return (
    <>
      {sending.error && <Alert tone="error">{sending.error}</Alert>}
      <p role="status" class="text-success min-h-5 text-sm empty:hidden">
        {sending.saved && !quiet ? t("office/saved") : ""}
      </p>
    </>
  );
}
