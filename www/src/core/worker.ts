/**
 * The leading tab's worker: one wasm workspace, its store, its link to the office.
 */
import * as Comlink from "comlink";
import init, { newId, plan, Workspace } from "../wasm/doorstep";
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
import { Driver } from "./driver";
import { Listing } from "./listing";
import { Office, OfficeError, type Lender, type SignedIn } from "./office";
import { PRACTICE } from "./names";
import { makeUp, PRACTISER } from "./practice";
import { Signing } from "./signing";
import { Storage, StorageError, type DeviceRow } from "./storage";
import { zoneAround } from "./zones";
import type { Command, ConductView, HistoryEntry, Moment, Plan, RefusedWork, VisitView } from "../wasm/doorstep";

/** The store that this worker is over: its name says which (`Engine`). */
const STORE = self.name;

export type WorkerEvent = CoreEvent | { type: "poisoned" };

const office = new Office();
let storage: Storage | undefined;
let signing: Signing | undefined;
let driver: Driver | undefined;
let who: DeviceRow | undefined;
let signal: EventSource | undefined;
let listener: (event: WorkerEvent) => void = () => undefined;

const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

function shutDown(): void {
  signal?.close();
  driver?.stop();
  driver = undefined;
  storage?.close();
  storage = undefined;
}

let begun: Promise<StartState> | undefined;
let listing = new Listing();

/** Opens the store and starts; every tab asks, and gets the state as it is. */
async function begin(): Promise<StartState> {
  try {
    await init({ module_or_path: wasmUrl });
    storage = await Storage.open(STORE);
    if (STORE === PRACTICE) return await practise(storage);
    who = await storage.device();
    if (!who) return (await storage.ended()) ?? { kind: "signed_out" };
    await launch(storage, who);
    return { kind: "ready", user: who.user, role: who.role };
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

/** Makes the workspace from what is stored and lets it run. */
async function launch(store: Storage, row: DeviceRow): Promise<void> {
  // First: from here on no other tab's worker writes (`Storage.write`).
  const session = await store.nextSession();
  const rows = await store.start();
  const workspace = new Workspace(row.device, session, row.user, row.role, rows, Date.now());
  listing = new Listing();
  driver = new Driver(workspace, store, office, (event) => listener(event), poisoned, erase);
  driver.call(() => undefined);
  signing = new Signing(store, office);
  void signing.enrol();
  void learn(store);
  layersAt = 0;
  learnLayers();
  listen();
}

/** A workspace to practise in: no office is known to it, and none to its driver. */
async function practise(store: Storage): Promise<StartState> {
  const session = await store.nextSession();
  const rows = await store.start();
  const workspace = Workspace.forPractice(session, PRACTISER, rows, Date.now());
  listing = new Listing();
  driver = new Driver(workspace, store, null, (event) => listener(event), poisoned, erase);
  driver.call((made) => rows.records.length === 0 && makeUp(made, methods.newId, Date.now()));
  return { kind: "ready", user: PRACTISER, role: "collector" };
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

function poisoned(cause: unknown): void {
  console.error("the core failed and is started anew", cause);
  shutDown();
  listener({ type: "poisoned" });
}

/** The office keeps all that was unsent and has shut this phone out: nothing of it stays here. */
async function erase(code: string): Promise<void> {
  signal?.close();
  driver = undefined;
  const state: StartState = { kind: "ended", code };
  await opened().clear(state);
  who = undefined;
  listener({ type: "session", state: became(state) });
}

function running(): Driver {
  if (!driver) throw new ClientError("signed_out");
  return driver;
}

function opened(): Storage {
  if (!storage) throw new ClientError("storage_failed");
  return storage;
}

/** Records that are being loaded: what is asked of them meanwhile waits, as after a new worker's start. */
const opening = new Map<string, Promise<void>>();

/** Makes the phone that of whoever proves to be the user; `prove` is given the device that the user has here. */
async function admit(name: string, prove: (device: string | undefined) => Promise<SignedIn>): Promise<StartState> {
  const store = opened();
  const same = who?.user === name ? who : undefined;
  if (who && !same && driver?.call((workspace) => workspace.hasUnsent())) {
    throw new ClientError("unsent_of_other_user");
  }
  const signedIn = await prove(same?.device);
  if (signedIn.role !== "collector") {
    await office.signOut().catch(() => undefined);
    throw new ClientError("not_collector");
  }
  // What lies here is written in the name of the device that this phone was.
  if (same && same.device !== signedIn.device) throw new ClientError("openid_stale");
  if (same && driver) {
    // Before the work that was signed with the key.
    await signing?.enrolAnew();
    listen();
    syncNow();
  } else {
    driver?.stop();
    await store.clear();
    who = { device: signedIn.device, user: signedIn.user, role: signedIn.role };
    await store.enrol(who);
    await launch(store, who);
  }
  return became({ kind: "ready", user: signedIn.user, role: signedIn.role });
}

const methods = {
  start: (): Promise<StartState> => (begun ??= begin()),

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

  /** The device that this phone is enrolled as. */
  device: (): string | undefined => who?.device,

  async signOut(): Promise<void> {
    if (running().call((workspace) => workspace.hasUnsent())) throw new ClientError("unsent");
    signal?.close();
    driver?.stop();
    driver = undefined;
    await opened().clear();
    who = undefined;
    became({ kind: "signed_out" });
    // The phone is clean; a session that the office cannot be told of ends by itself.
    await office.signOut().catch(() => undefined);
  },

  list: (since: ListMark | null): ListPage => running().call((workspace) => listing.page(workspace, since)),

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
    const drive = running();
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
    if (!who) await opened().clear();
    return who ? methods.start() : became({ kind: "signed_out" });
  },

  syncNow,
  status: (): SyncStatus => running().call((workspace) => workspace.status()),
  lender: async (): Promise<Lender> => (await opened().lender()) ?? { name: "", complaints: "" },
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
