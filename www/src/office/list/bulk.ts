/**
 * Work on many records: what each gets, sending it in parts, the result of each, and undo.
 *
 * A job outlives the page that started it, and each row says what became of it. A lost reply is
 * asked for again: the office answers `unchanged` for rows that have their values already. A row that
 * another user changed meanwhile stays as it is.
 */
import { signal } from "@preact/signals";
import { api, ApiError, type AssignmentFields, type BulkAction, type OfficeRow } from "../api";
import { explain } from "../state";
import { announceChange } from "./live";

/** Rows of a request. The office takes at most 100. */
const PART = 50;

/** Pauses before a part is sent again, ms. */
const RETRIES = [1_000, 3_000, 8_000];

/** One record: what it gets, and what it had when the user decided. */
export interface Assignment {
  row: OfficeRow;
  set: AssignmentFields;
  seen: AssignmentFields;
}

/** One record, and what is done to it; the same action for all records of a job. */
export interface Action {
  row: OfficeRow;
  action: BulkAction;
  undo: BulkAction;
}

export type Change = Assignment | Action;

export type Outcome = "waiting" | "done" | "unchanged" | "moved" | "refused" | "unsent";

export interface Job {
  changes: Change[];
  outcomes: Outcome[];
  /** Why a row was refused, by its position. */
  reasons: Map<number, string>;
  running: boolean;
  /** It takes back another job. */
  undoes: boolean;
}

/** The last job, until it is dismissed. */
export const job = signal<Job | null>(null);

/** Each record goes to one of the collectors, each area does, or every record goes to all of them. */
export const SPREADS = ["share", "area", "everyone"] as const;
export type Spread = (typeof SPREADS)[number];

/** What is set for all rows. Undefined leaves a value as it is. */
export interface Plan {
  collectors?: string[];
  spread: Spread;
  due_by?: string;
  priority?: number;
}

/**
 * The change of each row. Rows, or the rows of an area, go to the collector with the least to do: rows
 * in the order of the list, areas with the largest first. `loads` has what each collector has already.
 */
export function planChanges(rows: readonly OfficeRow[], plan: Plan, loads: ReadonlyMap<string, number>): Assignment[] {
  const load = new Map(plan.collectors?.map((name) => [name, loads.get(name) ?? 0]));
  // Rows that one of them has already weigh nothing more.
  for (const row of rows) {
    for (const name of row.collectors) load.set(name, (load.get(name) ?? 0) - 1);
  }
  const least = (): string[] => {
    const names = [...(plan.collectors ?? [])].sort((one, other) => (load.get(one) ?? 0) - (load.get(other) ?? 0));
    return names.slice(0, 1);
  };
  const assigned = new Map<string, string[]>();
  for (const group of groupsOf(rows, plan.spread)) {
    const names = plan.spread === "everyone" ? (plan.collectors ?? []) : least();
    for (const name of names) load.set(name, (load.get(name) ?? 0) + group.length);
    for (const row of group) assigned.set(row.id, names);
  }
  return rows.map((row) => {
    const change: Assignment = { row, set: {}, seen: {} };
    if (plan.collectors) {
      change.set.collectors = assigned.get(row.id) ?? [];
      change.seen.collectors = row.collectors;
    }
    if (plan.due_by !== undefined) {
      change.set.due_by = plan.due_by;
      change.seen.due_by = row.due_by;
    }
    if (plan.priority !== undefined) {
      change.set.priority = plan.priority;
      change.seen.priority = row.priority;
    }
    return change;
  });
}

/** Rows that stay together. An address without an area is on its own. */
function groupsOf(rows: readonly OfficeRow[], spread: Spread): OfficeRow[][] {
  if (spread !== "area") return rows.map((row) => [row]);
  const groups = new Map<string, OfficeRow[]>();
  for (const row of rows) {
    const key = row.area || row.id;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].sort((one, other) => other.length - one.length);
}

/** Sends the changes in parts, one after the other. */
export async function run(changes: Change[], undoes = false): Promise<void> {
  job.value = { changes, outcomes: changes.map(() => "waiting"), reasons: new Map(), running: true, undoes };
  await send();
}

/** Sends again what could not be sent. */
export async function retry(): Promise<void> {
  const { value } = job;
  if (!value || value.running) return;
  const outcomes = value.outcomes.map((outcome) => (outcome === "unsent" ? "waiting" : outcome));
  job.value = { ...value, outcomes, running: true };
  await send();
}

async function send(): Promise<void> {
  addEventListener("beforeunload", holdBack);
  try {
    for (;;) {
      const at = job.value?.outcomes.indexOf("waiting") ?? -1;
      if (at < 0) break;
      const part = waitingFrom(at);
      try {
        await sendPart(part);
      } catch (cause) {
        // The rest is not tried: it would fail the same way.
        const reason = explain(cause);
        note(waitingFrom(0, Infinity), () => ["unsent", reason]);
      }
    }
  } finally {
    removeEventListener("beforeunload", holdBack);
    if (job.value) job.value = { ...job.value, running: false };
    announceChange();
  }
}

const holdBack = (event: BeforeUnloadEvent): void => event.preventDefault();

/** Positions of rows that wait. */
function waitingFrom(start: number, most = PART): number[] {
  const found: number[] = [];
  job.value?.outcomes.forEach((outcome, at) => {
    if (at >= start && outcome === "waiting" && found.length < most) found.push(at);
  });
  return found;
}

async function sendPart(part: readonly number[]): Promise<void> {
  const changes = part.flatMap((at) => job.value?.changes[at] ?? []);
  const report = await again(() => request(changes));
  note(part, (n) => {
    const result = report.rows[n];
    if (!result) return ["unsent", ""];
    const refused = new ApiError(result.code, result.detail, result.path);
    return [result.outcome as Outcome, result.outcome === "refused" ? explain(refused) : ""];
  });
}

function request(changes: readonly Change[]): ReturnType<typeof api.assign> {
  const actions = changes.filter((change) => "action" in change);
  const [first] = actions;
  if (first) {
    const rows = actions.map(({ row }) => ({ record: row.id, seen_at: row.updated_at }));
    return api.bulk(first.action, rows);
  }
  const assignments = changes.filter((change) => "set" in change);
  return api.assign(assignments.map(({ row, set, seen }) => ({ record: row.id, set, seen })));
}

/** Repeats what failed for want of a network or of room at the office. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (const pause of RETRIES) {
    try {
      return await work();
    } catch (cause) {
      const passes = cause instanceof ApiError && ["offline", "office_busy", "closing"].includes(cause.code);
      if (!passes) throw cause;
      await new Promise((done) => setTimeout(done, pause));
    }
  }
  return work();
}

/** Writes outcomes; `outcome` gets the position within the part. */
function note(part: readonly number[], outcome: (n: number) => [Outcome, string]): void {
  const { value } = job;
  if (!value) return;
  const outcomes = [...value.outcomes];
  const reasons = new Map(value.reasons);
  part.forEach((at, n) => {
    const [what, why] = outcome(n);
    outcomes[at] = what;
    if (why) reasons.set(at, why);
  });
  job.value = { ...value, outcomes, reasons };
}

/** The changes that undo a job. Rows that did not change are left out. */
export function undoing({ changes, outcomes }: Job): Change[] {
  return changes.flatMap((change, at): Change[] => {
    const outcome = outcomes[at];
    // An unchanged row may be one whose reply was lost: it had what the user saw before.
    if (outcome !== "done" && outcome !== "unchanged") return [];
    if ("action" in change) return [{ row: change.row, action: change.undo, undo: change.action }];
    const back = { row: change.row, set: change.seen, seen: change.set };
    return JSON.stringify(back.set) === JSON.stringify(back.seen) ? [] : [back];
  });
}
