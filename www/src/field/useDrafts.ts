/** Drafts of one record: form contents that are not submitted, saved on this phone as they are typed (rule D7). */
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../core/api";
import { t } from "../i18n";
import { useAutosave, useUnsavedMark } from "./autosave";
import { client, notice, onRestart, pendingEdits, saveState } from "./state";

export interface Drafts {
  /** Contents by form name, as last entered. */
  byForm: ReadonlyMap<string, string>;
  /** Saves a form's contents; null deletes the draft. */
  save: (form: string, text: string | null) => void;
  /** Drops a pending save: the form is being submitted. */
  cancelSave: (form: string) => void;
  /** Marks a draft as deleted, after the worker deleted it with the submitted command. */
  deleted: (form: string) => void;
}

/** Retried after a restart: saving the same text twice has no further effect. */
async function write(id: string, form: string, text: string | null): Promise<void> {
  try {
    await client.saveDraft(id, form, text);
  } catch (cause) {
    if (!(cause instanceof ClientError) || cause.code !== "restarted") throw cause;
    await client.saveDraft(id, form, text);
  }
}

/** Null until the drafts are loaded. */
export function useDrafts(id: string): Drafts | null {
  const [byForm, setByForm] = useState<ReadonlyMap<string, string> | null>(null);
  /** Contents that the worker does not have yet. */
  const queue = useRef(new Map<string, string | null>()).current;
  const [unsaved, setUnsaved] = useState(false);
  const autosave = useAutosave(async () => {
    pendingEdits.value += 1;
    let all = true;
    for (const [form, text] of queue) {
      try {
        await write(id, form, text);
        if (queue.get(form) === text) queue.delete(form);
      } catch (cause) {
        // The text stays in the form and the page shows it as unsaved; a text that is too long never succeeds.
        all = false;
        if (cause instanceof ClientError && cause.code === "invalid_value") notice.value = t("form/too_long");
      }
    }
    pendingEdits.value -= 1;
    setUnsaved(queue.size > 0);
    return all;
  });
  useUnsavedMark(unsaved);
  useEffect(() => {
    let live = true;
    const load = (): void =>
      void client.drafts(id).then(
        (drafts) => live && setByForm((before) => before ?? new Map(drafts.map(({ form, text }) => [form, text]))),
        // Forms stay hidden until their drafts are known; a restart loads again.
        () => undefined,
      );
    load();
    const stopRetry = onRestart(load);
    // A save that a full phone refused is retried once another save succeeds.
    const stopSaveState = saveState.subscribe((state) => {
      if (state?.state === "saved" && queue.size > 0) autosave.soon();
    });
    return () => {
      live = false;
      stopSaveState();
      stopRetry();
    };
  }, [id]);
  const show = (form: string, text: string | null): void =>
    setByForm((before) => {
      const next = new Map(before);
      if (text === null) next.delete(form);
      else next.set(form, text);
      return next;
    });
  return (
    byForm && {
      byForm,
      save: (form, text) => {
        queue.set(form, text);
        setUnsaved(true);
        show(form, text);
        autosave.soon();
      },
      cancelSave: (form) => void queue.delete(form),
      deleted: (form) => {
        show(form, null);
        setUnsaved(queue.size > 0);
      },
    }
  );
}
