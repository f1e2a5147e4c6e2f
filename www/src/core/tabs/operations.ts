/**
 * The operations of the worker, and how tabs call them. The types refuse a method of the worker
 * that has no row here.
 */
import type { StartState } from "../api";
import type { Methods } from "../worker/worker";

export type Result<M extends keyof Methods> = Awaited<ReturnType<Methods[M]>>;

/** The operations as a page calls them. Every promise rejects with a `ClientError`. */
export type Calls = { [M in keyof Methods]: (...args: Parameters<Methods[M]>) => Promise<Result<M>> };

interface Operation<M extends keyof Methods> {
  /**
   * What happens to a call that was sent to a leader which is gone: `retry` sends it to the next
   * leader; `once` rejects it with `restarted`, since it may have been carried out.
   */
  delivery: "retry" | "once";
  /** What the other tabs are told when it has succeeded: the new session, or which record changed. */
  changes?: (Result<M> extends StartState ? "session" : never) | RecordOnly<M, "record">;
  /** Change of the number of pages that show the record. */
  pages?: RecordOnly<M, 1 | -1>;
  /** The first such call asks the browser to protect the storage from eviction. */
  persist?: true;
}

/** `T` for operations whose first argument is the id of a record. */
type RecordOnly<M extends keyof Methods, T> = Parameters<Methods[M]> extends [id: string, ...unknown[]] ? T : never;

export const OPERATIONS: { readonly [M in keyof Methods]: Operation<M> } = {
  start: { delivery: "retry" },
  signIn: { delivery: "once", changes: "session" },
  completeOidc: { delivery: "once", changes: "session" },
  enrolled: { delivery: "retry" },
  signOut: { delivery: "once", changes: "session" },
  choosePin: { delivery: "once", changes: "session" },
  unlock: { delivery: "once", changes: "session" },
  lock: { delivery: "retry", changes: "session" },
  changePin: { delivery: "once" },
  rotation: { delivery: "retry" },
  rescue: { delivery: "retry" },
  acknowledgeErasure: { delivery: "retry", changes: "session" },

  list: { delivery: "retry" },
  pastWork: { delivery: "retry" },
  open: { delivery: "retry", pages: 1 },
  view: { delivery: "retry" },
  close: { delivery: "retry", pages: -1 },
  apply: { delivery: "once", changes: "record", persist: true },
  drafts: { delivery: "retry" },
  saveDraft: { delivery: "retry", persist: true },
  sign: { delivery: "once", changes: "record" },
  history: { delivery: "retry" },
  conduct: { delivery: "retry" },
  receipts: { delivery: "retry" },
  dayPlan: { delivery: "retry" },
  checkPosition: { delivery: "retry" },
  refusedWork: { delivery: "retry" },
  resolveRefused: { delivery: "once", changes: "record" },

  syncNow: { delivery: "retry" },
  status: { delivery: "retry" },
  lender: { delivery: "retry" },
  plan: { delivery: "retry" },
  newId: { delivery: "retry" },

  safety: { delivery: "retry" },
  watchVisit: { delivery: "retry" },
  endWatch: { delivery: "retry" },
  raiseAlarm: { delivery: "retry" },

  storedFigures: { delivery: "retry" },
  ownFigures: { delivery: "retry" },
  pendingSupport: { delivery: "retry" },
  answerSupport: { delivery: "retry" },
  pushState: { delivery: "retry" },
  subscribePush: { delivery: "retry" },
  unsubscribePush: { delivery: "retry" },

  attachmentsWaiting: { delivery: "retry" },
  missingAttachments: { delivery: "retry" },
  attachments: { delivery: "retry" },
  attach: { delivery: "retry" },
  attachSignature: { delivery: "retry" },
  attachmentThumb: { delivery: "retry" },
  attachmentBytes: { delivery: "retry" },
  recordings: { delivery: "retry" },
  addPiece: { delivery: "retry" },
  finishRecording: { delivery: "retry" },
  dropRecording: { delivery: "retry" },
};

/** Makes the functions that a page calls from the table; `run` delivers a call. */
export function callsOver(run: <M extends keyof Methods>(method: M, args: Parameters<Methods[M]>) => unknown): Calls {
  const methods = Object.keys(OPERATIONS) as (keyof Methods)[];
  const entries = methods.map((method) => [method, (...args: never) => run(method, args)] as const);
  return Object.fromEntries(entries) as unknown as Calls;
}
