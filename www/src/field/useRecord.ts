/** One open record: its view, kept up to date, and the way to change it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../core/api";
import type { Command, VisitView } from "../wasm/doorstep";
import { applyWithRetry, signWithRetry, type About } from "./applyCommand";
import { useDrafts, type Drafts } from "./useDrafts";
import { changed, client, explain, onRestart, save, saving, showToast } from "./state";

export interface OpenRecord {
  view: VisitView;
  drafts: Drafts;
  /** Gives the record after the command; null where it was refused, and `error` says why. */
  apply: (command: Command, about?: About) => Promise<VisitView | null>;
  /** The same, with a message and, where there are commands back, a way back. */
  applyWithUndo: (command: Command, text: string, back: readonly Command[], form?: string) => Promise<VisitView | null>;
  /** Signs, under a sealed record as it was shown, what was read back; null where that failed. */
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
      // A record that could not be opened before may have come whole meanwhile.
      void client.view(id).then(
        (next) => show(Promise.resolve(next)),
        (cause: unknown) => {
          const closed = cause instanceof ClientError && cause.code === "not_open";
          return show(closed ? client.open(id) : Promise.reject(cause as Error));
        },
      );
    };
    void show(client.open(id));
    const stops = [
      changed.subscribe((event) => {
        if (event?.id === id) reread();
      }),
      // A page whose record could not be opened in time opens it now.
      onRestart(reread),
      // What could not be saved yet stands in the core all the same: show it, marked as not saved.
      save.subscribe((state) => {
        if (state?.state === "failed") reread();
      }),
    ];
    return () => {
      live.current = false;
      for (const stop of stops) stop();
      void client.close(id).catch(() => undefined);
    };
  }, [id]);

  if (code !== null) return { kind: "failed", code };
  if (view === null || drafts === null) return { kind: "loading" };
  const carry = async (work: () => Promise<VisitView>): Promise<VisitView | null> => {
    saving.value += 1;
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
      saving.value -= 1;
    }
  };
  const apply: OpenRecord["apply"] = (command, about = {}) =>
    carry(async () => {
      const next = await applyWithRetry(id, command, about);
      if (about.form !== undefined && live.current) drafts.emptied(about.form);
      return next;
    });
  const sign: OpenRecord["sign"] = (sealed, text) =>
    carry(async () => {
      const reading = { id: await client.newId(), at: Date.now(), heads: sealed.heads, text };
      return signWithRetry(id, reading);
    });
  const applyWithUndo: OpenRecord["applyWithUndo"] = async (command, text, back, form) => {
    const done = await apply(command, { form });
    const undo = async (): Promise<void> => {
      for (const step of back) if (!(await apply(step))) return;
    };
    if (done) showToast({ text, undo: back.length > 0 ? () => void undo() : undefined });
    return done;
  };
  const readOnly = view.stage === "sealed" || view.stage === "reviewed";
  return {
    kind: "open",
    record: { view, drafts, apply, applyWithUndo, sign, readOnly },
    error,
    dismiss: () => setError(null),
  };
}
