/** One open record: its view, kept up to date, and the way to change it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../core/api";
import type { Command, VisitView } from "../wasm/doorstep";
import { changed, client, explain } from "./state";

export interface OpenRecord {
  view: VisitView;
  /** Carries a command out; false where it was refused, and `error` says why. */
  apply: (command: Command) => Promise<boolean>;
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

  useEffect(() => {
    live.current = true;
    void show(client.open(id));
    const stop = changed.subscribe((event) => {
      if (event?.id !== id) return;
      // A record that could not be opened before may have come whole meanwhile.
      void client.view(id).then(
        (next) => show(Promise.resolve(next)),
        (cause: unknown) =>
          show(
            cause instanceof ClientError && cause.code === "not_open"
              ? client.open(id)
              : Promise.reject(cause as Error),
          ),
      );
    });
    return () => {
      live.current = false;
      stop();
      void client.close(id).catch(() => undefined);
    };
  }, [id]);

  if (code !== null) return { kind: "failed", code };
  if (view === null) return { kind: "loading" };
  const apply = async (command: Command): Promise<boolean> => {
    try {
      const next = await client.apply(id, command);
      if (live.current) {
        setView(next);
        setError(null);
      }
      return true;
    } catch (cause) {
      if (live.current) setError(explain(cause));
      return false;
    }
  };
  const readOnly = view.stage === "sealed" || view.stage === "reviewed";
  return { kind: "open", record: { view, apply, readOnly }, error, dismiss: () => setError(null) };
}
