/** Starts what runs while the app is unlocked: the workspace and its driver, attachments, the office's signal. */
import { Keyring, Sealer, Workspace } from "../../wasm/doorstep";
import type { CoreEvent } from "../api";
import { Attachments } from "../attachments/attachments";
import { AttachmentStore, clearAttachments } from "../attachments/attachmentStore";
import { Driver } from "./driver";
import { here, linked, opened, STORE } from "./state";
import { learnLayersAnew, learnLender, learnProof } from "./referenceData";
import { Listing } from "./listing";
import { tell } from "./messages";
import { Office } from "./office";
import { makeUp, PRACTISER } from "./practice";
import { namedAttachments, naming, records } from "./records";
import { Rotation, type RotationState } from "../store/rotation";
import { Signing } from "./signing";
import type { Storage } from "../store/deviceStore";
import { unnamedRecords } from "../attachments/unnamed";

let signal: EventSource | undefined;

/** Erases this phone, and says why: the office keeps all that was unsent and has shut it out. */
export type Erase = (code: string) => Promise<void>;

/** Makes the workspace from what is stored and lets it run. */
export async function launch(store: Storage, key: Keyring, erase: Erase): Promise<void> {
  // First: from here on no other tab's worker writes (`Storage.write`).
  const session = await store.takeOver();
  const rows = await store.start();
  const kept = await openAttachments(key);
  const held = await unnamedRecords(kept);
  const device = here.door?.lock.device ?? "";
  const link = new Office(device);
  here.link = link;
  const workspace = new Workspace(device, session, key, newSalt(), rows, Date.now());
  here.listing = new Listing();
  here.shutOut = undefined;
  const driver = new Driver(workspace, store, link, told, poisoned, erase);
  // Before anything else: no reply may take a record away whose attachments are not named.
  driver.call((made) => made.holdBack(held, Date.now()));
  here.driver = driver;
  here.signing = new Signing(store, link);
  void here.signing.enrol();
  startAttachments(kept, link);
  void learnProof(store, device);
  void learnLender(store);
  learnLayersAnew();
  listen();
}

/** A workspace to practise in: no office is known to it, and none to its driver. */
export async function launchPractice(store: Storage, erase: Erase): Promise<Keyring> {
  const session = await store.takeOver();
  const rows = await store.start();
  // Nothing in it is anybody's: its key is no secret.
  const key = new Keyring(new Uint8Array(32), PRACTISER, "collector");
  const workspace = Workspace.forPractice(session, key, newSalt(), rows, Date.now());
  here.listing = new Listing();
  here.driver = new Driver(workspace, store, null, tell, poisoned, erase);
  startAttachments(await openAttachments(key), null);
  here.driver.call((made) => rows.records.length === 0 && makeUp(made, records.newId, Date.now()));
  return key;
}

/** Unlocked again before all was written: what still ran goes on. */
export async function goOn(driver: Driver, store: Storage, key: Keyring): Promise<void> {
  const link = linked();
  here.driver = driver;
  here.signing = new Signing(store, link);
  // The data key may have been replaced as the app was locked.
  driver.call((workspace) => workspace.rekey(key, newSalt()));
  driver.goOn();
  const kept = await openAttachments(key);
  // Locked meanwhile.
  if (here.keyring !== key) return kept.close();
  startAttachments(kept, link);
  listen();
}

/** What a driver tells goes to the pages, and to attachments that a record may have to wait for. */
function told(event: CoreEvent): void {
  tell(event);
  if (event.type === "record") here.attachments?.changed(event.id);
  else if (event.type === "status") here.attachments?.changed(null);
}

const newSalt = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));

/** Switches workspace and attachments to a keyring, which it takes ownership of. */
export function rekey(key: Keyring): void {
  const driver = here.driver ?? here.leaving?.driver;
  driver?.call((workspace) => workspace.rekey(key, newSalt()));
  here.attachments?.store.rekey(new Sealer(key, newSalt()));
  // Locked in the meantime: the next unlock sets it.
  if (!here.keyring) return key.free();
  here.keyring.free();
  here.keyring = key;
}

/** Starts or resumes re-encryption if the keyring still has a previous data key. */
export function startRotation(finished: () => Promise<void>): void {
  here.rotation?.stop();
  here.rotation = undefined;
  const { keyring, door, attachments } = here;
  if (!keyring?.rotating || !door || !attachments) return;
  const changed = (rotation: RotationState): void => tell({ type: "rotation", rotation });
  const sealer = new Sealer(keyring, newSalt());
  here.rotation = new Rotation(opened(), attachments.store, sealer, door, namedAttachments, changed, finished);
  void here.rotation.go();
}

function openAttachments(key: Keyring): Promise<AttachmentStore> {
  here.attachments?.end();
  return AttachmentStore.open(STORE, new Sealer(key, newSalt()));
}

/** `link` is none in practice: nothing leaves the phone. */
function startAttachments(kept: AttachmentStore, link: Office | null): void {
  const changed = (id: string): void => tell({ type: "attachments", id });
  here.attachments = new Attachments(kept, link, naming, changed);
  void here.attachments.start();
}

export async function eraseAttachments(): Promise<void> {
  here.attachments?.end();
  here.attachments = undefined;
  await clearAttachments(STORE);
}

/** The office's signal that the feed moved (rule R8): losing it costs delay, nothing else. */
export function listen(): void {
  signal?.close();
  if (!here.link) return;
  signal = new EventSource(here.link.events);
  signal.addEventListener("moved", () => syncNow());
}

export function hush(): void {
  signal?.close();
}

export function syncNow(): void {
  here.driver?.call((workspace) => workspace.syncNow(Date.now()));
  void here.attachments?.go();
}

/** The page ends this worker and all that it has open. Nothing of the core may be called for it, not even to free it. */
export function poisoned(cause: unknown): void {
  console.error("the core failed and is started anew", cause);
  here.poisoned = true;
  here.driver?.stop();
  tell({ type: "poisoned" });
}
