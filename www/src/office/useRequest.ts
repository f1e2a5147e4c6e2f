/** Sends one request to the office and keeps its error as text. */
import { useState } from "preact/hooks";
import { useBusy } from "../ui/components";
import { explain } from "./state";

interface Request {
  busy: boolean;
  error: string | null;
  send: (work: () => Promise<unknown>) => void;
}

export function useRequest(onDone: () => void): Request {
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const send = (work: () => Promise<unknown>): void =>
    void run(async () => {
      setError(null);
      try {
        await work();
      } catch (cause) {
        setError(explain(cause));
        return;
      }
      onDone();
    });
  return { busy, error, send };
}
