/** A form whose contents are a draft until they are submitted or discarded (rule D7). */
import { useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { useDirtyForm } from "../ui/dirtyForms";
import type { Command, VisitView } from "../wasm/doorstep";
import { showToast } from "./state";
import type { OpenRecord } from "./useRecord";

export interface Form<T> {
  fields: T;
  set: (patch: Partial<T>) => void;
  /** Props that connect a control to one field. */
  bind: <K extends keyof T & string>(field: K) => Binding<T[K]>;
  /** Some field differs from its initial value. */
  dirty: boolean;
  /** Resets the form and offers to undo that. */
  discard: () => void;
  /** Applies a command and deletes the draft in one step; `undo` adds a message with an undo button. */
  submit: (command: Command, undo?: Undo) => Promise<VisitView | null>;
}

interface Binding<V> {
  control: string;
  value: V;
  onInput: (value: V) => void;
  onChange: (value: V) => void;
}

interface Undo {
  message: string;
  commands: readonly Command[];
}

/** `name` identifies the form within the record; `initial` are the values of an empty form. */
export function useForm<T extends Record<keyof T, string>>(record: OpenRecord, name: string, initial: T): Form<T> {
  const { drafts } = record;
  const blank = useRef(initial).current;
  const [fields, setFields] = useState(() => restore(drafts.byForm.get(name), blank));
  const current = useRef(fields);
  const dirty = differs(fields, blank);
  useDirtyForm(dirty);
  const show = (next: T): void => {
    current.current = next;
    setFields(next);
  };
  const put = (next: T): void => {
    show(next);
    drafts.save(name, differs(next, blank) ? JSON.stringify(next) : null);
  };
  return {
    fields,
    dirty,
    set: (patch) => put({ ...current.current, ...patch }),
    bind: (field) => {
      const set = (value: T[typeof field]): void => put({ ...current.current, [field]: value });
      return { control: `${name}.${field}`, value: fields[field], onInput: set, onChange: set };
    },
    discard: () => {
      const discarded = current.current;
      if (!differs(discarded, blank)) return;
      put(blank);
      showToast({ text: t("form/discarded"), undo: () => put(discarded) });
    },
    submit: async (command, undo) => {
      drafts.cancelSave(name);
      const view = await (undo
        ? record.applyWithUndo(command, undo.message, undo.commands, name)
        : record.apply(command, { form: name }));
      if (view) show(blank);
      else put(current.current);
      return view;
    },
  };
}

/** The fields of a draft that this version of the form knows. */
function restore<T extends Record<keyof T, string>>(text: string | undefined, blank: T): T {
  if (text === undefined) return blank;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return blank;
  }
  const known = Object.entries(read ?? {}).filter(([key, value]) => key in blank && typeof value === "string");
  return { ...blank, ...Object.fromEntries(known) };
}

function differs<T extends Record<keyof T, string>>(fields: T, blank: T): boolean {
  return (Object.keys(blank) as (keyof T)[]).some((key) => fields[key] !== blank[key]);
}
