/** What is begun about a record and not handed in, kept on this phone as it is typed (rule D7). */
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../core/api";
import { t } from "../i18n";
import { useAutosave, useTyping } from "./autosave";
import { client, notice, onRestart, save, saving } from "./state";

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
    await client.saveDraft(id, form, text);
  } catch (cause) {
    if (!(cause instanceof ClientError) || cause.code !== "restarted") throw cause;
    await client.saveDraft(id, form, text);
  }
}

/** Null until the core has said what is begun. */
export function useDrafts(id: string): Drafts | null {
  const [kept, setKept] = useState<ReadonlyMap<string, string> | null>(null);
  /** What the core has not taken yet. */
  const waiting = useRef(new Map<string, string | null>()).current;
  const [unsaved, setUnsaved] = useState(false);
  const writing = useAutosave(async () => {
    saving.value += 1;
    let all = true;
    for (const [form, text] of waiting) {
      try {
        await write(id, form, text);
        if (waiting.get(form) === text) waiting.delete(form);
      } catch (cause) {
        // It stays in the form, and the page says that it is not saved; what is too long never is.
        all = false;
        if (cause instanceof ClientError && cause.code === "invalid_value") notice.value = t("form/too_long");
      }
    }
    saving.value -= 1;
    setUnsaved(waiting.size > 0);
    return all;
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
    read();
    const stopReading = onRestart(read);
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
