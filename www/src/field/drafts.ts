/**
 * Forms that are begun and not handed in: kept on this phone as they are typed, sealed, until they
 * are handed in or discarded (rule D7).
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../core/api";
import { t } from "../i18n";
import { useUnfinished } from "../ui/unfinished";
import type { Command, VisitView } from "../wasm/doorstep";
import { useSaving, useTyping } from "./saving";
import { client, restarts, save, saving, showToast } from "./state";
import type { OpenRecord } from "./useRecord";

/** What is begun about one record. */
export interface Drafts {
  /** Texts by form, as they were kept last. */
  kept: ReadonlyMap<string, string>;
  /** Has a text stand in a form, or nothing. */
  keep: (form: string, text: string | null) => void;
  /** Nothing of this form is written any more: it is being handed in. */
  hold: (form: string) => void;
  /** The core has emptied the form. */
  emptied: (form: string) => void;
}

/** A core that failed meanwhile is asked again: the same text twice is the text. */
async function write(id: string, form: string, text: string | null): Promise<void> {
  try {
    await client.keepDraft(id, form, text);
  } catch (cause) {
    if (!(cause instanceof ClientError) || cause.code !== "restarted") throw cause;
    await client.keepDraft(id, form, text);
  }
}

/** Null until the core has said what is begun. */
export function useDrafts(id: string): Drafts | null {
  const [kept, setKept] = useState<ReadonlyMap<string, string> | null>(null);
  /** What the core has not taken yet. */
  const waiting = useRef(new Map<string, string | null>()).current;
  const [unsaved, setUnsaved] = useState(false);
  const writing = useSaving(async () => {
    saving.value += 1;
    try {
      for (const [form, text] of waiting) {
        await write(id, form, text);
        if (waiting.get(form) === text) waiting.delete(form);
      }
      return true;
    } catch {
      // It stays in the form, and the page says that it is not saved.
      return false;
    } finally {
      saving.value -= 1;
      setUnsaved(waiting.size > 0);
    }
  });
  useTyping(unsaved);
  useEffect(() => {
    let live = true;
    const read = (): void =>
      void client.drafts(id).then(
        (drafts) => live && setKept((before) => before ?? new Map(drafts.map(({ form, text }) => [form, text]))),
        // Nobody types into forms that may hold something else: a core that failed is asked again.
        () => undefined,
      );
    const known = restarts.value;
    const stopReading = restarts.subscribe((times) => void (times !== known && read()));
    read();
    // What a full phone refused goes once there is room again.
    const stop = save.subscribe((state) => {
      if (state?.state === "saved" && waiting.size > 0) writing.soon();
    });
    return () => {
      live = false;
      stop();
      stopReading();
    };
  }, [id]);
  const show = (form: string, text: string | null): void =>
    setKept((before) => {
      const next = new Map(before);
      if (text === null) next.delete(form);
      else next.set(form, text);
      return next;
    });
  return (
    kept && {
      kept,
      keep: (form, text) => {
        waiting.set(form, text);
        setUnsaved(true);
        show(form, text);
        writing.soon();
      },
      hold: (form) => void waiting.delete(form),
      emptied: (form) => {
        show(form, null);
        setUnsaved(waiting.size > 0);
      },
    }
  );
}

export interface Form<T> {
  fields: T;
  set: (patch: Partial<T>) => void;
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
  useUnfinished(begun);
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
