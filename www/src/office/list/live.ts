/** Tells the console's pages that something at the office has changed, and how large its queues are. */
import { signal } from "@preact/signals";
import { today } from "../../ui/format";
import { EventStream } from "../../core/worker/eventStream";
import { api, type QueueCounts } from "../api";

/** A phone's round moves a feed several times: the console asks once. */
const GATHER_MS = 800;

/** For changes that no feed reports, such as an edit of an unassigned record. */
const POLL_MS = 20_000;

/** Counts up whenever lists and counts should be read again. */
export const changes = signal(0);

/** Undefined until the office has answered. */
export const queueCounts = signal<QueueCounts | undefined>(undefined);

let gathering: ReturnType<typeof setTimeout> | undefined;

/** Reads lists and counts again, soon. A hidden page waits until it is shown. */
export function announceChange(): void {
  gathering ??= setTimeout(() => {
    gathering = undefined;
    if (document.hidden) return;
    changes.value += 1;
    void readCounts();
  }, GATHER_MS);
}

async function readCounts(): Promise<void> {
  // Old numbers stay until the office can be reached again.
  queueCounts.value = await api.queues(today()).catch(() => queueCounts.value);
}

/** Listens to the office; gives the function that ends it. */
export function listen(): () => void {
  void readCounts();
  const stream = new EventStream("/api/events", announceChange, () => undefined);
  const poll = setInterval(announceChange, POLL_MS);
  const shown = (): void => announceChange();
  document.addEventListener("visibilitychange", shown);
  return () => {
    stream.close();
    clearInterval(poll);
    document.removeEventListener("visibilitychange", shown);
    clearTimeout(gathering);
    gathering = undefined;
  };
}
