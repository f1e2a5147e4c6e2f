/** A form: what stands in it is kept until it is handed in or discarded (rule D7). */
import { useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { useDirtyForm } from "../ui/dirtyForms";
import type { Command, VisitView } from "../wasm/doorstep";
import { showToast } from "./state";
import type { OpenRecord } from "./useRecord";

export interface Form<T> {
  fields: T;
  set: (patch: Partial<T>) => void;
  /** What takes one field's value in. */
  into: <K extends keyof T>(field: K) => (value: T[K]) => void;
  /** It holds something that it did not begin with. */
  begun: boolean;
  /** Empties the form, and offers the way back. */
  discard: () => void;
  /** Carries a command out and empties the form, in one; with `undo` the way back is offered. */
  handIn: (command: Command, undo?: Undo) => Promise<VisitView | null>;
}

interface Undo {
  said: string;
  back: readonly Command[];
}

/** A form about a record, by a name of its own; `blank` is what it begins with. */
export function useForm<T extends Record<keyof T, string>>(record: OpenRecord, name: string, blank: T): Form<T> {
  const { drafts } = record;
  const begin = useRef(blank).current;
  const [fields, setFields] = useState(() => restored(drafts.kept.get(name), begin));
  const current = useRef(fields);
  const begun = differs(fields, begin);
  useDirtyForm(begun);
  const show = (next: T): void => {
    current.current = next;
    setFields(next);
  };
  const put = (next: T): void => {
    show(next);
    drafts.keep(name, differs(next, begin) ? JSON.stringify(next) : null);
  };
  return {
    fields,
    begun,
    set: (patch) => put({ ...current.current, ...patch }),
    into: (field) => (value) => put({ ...current.current, [field]: value }),
    discard: () => {
      const was = current.current;
      if (!differs(was, begin)) return;
      put(begin);
      showToast({ text: t("form/discarded"), undo: () => put(was) });
    },
    handIn: async (command, undo) => {
      drafts.hold(name);
      const done = await (undo
        ? record.applyWithUndo(command, undo.said, undo.back, name)
        : record.apply(command, { form: name }));
      if (done) show(begin);
      else put(current.current);
      return done;
    },
  };
}

/** The fields that a text holds, as far as this version of the form knows them. */
function restored<T extends Record<keyof T, string>>(text: string | undefined, blank: T): T {
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
