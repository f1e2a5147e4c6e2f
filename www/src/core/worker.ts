/**
 * The leading tab's worker: one wasm workspace, its store, its link to the office.
 */
import * as Comlink from "comlink";
import init, { newId, plan, rescueFile, storeFormat, Keyring, Sealer, Workspace } from "../wasm/doorstep";
import wasmUrl from "../wasm/doorstep_bg.wasm?url";
import {
  ClientError,
  type CoreEvent,
  type ListMark,
  type ListPage,
  type Reading,
  type StartState,
  type SyncStatus,
} from "./api";
import { Attachments, type LocalAttachment, type Records, type Taking } from "./attachments";
import { AttachmentStore, clearAttachments, countWaiting, type RecordingRow } from "./attachmentStore";
import { Driver } from "./driver";
import { Listing } from "./listing";
import {
  Door,
  fromEscrow,
  fromPass,
  givePass,
  lockUp,
  mayLock,
  newKeyring,
  toEscrow,
  type Pass,
  type Secret,
} from "./lock";
import { Office, OfficeError, type Lender, type SignedIn } from "./office";
import { PRACTICE } from "./names";
import { makeUp, PRACTISER } from "./practice";
import { Signing } from "./signing";
import { Storage, StorageError } from "./storage";
import { zoneAround } from "./zones";
import type { Card, Command, ConductView, HistoryEntry, Moment, Plan, RefusedWork, VisitView } from "../wasm/doorstep";

/** The store that this worker is over: its name says which (`Engine`). */
const STORE = self.name;
/** After the app was locked, what pages had typed may come in for so long. */
const GRACE_MS = 1_000;

export type WorkerEvent = CoreEvent | { type: "poisoned" } | { type: "pass"; pass: Pass | null };

/** Whoever signed in and has no PIN yet. */
interface Newcomer {
  device: string;
  keyring: Keyring;
  escrow: Uint8Array;
  /** What is on this phone is theirs. */
  known: boolean;
}

const office = new Office();
let storage: Storage | undefined;
let signing: Signing | undefined;
let attachments: Attachments | undefined;
let driver: Driver | undefined;
/** The lock of the store, while there is one. */
let door: Door | undefined;
/** While the app is unlocked. */
let keyring: Keyring | undefined;
let newcomer: Newcomer | undefined;
/** Locked while something is still to be written: it goes once that is on disk. */
let leaving: { driver: Driver } | undefined;
let signal: EventSource | undefined;
let listener: (event: WorkerEvent) => void = () => undefined;

const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

let begun: Promise<StartState> | undefined;
let listing = new Listing();

/** Opens the store and starts; every tab asks, and gets the state as it is. */
async function begin(pass: Pass | null): Promise<StartState> {
  try {
    await init({ module_or_path: wasmUrl });
    storage = await Storage.open(STORE);
    if (STORE === PRACTICE) return await practise(storage);
    const lock = await storage.lock();
    if (!lock) return (await storage.ended()) ?? { kind: "signed_out" };
    if (lock.format !== storeFormat()) {
      throw new StorageError(lock.format < storeFormat() ? "older_store" : "newer_store");
    }
    door = new Door(storage, lock);
    const opened = pass && (await fromPass(pass));
    if (!opened) return await locked();
    return await enter(opened);
  } catch (cause) {
    // The next one who asks tries again.
    begun = undefined;
    return { kind: "failed", code: cause instanceof StorageError ? cause.code : named(cause).code };
  }
}

function became(state: StartState): StartState {
  begun = Promise.resolve(state);
  return state;
}

async function locked(): Promise<StartState> {
  if (!door) return { kind: "signed_out" };
  return { kind: "locked", secret: door.lock.secret, unsent: await lying(), wait: door.wait() };
}

/** Unlocked: with this key the workspace runs, in whichever tab leads. */
async function enter(key: Keyring): Promise<StartState> {
  keyring = key;
  const state: StartState = { kind: "ready", user: key.user, role: key.role };
  if (leaving) {
    driver = leaving.driver;
    leaving = undefined;
    signing = new Signing(opened(), office);
    driver.goOn();
    await startAttachments(key, office);
    listen();
  } else {
    await launch(opened(), key);
  }
  listener({ type: "pass", pass: await givePass(key) });
  return state;
}

/** Key and workspace leave the memory, the workspace as soon as all of it is on disk. */
function leave(): void {
  signal?.close();
  listener({ type: "pass", pass: null });
  signing = undefined;
  keyring?.free();
  keyring = undefined;
  // What is being kept comes to an end; what is not named or sent goes on with the next start.
  const kept = attachments;
  attachments = undefined;
  kept?.stop();
  setTimeout(() => kept?.end(), GRACE_MS);
  if (!driver) return;
  const going = { driver };
  leaving = going;
  driver = undefined;
  const gone = async (): Promise<void> => {
    // What other tabs save as they hear of it is on its way.
    await new Promise((done) => setTimeout(done, GRACE_MS));
    // Unlocked meanwhile, it goes on.
    if (leaving === going) await going.driver.settle();
    if (leaving !== going) return;
    leaving = undefined;
    listing = new Listing();
    going.driver.free();
  };
  void gone();
}

/** Nobody is signed in here any more. */
function end(): void {
  signal?.close();
  attachments?.end();
  attachments = undefined;
  driver?.stop();
  driver = undefined;
  keyring = undefined;
  newcomer = undefined;
  door?.close();
  door = undefined;
  listener({ type: "pass", pass: null });
}

/** Makes the workspace from what is stored and lets it run. */
async function launch(store: Storage, key: Keyring): Promise<void> {
  // First: from here on no other tab's worker writes (`Storage.write`).
  const session = await store.nextSession();
  const rows = await store.start();
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const device = door?.lock.device ?? "";
  const workspace = new Workspace(device, session, key, salt, rows, Date.now());
  listing = new Listing();
  driver = new Driver(workspace, store, office, (event) => listener(event), poisoned, erase);
  driver.call(() => undefined);
  signing = new Signing(store, office);
  void signing.enrol();
  await startAttachments(key, office);
  void learn(store);
  layersAt = 0;
  learnLayers();
  listen();
}

/** A workspace to practise in: no office is known to it, and none to its driver. */
async function practise(store: Storage): Promise<StartState> {
  const session = await store.nextSession();
  const rows = await store.start();
  // Nothing in it is anybody's: its key is no secret.
  const key = new Keyring(new Uint8Array(32), PRACTISER, "collector");
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const workspace = Workspace.forPractice(session, key, salt, rows, Date.now());
  listing = new Listing();
  driver = new Driver(workspace, store, null, (event) => listener(event), poisoned, erase);
  await startAttachments(key, null);
  driver.call((made) => rows.records.length === 0 && makeUp(made, methods.newId, Date.now()));
  return { kind: "ready", user: PRACTISER, role: "collector" };
}

const records: Records = {
  /** No page may have it open. */
  async write(record, command) {
    await methods.open(record);
    try {
      await methods.apply(record, command);
    } finally {
      methods.close(record);
    }
    listener({ type: "record", id: record });
  },
  holds: (record) => running().call((workspace) => workspace.holds(record)),
};

/** `link` is none in practice: nothing leaves the phone. */
async function startAttachments(key: Keyring, link: Office | null): Promise<void> {
  attachments?.end();
  const sealer = new Sealer(key, crypto.getRandomValues(new Uint8Array(16)));
  const tell = (id: string): void => listener({ type: "attachments", id });
  const store = await AttachmentStore.open(STORE, sealer);
  // Locked meanwhile.
  if (link && keyring !== key) return store.close();
  attachments = new Attachments(store, link, records, tell);
  void attachments.go();
}

async function eraseAttachments(): Promise<void> {
  attachments?.end();
  attachments = undefined;
  await clearAttachments(STORE);
}

function attached(): Attachments {
  if (!attachments) throw new ClientError(door ? "locked" : "signed_out");
  return attachments;
}

/** What stands on the borrower's copy is kept for days without a network. */
async function learn(store: Storage): Promise<void> {
  const lender = await office.lender().catch(() => undefined);
  if (lender) await store.keepLender(lender).catch(() => undefined);
}

/** The office's signal that the feed moved (rule R8): losing it costs delay, nothing else. */
function listen(): void {
  signal?.close();
  signal = new EventSource("/api/events");
  signal.addEventListener("moved", () => syncNow());
}

function syncNow(): void {
  driver?.call((workspace) => workspace.syncNow(Date.now()));
  void attachments?.go();
}

/** Rules of conduct need the borrower's clock. */
function learnZone(drive: Driver, id: string): void {
  drive.call((workspace) => {
    const { zone } = workspace.view(id).case;
    const now = Date.now();
    if (zone && !workspace.knowsZone(zone, now)) workspace.learnZone(zoneAround(zone, now));
  });
}

/** How long the lender's layers are taken for the office's newest. */
const LAYERS_LAST_MS = 3_600_000;
let layersAt = 0;

/**
 * Asks for the lender's layers, where that was long ago. Without a network the kept ones hold;
 * practice asks nobody.
 */
function learnLayers(): void {
  if (STORE === PRACTICE || Date.now() - layersAt < LAYERS_LAST_MS) return;
  layersAt = Date.now();
  office
    .layers()
    .then((packed) => driver?.call((workspace) => workspace.learnLayers(packed)))
    .catch(() => (layersAt = 0));
}

/** The page ends this worker and all that it has open. Nothing of the core may be called for it, not even to free it. */
function poisoned(cause: unknown): void {
  console.error("the core failed and is started anew", cause);
  driver?.stop();
  listener({ type: "poisoned" });
}

/** How long until the office is tried again with what must not be lost. */
const HAND_OVER_AGAIN_MS = 10_000;

/** The office keeps all that was unsent and has shut this phone out: nothing of it stays here. */
async function erase(code: string): Promise<void> {
  if (attachments && !(await attachments.handOver())) {
    setTimeout(() => void erase(code).catch(poisoned), HAND_OVER_AGAIN_MS);
    return;
  }
  end();
  const state: StartState = { kind: "ended", code };
  await eraseAttachments();
  await opened().clear(state);
  listener({ type: "session", state: became(state) });
}

function running(): Driver {
  if (!driver) throw new ClientError(door ? "locked" : "signed_out");
  return driver;
}

/** What was typed before the app was locked may still come in. */
function writing(): Driver {
  return leaving?.driver ?? running();
}

function opened(): Storage {
  if (!storage) throw new ClientError("storage_failed");
  return storage;
}

/** Changes that the office has not confirmed, and attachments that it does not have. */
async function unsent(): Promise<number> {
  if (!driver) return lying();
  const changes = driver.call((workspace) => Number(workspace.status().unsent));
  return changes + (await countWaiting(STORE));
}

/** The same as it lies on disk, which takes no key. */
async function lying(): Promise<number> {
  return (await opened().unsent()) + (await countWaiting(STORE));
}

/** Records that are being loaded: what is asked of them meanwhile waits, as after a new worker's start. */
const opening = new Map<string, Promise<void>>();

/** Makes the phone that of whoever proves to be the user; `prove` is given the device that the user has here. */
async function admit(name: string, prove: (device: string | undefined) => Promise<SignedIn>): Promise<StartState> {
  const store = opened();
  await mayLock(store);
  const lock = door?.lock;
  const mine = !keyring || keyring.user === name ? lock : undefined;
  if (lock && !mine && (await unsent()) > 0) throw new ClientError("unsent_of_other_user");
  const signedIn = await prove(mine?.device).catch(async (cause: unknown) => {
    // The one who locked this phone is somebody else, whose work stays until it is sent.
    const other = cause instanceof OfficeError && cause.code === "device_of_other_user";
    if (!other) throw cause;
    if ((await lying()) > 0) throw new ClientError("unsent_of_other_user");
    return prove(undefined);
  });
  const { device, user, role, escrow } = signedIn;
  if (role !== "collector") {
    await office.signOut().catch(() => undefined);
    throw new ClientError("not_collector");
  }
  if (lock && device !== lock.device) {
    // What lies here is written in the name of the device that this phone was.
    if (keyring?.user === user) throw new ClientError("openid_stale");
    if ((await lying()) > 0) throw new ClientError("unsent_of_other_user");
  }
  if (keyring && door && device === door.lock.device) {
    if (escrow) await store.setLock(Object.assign(door.lock, { escrow: toEscrow(keyring, device, escrow) }));
    // Before the work that was signed with the key.
    await signing?.enrolAnew();
    listen();
    syncNow();
    return became({ kind: "ready", user, role });
  }
  if (!escrow) throw new ClientError("openid_stale");
  if (lock && device === lock.device) {
    const kept = fromEscrow(lock, escrow);
    if (!kept) throw new ClientError("cannot_unlock");
    newcomer = { device, keyring: kept, escrow: lock.escrow, known: true };
  } else {
    const made = newKeyring(user, role);
    newcomer = { device, keyring: made, escrow: toEscrow(made, device, escrow), known: false };
  }
  return became({ kind: "choose_pin" });
}

const methods = {
  start: async (pass: Pass | null): Promise<StartState> => {
    const state = await (begun ??= begin(pass));
    return state.kind === "locked" ? locked() : state;
  },

  signIn: (name: string, password: string): Promise<StartState> =>
    admit(name, (device) => office.signIn(name, password, device)),

  /** Goes on where the identity provider has signed the browser in. */
  async cameBack(): Promise<StartState> {
    const signedIn = await office.signedIn();
    try {
      return await admit(signedIn.user, () => Promise.resolve(signedIn));
    } catch (cause) {
      // Somebody else's work lies here: the session is not this phone's.
      await office.signOut().catch(() => undefined);
      throw cause;
    }
  },

  async choosePin(secret: string, kind: Secret): Promise<StartState> {
    const store = opened();
    if (!newcomer) throw new ClientError("signed_out");
    const { device, keyring: key, escrow, known } = newcomer;
    const lock = await lockUp(key, device, secret, kind, escrow);
    if (known) {
      await store.setLock(lock);
    } else {
      driver?.stop();
      driver = undefined;
      await eraseAttachments();
      await store.found(lock);
    }
    newcomer = undefined;
    door?.close();
    door = new Door(store, lock);
    return became(await enter(key));
  },

  async unlock(secret: string): Promise<StartState> {
    if (!door) throw new ClientError("signed_out");
    const key = await door.knock(secret);
    if (keyring && begun) {
      key.free();
      return begun;
    }
    return became(await enter(key));
  },

  async lock(): Promise<StartState> {
    if (!keyring) return locked();
    leave();
    return became(await locked());
  },

  async changePin(now: string, next: string, kind: Secret): Promise<void> {
    if (!door || !keyring) throw new ClientError("locked");
    const { device, escrow } = door.lock;
    const key = await door.knock(now);
    const lock = await lockUp(key, device, next, kind, escrow);
    key.free();
    await opened().setLock(lock);
    door.close();
    door = new Door(opened(), lock);
  },

  /** Unsent work as a file for the office; while locked, what is on disk of it. */
  async rescue(): Promise<Uint8Array> {
    if (!door) throw new ClientError("signed_out");
    const rows = driver ? driver.call((workspace) => workspace.rescueRows()) : await opened().outbox();
    return rescueFile(door.lock.device, door.lock.escrow, rows);
  },

  /** The device that this phone is enrolled as. */
  device: (): string | undefined => door?.lock.device,

  async signOut(): Promise<void> {
    if ((await unsent()) > 0) throw new ClientError("unsent");
    end();
    await eraseAttachments();
    await opened().clear();
    became({ kind: "signed_out" });
    // The phone is clean; a session that the office cannot be told of ends by itself.
    await office.signOut().catch(() => undefined);
  },

  list: (since: ListMark | null): ListPage => running().call((workspace) => listing.page(workspace, since)),

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

  async apply(id: string, command: Command): Promise<VisitView> {
    await opening.get(id);
    const drive = writing();
    if (command.do === "depart" || command.do === "arrive" || command.do === "seal") learnZone(drive, id);
    let durable: Promise<void> | undefined;
    // The wait is set up before the queue runs, so that no answer can come too early.
    drive.call((workspace) => {
      const ticket = workspace.apply(id, command, Date.now(), zone());
      if (ticket !== undefined) durable = drive.durable(ticket);
    });
    await durable;
    return drive.call((workspace) => workspace.view(id));
  },

  async sign(id: string, { id: signature, at, heads, text }: Reading): Promise<VisitView> {
    await opening.get(id);
    const statement = running().call((workspace) => workspace.statement(id, heads, at, text));
    if (!signing) throw new ClientError("practice_sign");
    const signed = await signing.sign(statement);
    return methods.apply(id, { do: "sign", id: signature, at, heads, text, ...signed });
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

  async settleRefused(id: string, units: string[]): Promise<VisitView> {
    await opening.get(id);
    const session = await opened().nextSession();
    const drive = running();
    let durable: Promise<void> | undefined;
    drive.call((workspace) => {
      const ticket = workspace.settleRefused(id, units, session, Date.now(), zone());
      if (ticket !== undefined) durable = drive.durable(ticket);
    });
    await durable;
    return drive.call((workspace) => workspace.view(id));
  },

  /** Leaves the page that says why this phone was erased. */
  async forget(): Promise<StartState> {
    if (door) return methods.start(null);
    await opened().clear();
    return became({ kind: "signed_out" });
  },

  syncNow,
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

  plan: (amount: number, instalments: number, firstDue: string): Plan => plan(amount, instalments, firstDue),
  newId: (): string => newId(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
};

export type Methods = typeof methods;

/** A refusal as it crosses to the page. */
export interface Refusal {
  code: string;
  path: string;
  message: string;
}

function named(cause: unknown): Refusal {
  if (cause instanceof ClientError) return { code: cause.code, path: cause.path, message: cause.message };
  if (cause instanceof OfficeError || cause instanceof StorageError) {
    return { code: cause.code, path: "", message: cause.message };
  }
  if (typeof cause === "object" && cause !== null && "code" in cause) return cause as Refusal;
  return { code: "failed", path: "", message: String(cause) };
}

const remote = {
  subscribe(heard: (event: WorkerEvent) => void): void {
    listener = heard;
  },
  async run(method: keyof Methods, args: unknown[]): Promise<{ value?: unknown; refusal?: Refusal }> {
    try {
      const call = methods[method] as (...args: unknown[]) => unknown;
      return { value: await call(...args) };
    } catch (cause) {
      return { refusal: named(cause) };
    }
  },
};

export type Remote = typeof remote;

Comlink.expose(remote);
