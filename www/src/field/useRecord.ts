/** One open record: its current view, and functions that change it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../core/api";
import type { Command, VisitView } from "../wasm/doorstep";
import { applyWithRetry, signWithRetry, type ApplyOptions } from "./applyCommand";
import { useDrafts, type Drafts } from "./useDrafts";
import { recordChanged, client, explain, onRestart, saveState, pendingEdits, showToast } from "./state";

export interface OpenRecord {
  view: VisitView;
  drafts: Drafts;
  /** Gives the record after the command, or null if the command failed; `error` then has the reason. */
  apply: (command: Command, options?: ApplyOptions) => Promise<VisitView | null>;
  /** Also shows a message, with an undo button if there are commands that undo it. */
  applyWithUndo: (
    command: Command,
    message: string,
    undo: readonly Command[],
    form?: string,
  ) => Promise<VisitView | null>;
  /** Signs the text that was read back, for the sealed record as shown; null if that failed. */
  sign: (sealed: VisitView, text: string) => Promise<VisitView | null>;
  readOnly: boolean;
}

export type RecordState =
  | { kind: "loading" }
  | { kind: "failed"; code: string }
  | { kind: "open"; record: OpenRecord; error: string | null; dismiss: () => void };

export function useRecord(id: string): RecordState {
  const [view, setView] = useState<VisitView | null>(null);
  const [code, setCode] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const live = useRef(true);
  const drafts = useDrafts(id);

  useEffect(() => {
    live.current = true;
    const show = (work: Promise<VisitView>): Promise<void> =>
      work.then(
        (next) => {
          if (!live.current) return;
          setView(next);
          setCode(null);
        },
        (cause: unknown) => {
          if (live.current) setCode(cause instanceof ClientError ? cause.code : "failed");
        },
      );
    const reread = (): void => {
      // A record that could not be opened before may be complete now.
      void client.view(id).then(
        (next) => show(Promise.resolve(next)),
        (cause: unknown) => {
          const closed = cause instanceof ClientError && cause.code === "not_open";
          return show(closed ? client.open(id) : Promise.reject(cause as Error));
        },
      );
    };
    void show(client.open(id));
    const unsubscribe = [
      recordChanged.subscribe((event) => {
        if (event?.id === id) reread();
      }),
      // A request to open the record may have been lost with the worker.
      onRestart(reread),
      // The core has an edit that could not be saved: show it, marked as not saved.
      saveState.subscribe((state) => {
        if (state?.state === "failed") reread();
      }),
    ];
    return () => {
      live.current = false;
      for (const stop of unsubscribe) stop();
      void client.close(id).catch(() => undefined);
    };
  }, [id]);

  if (code !== null) return { kind: "failed", code };
  if (view === null || drafts === null) return { kind: "loading" };
  const run = async (work: () => Promise<VisitView>): Promise<VisitView | null> => {
    pendingEdits.value += 1;
    try {
      const next = await work();
      if (live.current) {
        setView(next);
        setError(null);
      }
      return next;
    } catch (cause) {
      if (live.current) setError(explain(cause));
      return null;
    } finally {
      pendingEdits.value -= 1;
    }
  };
  const apply: OpenRecord["apply"] = (command, options = {}) =>
    run(async () => {
      const next = await applyWithRetry(id, command, options);
      if (options.form !== undefined && live.current) drafts.deleted(options.form);
      return next;
    });
  const sign: OpenRecord["sign"] = (sealed, text) =>
    run(async () => {
      const reading = { id: await client.newId(), at: Date.now(), heads: sealed.heads, text };
      return signWithRetry(id, reading);
    });
  const applyWithUndo: OpenRecord["applyWithUndo"] = async (command, message, undo, form) => {
    const next = await apply(command, { form });
    const runUndo = async (): Promise<void> => {
      for (const step of undo) if (!(await apply(step))) return;
    };
    if (next) showToast({ text: message, undo: undo.length > 0 ? () => void runUndo() : undefined });
    return next;
  };
  const readOnly = view.stage === "sealed" || view.stage === "reviewed";
  return {
    kind: "open",
    record: { view, drafts, apply, applyWithUndo, sign, readOnly },
    error,
    dismiss: () => setError(null),
  };
}
