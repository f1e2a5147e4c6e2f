/**
 * Tells the office about the visit that is under way: when the check-out is due, an alarm, the end.
 *
 * The state is on disk before it is sent, and is sent until the office has confirmed it. It holds an
 * id and times, no text, so it needs no key: an alarm also goes out while the app is locked.
 */
import type { SafetyPosition, SafetyState } from "../api";
import type { SafetyRow } from "../store/database";
import { emit } from "./messages";
import { Office, OfficeError } from "./office";
import { requireStore, workerState } from "./state";

/** First and longest wait between two attempts. */
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 30_000;
/** How often the office is asked who takes care of an alarm. */
const ASK_MS = 10_000;

/** Undefined until it was read from the store. */
let current: SafetyRow | null | undefined;
/** Where the alarm was raised; kept in memory only. */
let position: SafetyPosition | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let wait = FIRST_RETRY_MS;
let sending = false;

async function read(): Promise<SafetyRow | null> {
  current ??= (await requireStore().safety()) ?? null;
  return current;
}

async function put(row: SafetyRow | null): Promise<SafetyState | null> {
  await requireStore().saveSafety(row);
  current = row;
  const shown = row && toState(row);
  emit({ type: "safety", safety: shown });
  return shown;
}

/** Applies a change as the next revision and sends it. */
async function change(row: SafetyRow): Promise<SafetyState | null> {
  const state = await put({ ...row, revision: row.revision + 1, confirmed_at: null });
  wait = FIRST_RETRY_MS;
  void send();
  return state;
}

function toState({ id, record, due_at, alarm_at, ended, confirmed_at, seen_by }: SafetyRow): SafetyState {
  return { id, record, due_at, alarm_at, ended, confirmed_at, seen_by };
}

/** Sends what the office has not confirmed, and asks who has seen an alarm. */
async function send(): Promise<void> {
  clearTimeout(timer);
  const row = current;
  if (!row || sending) return;
  sending = true;
  let next = LAST_RETRY_MS;
  try {
    const office = workerState.office ?? new Office(workerState.pinLock?.row.device);
    const { seen_by } = await office.reportSafety(row, position);
    wait = FIRST_RETRY_MS;
    next = 0;
    // A change during the request is sent next.
    if (current?.revision === row.revision) {
      const isOver = row.ended && (row.alarm_at === null || seen_by !== null);
      const isNews = row.confirmed_at === null || row.seen_by !== seen_by;
      if (isOver) await put(null);
      else if (isNews) await put({ ...row, confirmed_at: Date.now(), seen_by });
      next = isOver ? 0 : row.alarm_at !== null && seen_by === null ? ASK_MS : 0;
    } else {
      next = 1;
    }
  } catch (cause) {
    next = wait;
    wait = Math.min(wait * 2, LAST_RETRY_MS);
    // It is another user's: it was left on this phone when that user signed out.
    if (cause instanceof OfficeError && cause.code === "not_found") await put(null);
  } finally {
    sending = false;
  }
  if (next > 0) timer = setTimeout(() => void send(), next);
}

addEventListener("online", () => {
  wait = FIRST_RETRY_MS;
  void send();
});

export const safety = {
  /** The watched visit, if there is one. Sends what is still unconfirmed. */
  async safety(): Promise<SafetyState | null> {
    const row = await read();
    if (row && (row.confirmed_at === null || row.alarm_at !== null)) void send();
    return row && toState(row);
  },

  /** Watches a visit until `due`, ms. An open watch continues for the next visit: one forgotten check-out is no alarm. */
  async watchVisit(record: string, id: string, due: number): Promise<SafetyState | null> {
    const row = await read();
    const goesOn = row && !row.ended && (row.record === record || row.alarm_at === null);
    if (goesOn) return change({ ...row, record, due_at: due });
    const fresh = { id, record, due_at: due, alarm_at: null, ended: false, seen_by: null };
    return change({ ...fresh, revision: 0, confirmed_at: null });
  },

  /** The collector has left. */
  async endWatch(record: string): Promise<SafetyState | null> {
    const row = await read();
    if (!row || row.record !== record || row.ended) return row && toState(row);
    return change({ ...row, ended: true });
  },

  /** Raises an alarm; a second one changes nothing but the place. */
  async raiseAlarm(record: string, id: string, at: SafetyPosition | null): Promise<SafetyState | null> {
    position = at ?? position;
    const row = await read();
    const fresh = { id, record, due_at: Date.now(), alarm_at: null, ended: false, seen_by: null };
    const open = row && row.record === record && !row.ended ? row : { ...fresh, revision: 0, confirmed_at: null };
    return change({ ...open, alarm_at: open.alarm_at ?? Date.now() });
  },
};
