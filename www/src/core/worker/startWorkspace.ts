/** Starts what runs while the app is unlocked: the workspace and its driver, attachments, the office's event stream. */
import { Keyring, Cipher, Workspace } from "../../wasm/doorstep";
import type { CoreEvent, RotationState } from "../api";
import { Attachments } from "../attachments/attachments";
import { AttachmentStore, clearAttachments } from "../attachments/attachmentStore";
import { unnamedRecords } from "../attachments/unnamed";
import type { DeviceStore } from "../store/deviceStore";
import { KeyRotation } from "../store/keyRotation";
import { planDeviceReport } from "./deviceReport";
import { Driver } from "./driver";
import { EventStream } from "./eventStream";
import { emit } from "./messages";
import { Office } from "./office";
import { addPracticeRecords, PRACTICE_USER } from "./practice";
import { attachmentRecords, attachmentsNamedBy, records } from "./records";
import { fetchLayers, fetchLender, fetchProof } from "./referenceData";
import { Signer } from "./signer";
import { requireOffice, requireStore, STORE, workerState } from "./state";

let eventStream: EventStream | undefined;

/** Erases this phone, with the reason: the office has all its work, and has revoked the device. */
type Erase = (code: string) => Promise<void>;

/** Makes the workspace from the stored rows and runs it. */
export async function startWorkspace(store: DeviceStore, key: Keyring, erase: Erase): Promise<void> {
  // First: from here on no other tab's worker can write (`DeviceStore.write`).
  const session = await store.takeOver();
  const rows = await store.startRows();
  const attachmentStore = await openAttachments(key);
  const unnamed = await unnamedRecords(attachmentStore);
  const device = workerState.pinLock?.row.device ?? "";
  const office = new Office(device, (bytes) => emit({ type: "receiving", bytes }));
  workerState.office = office;
  const workspace = new Workspace(device, session, key, newSalt(), rows, Date.now());
  workspace.setQueueOrder((await store.lender())?.queue_order ?? []);
  workerState.revoked = undefined;
  const driver = new Driver(workspace, store, office, onDriverEvent, poison, erase);
  // First: no reply may remove a record before its attachments are named.
  driver.call((workspace) => workspace.retainForAttachments(unnamed, Date.now()));
  workerState.driver = driver;
  workerState.signer = new Signer(store, office);
  void workerState.signer.enrol();
  void fetchProof(store, device);
  void fetchLender(store);
  fetchLayers();
  openEventStream();
  // The first request is on its way. Pages and attachments see all records, or none.
  await driver.complete;
  // Locked meanwhile, or failed.
  if (workerState.driver !== driver) return attachmentStore.close();
  startAttachments(attachmentStore, office);
}

/** Starts a workspace of the practice mode, which has no office. */
export async function startPractice(store: DeviceStore, erase: Erase): Promise<Keyring> {
  const session = await store.takeOver();
  const rows = await store.startRows();
  // All of it is made up: the key need not be secret.
  const key = new Keyring(new Uint8Array(32), PRACTICE_USER, "collector");
  const workspace = Workspace.forPractice(session, key, newSalt(), rows, Date.now());
  const driver = new Driver(workspace, store, null, emit, poison, erase);
  workerState.driver = driver;
  driver.call(() => undefined);
  await driver.complete;
  startAttachments(await openAttachments(key), null);
  driver.call((workspace) => {
    if (workspace.listChanges(null, 1).rows.length === 0) addPracticeRecords(workspace, records.newId, Date.now());
  });
  return key;
}

/** Continues with a driver that was not closed yet when the app was unlocked again. */
export async function resumeWorkspace(driver: Driver, store: DeviceStore, key: Keyring): Promise<void> {
  const office = requireOffice();
  workerState.driver = driver;
  workerState.signer = new Signer(store, office);
  // The data key may have been replaced while the app was being locked.
  driver.call((workspace) => workspace.rekey(key, newSalt()));
  driver.resume();
  await driver.complete;
  const attachmentStore = await openAttachments(key);
  // Locked meanwhile.
  if (workerState.keyring !== key) return attachmentStore.close();
  startAttachments(attachmentStore, office);
  openEventStream();
}

/** Passes a driver's events to the pages, and to attachments: a record may be waiting for them. */
function onDriverEvent(event: CoreEvent): void {
  emit(event);
  if (event.type === "record") workerState.attachments?.onChange(event.id);
  else if (event.type === "status") {
    workerState.attachments?.onChange(null);
    planDeviceReport(event.status);
  }
}

const newSalt = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));

/** Switches workspace and attachments to a keyring, which it takes ownership of. */
export function rekey(key: Keyring): void {
  const driver = workerState.driver ?? workerState.closing?.driver;
  driver?.call((workspace) => workspace.rekey(key, newSalt()));
  workerState.attachments?.store.rekey(new Cipher(key, newSalt()));
  // Encrypted under the previous key; the office gives them again.
  void requireStore()
    .saveFigures(null)
    .catch(() => undefined);
  // Locked in the meantime: the next unlock sets it.
  if (!workerState.keyring) return key.free();
  workerState.keyring.free();
  workerState.keyring = key;
}

/** Starts or resumes re-encryption if the keyring still has a previous data key. */
export function startRotation(finished: () => Promise<void>): void {
  stopRotation();
  const { keyring, pinLock, attachments } = workerState;
  if (!keyring?.rotating || !pinLock || !attachments) return;
  const changed = (rotation: RotationState): void => emit({ type: "rotation", rotation });
  const cipher = new Cipher(keyring, newSalt());
  const { store } = attachments;
  workerState.rotation = new KeyRotation(requireStore(), store, cipher, pinLock, attachmentsNamedBy, changed, finished);
  void workerState.rotation.run();
}

export function stopRotation(): void {
  workerState.rotation?.stop();
  workerState.rotation = undefined;
}

function openAttachments(key: Keyring): Promise<AttachmentStore> {
  workerState.attachments?.close();
  return AttachmentStore.open(STORE, new Cipher(key, newSalt()));
}

/** `office` is null in practice mode: nothing is uploaded. */
function startAttachments(store: AttachmentStore, office: Office | null): void {
  const changed = (id: string): void => emit({ type: "attachments", id });
  workerState.attachments = new Attachments(store, office, attachmentRecords, changed);
  void workerState.attachments.start();
}

export async function eraseAttachments(): Promise<void> {
  workerState.attachments?.close();
  workerState.attachments = undefined;
  await clearAttachments(STORE);
}

/** Subscribes to the office's signal that the feed has moved (rule R8): losing it costs delay, nothing else. */
export function openEventStream(): void {
  closeEventStream();
  if (!workerState.office) return;
  const call = (work: (workspace: Workspace) => void): void => workerState.driver?.report(work);
  eventStream = new EventStream(
    workerState.office.eventsUrl,
    (seq) => call((workspace) => workspace.feedMoved(seq, Date.now())),
    (alive) => call((workspace) => workspace.setStreamed(alive, Date.now())),
  );
}

export function closeEventStream(): void {
  eventStream?.close();
  eventStream = undefined;
}

export function syncNow(): void {
  workerState.driver?.call((workspace) => workspace.syncNow(Date.now()));
  void workerState.attachments?.run();
}

/** Has the page terminate this worker. The core must not be called any more, not even to free its memory. */
export function poison(cause: unknown): void {
  console.error("the core failed and will be restarted", cause);
  workerState.poisoned = true;
  workerState.driver?.stop();
  emit({ type: "poisoned" });
}
