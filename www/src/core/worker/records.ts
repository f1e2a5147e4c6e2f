/** Operations on the records and their attachments. */
import { newId as uuid, plan as planned, planDay } from "../../wasm/doorstep";
import type {
  Card,
  Command,
  ConductView,
  DayStop,
  Draft,
  HistoryEntry,
  Moment,
  NewAmendment,
  Plan,
  PlannedStop,
  Position,
  PositionCheck,
  Receipt,
  RefusedWork,
  VisitView,
  Workspace,
} from "../../wasm/doorstep";
import { ClientError, type Lender, type ListMark, type ListPage, type Reading, type SyncStatus } from "../api";
import type { AttachmentRecords } from "../attachments/attachmentRecords";
import type { CaptureInfo, LocalAttachment } from "../attachments/attachments";
import { countPending, type RecordingRow } from "../attachments/attachmentStore";
import type { Driver } from "./driver";
import { requireAttachments, requireDriver, requireStore, requireWriter, STORE, workerState } from "./state";
import { emit } from "./messages";
import { addZone, refreshLayers } from "./referenceData";

const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Rows in one page of the list: few enough that a slow phone keeps drawing meanwhile. */
const LIST_PAGE = 200;

/** Records that are being loaded, such as after a restart; operations on them wait. */
const opening = new Map<string, Promise<void>>();

/** Makes an edit; resolves when it is durable. `work` returns its ticket, or undefined if there is nothing to save. */
async function edit(driver: Driver, work: (workspace: Workspace) => number | undefined): Promise<void> {
  let durable: Promise<void> | undefined;
  // Before the queue runs, so that the result can't come first.
  driver.call((workspace) => {
    const ticket = work(workspace);
    if (ticket !== undefined) durable = driver.durable(ticket);
  });
  await durable;
}

export const records = {
  /** Changes of the list since a mark; without one, from the beginning. */
  list: (since: ListMark | null): ListPage =>
    requireDriver().call((workspace) => workspace.listChanges(since, LIST_PAGE)),

  /** Cards of own work that has left this phone, the last visit first. */
  pastWork: (): Card[] => requireDriver().call((workspace) => workspace.pastWork()),

  /** Loads a record. Codes: unknown_record, damaged. */
  async open(id: string): Promise<VisitView> {
    const driver = requireDriver();
    driver.call((workspace) => workspace.open(id));
    try {
      return driver.call((workspace) => workspace.view(id));
    } catch (cause) {
      if (!(cause instanceof ClientError) || cause.code !== "not_open") throw cause;
    }
    const loaded = driver.loaded(id).finally(() => opening.delete(id));
    opening.set(id, loaded);
    await loaded;
    return driver.call((workspace) => workspace.view(id));
  },

  /** Reads an open record. Code: not_open. */
  async view(id: string): Promise<VisitView> {
    await opening.get(id);
    return requireDriver().call((workspace) => workspace.view(id));
  },

  close: (id: string): void => requireDriver().call((workspace) => workspace.close(id)),

  /**
   * Applies a command; resolves when the change is durable on this phone. A departure that rules of
   * conduct stop rejects with `conduct_stops` or `conduct_needs_reason`, the rules in `path`. The
   * draft of `form` is deleted in the same transaction.
   */
  async apply(id: string, command: Command, form?: string): Promise<VisitView> {
    await opening.get(id);
    const driver = requireWriter();
    if (command.do === "depart" || command.do === "arrive" || command.do === "seal") addZone(driver, id);
    await edit(driver, (workspace) => {
      const ticket = workspace.apply(id, command, Date.now(), zone());
      return form === undefined ? ticket : workspace.saveDraft(id, form, undefined, Date.now());
    });
    return driver.call((workspace) => workspace.view(id));
  },

  /** Drafts of forms about a record. */
  drafts: (id: string): Draft[] => requireDriver().call((workspace) => workspace.drafts(id)),

  /** Saves a draft of a form, or deletes it; resolves when that is durable on this phone. */
  saveDraft: (id: string, form: string, text: string | null): Promise<void> =>
    edit(requireWriter(), (workspace) => workspace.saveDraft(id, form, text ?? undefined, Date.now())),

  /** Signs what was read back of a sealed record. Codes: no_key, key_not_enrolled, and those of `apply`. */
  async sign(id: string, { id: signature, at, heads, text }: Reading): Promise<VisitView> {
    await opening.get(id);
    const statement = requireDriver().call((workspace) => workspace.statement(id, heads, at, text));
    if (!workerState.signer) throw new ClientError("practice_sign");
    const signed = await workerState.signer.sign(statement);
    return records.apply(id, { do: "sign", id: signature, at, heads, text, ...signed });
  },

  /** What the rules of conduct say of an open record at a time, ms. */
  async conduct(id: string, moment: Moment, at = Date.now()): Promise<ConductView> {
    await opening.get(id);
    refreshLayers();
    const driver = requireDriver();
    addZone(driver, id);
    return driver.call((workspace) => workspace.conduct(id, moment, at));
  },

  /** Codes of the receipts for the payments and the promise of an open record. */
  async receipts(id: string): Promise<Receipt[]> {
    await opening.get(id);
    return requireDriver().call((workspace) => workspace.receipts(id));
  },

  /** How plausible the position of an open record is, compared with positions of other visits. */
  async checkPosition(id: string, others: Position[]): Promise<PositionCheck | null> {
    await opening.get(id);
    return requireDriver().call((workspace) => workspace.checkPosition(id, others));
  },

  /** The order of a day's visits. Records that cannot be opened are left out. `start` is used once and not stored. */
  async dayPlan(ids: string[], start: { lat: number; lon: number } | null): Promise<PlannedStop[]> {
    refreshLayers();
    const stops: DayStop[] = [];
    for (const id of ids) {
      // One after the other: each document is in memory only while it is read.
      const opened = await records.open(id).catch(() => null);
      if (!opened) continue;
      const driver = requireDriver();
      addZone(driver, id);
      stops.push(driver.call((workspace) => workspace.dayStop(id, Date.now())));
      records.close(id);
    }
    return planDay(stops, Date.now(), start?.lat, start?.lon);
  },

  async history(id: string): Promise<HistoryEntry[]> {
    await opening.get(id);
    return requireDriver().call((workspace) => workspace.history(id));
  },

  /** The work in an open record that the office refused. Code: not_refused. */
  async refusedWork(id: string): Promise<RefusedWork> {
    await opening.get(id);
    return requireDriver().call((workspace) => workspace.refusedWork(id));
  },

  /** Takes the office's version of a record, reapplies units of the refused work and adds amendments, durably. */
  async resolveRefused(id: string, units: string[], amendments: NewAmendment[]): Promise<VisitView> {
    await opening.get(id);
    const session = await requireStore().nextSession();
    const driver = requireDriver();
    await edit(driver, (workspace) => workspace.resolveRefused(id, units, amendments, session, Date.now(), zone()));
    return driver.call((workspace) => workspace.view(id));
  },

  status: (): SyncStatus => requireDriver().call((workspace) => workspace.status()),
  /** The lender's details as the office last gave them. */
  lender: async (): Promise<Lender> => (await requireStore().lender()) ?? { name: "", complaints: "" },

  /** The number of attachments and recordings that the office does not have. */
  attachmentsWaiting: (): Promise<number> => countPending(STORE),
  /** How many attachments made on this phone the office does not have, by record. */
  async missingAttachments(): Promise<[record: string, count: number][]> {
    const counts = new Map<string, number>();
    for (const { record, at_office } of await requireAttachments().store.rows()) {
      if (at_office === null) counts.set(record, (counts.get(record) ?? 0) + 1);
    }
    return [...counts];
  },
  /** Attachments of a record that were made on this phone, with their progress. */
  attachments: (id: string): Promise<LocalAttachment[]> => requireAttachments().of(id),
  /** Stores a photo, reduced, or a document. Codes: attachment_full, bad_picture, media_type, too_large. */
  attach: (id: string, file: Blob, info: CaptureInfo): Promise<void> => requireAttachments().add(id, file, info),
  attachSignature: (id: string, picture: Blob, caption: string): Promise<void> =>
    requireAttachments().addSignature(id, picture, caption),
  /** A thumbnail, if this phone has one. */
  attachmentThumb: (sha256: string): Promise<Uint8Array | null> => requireAttachments().thumb(sha256),
  /** All bytes, from this phone or from the office. Codes: offline, unknown_blob, damaged_bytes. */
  attachmentBytes: (sha256: string): Promise<Uint8Array> => requireAttachments().bytes(sha256),
  /** Recordings of a record that are not finished. */
  recordings: (id: string): Promise<RecordingRow[]> => requireAttachments().recordings(id),
  /** Adds piece number `row.pieces`, from 0; resolves when it is on disk. */
  addPiece: (row: RecordingRow, piece: Blob): Promise<void> => requireAttachments().addPiece(row, piece),
  finishRecording: (recording: string, caption: string): Promise<void> =>
    requireAttachments().finishRecording(recording, caption),
  dropRecording: (recording: string): Promise<void> => requireAttachments().dropRecording(recording),

  /** The instalments of a repayment option; `amount` in minor units. Codes: plan_amount, plan_too_many, … */
  plan: (amount: number, instalments: number, firstDue: string): Plan => planned(amount, instalments, firstDue),
  /** A UUIDv7. */
  newId: (): string => uuid(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
};

/** SHA-256s of the attachments that a record names; none if the record is not on this phone. */
export async function attachmentsNamedBy(record: string): Promise<string[]> {
  if (!attachmentRecords.holds(record)) return [];
  const { attachments } = await records.open(record);
  records.close(record);
  return attachments.map(({ sha256 }) => sha256);
}

/** The records as attachments use them. */
export const attachmentRecords: AttachmentRecords = {
  // A page need not have the record open.
  async write(record, command) {
    await records.open(record);
    try {
      await records.apply(record, command);
    } finally {
      records.close(record);
    }
    emit({ type: "record", id: record });
  },
  holds: (record) => requireDriver().call((workspace) => workspace.holds(record)),
  isLeaving: (record) => requireDriver().call((workspace) => workspace.isLeaving(record)),
  isConfirmed: (record) => requireDriver().call((workspace) => workspace.isConfirmed(record)),
  retain(ids) {
    // While locked no record is withdrawn; the next unlock counts again.
    workerState.driver?.call((workspace) => workspace.retainForAttachments([...ids], Date.now()));
  },
};
