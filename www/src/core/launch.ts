/** Starts what runs while the app is unlocked: the workspace and its driver, attachments, the office's signal. */
import { Keyring, Sealer, Workspace } from "../wasm/doorstep";
import { Attachments } from "./attachments";
import { AttachmentStore, clearAttachments } from "./attachmentStore";
import { Driver } from "./driver";
import { here, office, STORE } from "./here";
import { learnLayersAnew, learnLender } from "./learning";
import { Listing } from "./listing";
import { tell } from "./messages";
import type { Office } from "./office";
import { makeUp, PRACTISER } from "./practice";
import { naming, records } from "./records";
import { Signing } from "./signing";
import type { Storage } from "./storage";

let signal: EventSource | undefined;

/** Erases this phone, and says why: the office keeps all that was unsent and has shut it out. */
export type Erase = (code: string) => Promise<void>;

/** Makes the workspace from what is stored and lets it run. */
export async function launch(store: Storage, key: Keyring, erase: Erase): Promise<void> {
  // First: from here on no other tab's worker writes (`Storage.write`).
  const session = await store.nextSession();
  const rows = await store.start();
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const device = here.door?.lock.device ?? "";
  const workspace = new Workspace(device, session, key, salt, rows, Date.now());
  here.listing = new Listing();
  here.driver = new Driver(workspace, store, office, tell, poisoned, erase);
  here.driver.call(() => undefined);
  here.signing = new Signing(store, office);
  void here.signing.enrol();
  await startAttachments(key, office);
  void learnLender(store);
  learnLayersAnew();
  listen();
}

/** A workspace to practise in: no office is known to it, and none to its driver. */
export async function launchPractice(store: Storage, erase: Erase): Promise<Keyring> {
  const session = await store.nextSession();
  const rows = await store.start();
  // Nothing in it is anybody's: its key is no secret.
  const key = new Keyring(new Uint8Array(32), PRACTISER, "collector");
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const workspace = Workspace.forPractice(session, key, salt, rows, Date.now());
  here.listing = new Listing();
  here.driver = new Driver(workspace, store, null, tell, poisoned, erase);
  await startAttachments(key, null);
  here.driver.call((made) => rows.records.length === 0 && makeUp(made, records.newId, Date.now()));
  return key;
}

/** Unlocked again before all was written: what still ran goes on. */
export async function goOn(driver: Driver, store: Storage, key: Keyring): Promise<void> {
  here.driver = driver;
  here.signing = new Signing(store, office);
  driver.goOn();
  await startAttachments(key, office);
  listen();
}

/** `link` is none in practice: nothing leaves the phone. */
async function startAttachments(key: Keyring, link: Office | null): Promise<void> {
  here.attachments?.end();
  const sealer = new Sealer(key, crypto.getRandomValues(new Uint8Array(16)));
  const changed = (id: string): void => tell({ type: "attachments", id });
  const store = await AttachmentStore.open(STORE, sealer);
  // Locked meanwhile.
  if (link && here.keyring !== key) return store.close();
  here.attachments = new Attachments(store, link, naming, changed);
  void here.attachments.go();
}

export async function eraseAttachments(): Promise<void> {
  here.attachments?.end();
  here.attachments = undefined;
  await clearAttachments(STORE);
}

/** The office's signal that the feed moved (rule R8): losing it costs delay, nothing else. */
export function listen(): void {
  signal?.close();
  signal = new EventSource("/api/events");
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
  here.driver?.stop();
  tell({ type: "poisoned" });
}
