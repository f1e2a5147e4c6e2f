/** What pages ask of the records: each call as the page makes it (`Methods`). */
import { newId as uuid, plan as planned } from "../../wasm/doorstep";
import type {
  Card,
  Command,
  ConductView,
  Draft,
  HistoryEntry,
  Moment,
  NewAmendment,
  Plan,
  RefusedWork,
  VisitView,
  Workspace,
} from "../../wasm/doorstep";
import { ClientError, type ListMark, type ListPage, type Reading, type SyncStatus } from "../api";
import type { LocalAttachment, Records, Taking } from "../attachments/attachments";
import { countWaiting, type RecordingRow } from "../attachments/attachmentStore";
import type { Driver } from "./driver";
import { attached, here, opened, running, STORE, writing } from "./state";
import { learnLayers, learnZone } from "./referenceData";
import { tell } from "./messages";
import type { Lender } from "./office";

const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Records that are being loaded: what is asked of them meanwhile waits, as after a new worker's start. */
const opening = new Map<string, Promise<void>>();

/** Resolves once the edit with the ticket that `work` gives is durable. */
async function durably(drive: Driver, work: (workspace: Workspace) => number | undefined): Promise<void> {
  let durable: Promise<void> | undefined;
  // The wait is set up before the queue runs, so that no answer can come too early.
  drive.call((workspace) => {
    const ticket = work(workspace);
    if (ticket !== undefined) durable = drive.durable(ticket);
  });
  await durable;
}

export const records = {
  list: (since: ListMark | null): ListPage => running().call((workspace) => here.listing.page(workspace, since)),

  pastWork: (): Card[] => running().call((workspace) => workspace.pastWork()),

  async open(id: string): Promise<VisitView> {
    const drive = running();
    drive.call((workspace) => workspace.open(id));
    try {
      return drive.call((workspace) => workspace.view(id));
    } catch (cause) {
      if (!(cause instanceof ClientError) || cause.code !== "not_open") throw cause;
    }
    const loaded = drive.opened(id).finally(() => opening.delete(id));
    opening.set(id, loaded);
    await loaded;
    return drive.call((workspace) => workspace.view(id));
  },

  /** Reads an open record again. */
  async view(id: string): Promise<VisitView> {
    await opening.get(id);
    return running().call((workspace) => workspace.view(id));
  },

  close: (id: string): void => running().call((workspace) => workspace.close(id)),

  async apply(id: string, command: Command, form?: string): Promise<VisitView> {
    await opening.get(id);
    const drive = writing();
    if (command.do === "depart" || command.do === "arrive" || command.do === "seal") learnZone(drive, id);
    await durably(drive, (workspace) => {
      const ticket = workspace.apply(id, command, Date.now(), zone());
      return form === undefined ? ticket : workspace.keepDraft(id, form, undefined, Date.now());
    });
    return drive.call((workspace) => workspace.view(id));
  },

  drafts: (id: string): Draft[] => running().call((workspace) => workspace.drafts(id)),

  keepDraft: (id: string, form: string, text: string | null): Promise<void> =>
    durably(writing(), (workspace) => workspace.keepDraft(id, form, text ?? undefined, Date.now())),

  async sign(id: string, { id: signature, at, heads, text }: Reading): Promise<VisitView> {
    await opening.get(id);
    const statement = running().call((workspace) => workspace.statement(id, heads, at, text));
    if (!here.signing) throw new ClientError("practice_sign");
    const signed = await here.signing.sign(statement);
    return records.apply(id, { do: "sign", id: signature, at, heads, text, ...signed });
  },

  async conduct(id: string, moment: Moment, at = Date.now()): Promise<ConductView> {
    await opening.get(id);
    learnLayers();
    const drive = running();
    learnZone(drive, id);
    return drive.call((workspace) => workspace.conduct(id, moment, at));
  },

  async history(id: string): Promise<HistoryEntry[]> {
    await opening.get(id);
    return running().call((workspace) => workspace.history(id));
  },

  async refusedWork(id: string): Promise<RefusedWork> {
    await opening.get(id);
    return running().call((workspace) => workspace.refusedWork(id));
  },

  async settleRefused(id: string, units: string[], amendments: NewAmendment[]): Promise<VisitView> {
    await opening.get(id);
    const session = await opened().nextSession();
    const drive = running();
    await durably(drive, (workspace) => workspace.settleRefused(id, units, amendments, session, Date.now(), zone()));
    return drive.call((workspace) => workspace.view(id));
  },

  status: (): SyncStatus => running().call((workspace) => workspace.status()),
  lender: async (): Promise<Lender> => (await opened().lender()) ?? { name: "", complaints: "" },

  attachmentsWaiting: (): Promise<number> => countWaiting(STORE),
  attachments: (id: string): Promise<LocalAttachment[]> => attached().of(id),
  attach: (id: string, file: Blob, taking: Taking): Promise<void> => attached().add(id, file, taking),
  attachSignature: (id: string, picture: Blob, caption: string): Promise<void> =>
    attached().addSignature(id, picture, caption),
  attachmentThumb: (sha256: string): Promise<Uint8Array | null> => attached().thumb(sha256),
  attachmentBytes: (sha256: string): Promise<Uint8Array> => attached().bytes(sha256),
  recordings: (id: string): Promise<RecordingRow[]> => attached().recordings(id),
  addPiece: (row: RecordingRow, piece: Blob): Promise<void> => attached().addPiece(row, piece),
  finishRecording: (recording: string, caption: string): Promise<void> =>
    attached().finishRecording(recording, caption),
  dropRecording: (recording: string): Promise<void> => attached().dropRecording(recording),

  plan: (amount: number, instalments: number, firstDue: string): Plan => planned(amount, instalments, firstDue),
  newId: (): string => uuid(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
};

/** SHA-256s of the attachments that a record names; none of a record that has left this phone. */
export async function namedAttachments(record: string): Promise<string[]> {
  if (!naming.holds(record)) return [];
  const { attachments } = await records.open(record);
  records.close(record);
  return attachments.map(({ sha256 }) => sha256);
}

/** How attachments name themselves in their records. */
export const naming: Records = {
  /** No page may have it open. */
  async write(record, command) {
    await records.open(record);
    try {
      await records.apply(record, command);
    } finally {
      records.close(record);
    }
    tell({ type: "record", id: record });
  },
  holds: (record) => running().call((workspace) => workspace.holds(record)),
  isLeaving: (record) => running().call((workspace) => workspace.isLeaving(record)),
  isSettled: (record) => running().call((workspace) => workspace.isSettled(record)),
  hold(held) {
    // While locked no record leaves; the next unlock reads them again.
    here.driver?.call((workspace) => workspace.holdBack([...held], Date.now()));
  },
};
