/** An import at the office, followed while it runs. */
import { useEffect, useState } from "preact/hooks";
import { useBusy } from "../../ui/components";
import { api, ApiError, type ImportLine } from "../api";
import { explain } from "../state";

/** Between two looks at a running import. */
const POLL_MS = 1_000;
/** The same after a failure, such as a restart of the office. */
const RETRY_MS = 5_000;

export const isRunning = (line: ImportLine): boolean => line.phase === "checking" || line.phase === "importing";

interface ShownImport {
  line: ImportLine | null;
  error: string | null;
  busy: boolean;
  /** Sends a request; its answer is shown, if it gives the import. */
  send: (request: () => Promise<ImportLine | undefined>) => void;
}

export function useImport(id: string): ShownImport {
  const [line, setLine] = useState<ImportLine | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [busy, run] = useBusy();
  const waits = line !== null && !isRunning(line);
  useEffect(() => {
    if (waits) return;
    let left = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      let pause = POLL_MS;
      try {
        const next = await api.import(id);
        if (left) return;
        setLine(next);
        setError(null);
        if (!isRunning(next)) return;
      } catch (cause) {
        if (left) return;
        setError(explain(cause));
        if (cause instanceof ApiError && cause.code === "not_found") return;
        pause = RETRY_MS;
      }
      timer = setTimeout(() => void look(), pause);
    };
    void look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [id, waits, attempt]);
  const send = (request: () => Promise<ImportLine | undefined>): void =>
    void run(async () => {
      setError(null);
      try {
        const next = await request();
        if (next) setLine(next);
      } catch (cause) {
        setError(explain(cause));
        // The import may have moved on.
        setAttempt((before) => before + 1);
      }
    });
  return { line, error, busy, send };
}
