/** Who is let in: sign-in, PIN, lock and unlock, sign-out, and the end of a phone that was shut out. */
import init, { rescueFile, storeFormat, type Keyring } from "../../wasm/doorstep";
import wasmUrl from "../../wasm/doorstep_bg.wasm?url";
import { ClientError, type StartState } from "../api";
import { atStake, formsBegun, here, lying, office, opened, STORE, unsent } from "./state";
import {
  eraseAttachments,
  goOn,
  hush,
  launch,
  launchPractice,
  listen,
  poisoned,
  rekey,
  startRotation,
  syncNow,
} from "./startWorkspace";
import { Listing } from "./listing";
import {
  check,
  Door,
  escrowsOf,
  fromEscrow,
  openPass,
  issuePass,
  inPlaceOf,
  lockUp,
  mayLock,
  newKeyring,
  rotate,
  toEscrow,
  withEscrow,
  type Escrows,
  type LockRow,
  type UnlockPass,
  type Secret,
} from "../store/pinLock";
import { named, tell } from "./messages";
import { PRACTICE } from "../store/names";
import { OfficeError, type Enrolled, type SignedIn } from "./office";
import type { RotationState } from "../store/rotation";
import { sameLock, Storage, StorageError } from "../store/deviceStore";

/** After the app was locked, what pages had typed may come in for so long. */
const GRACE_MS = 1_000;
/** How long until the office is tried again with what must not be lost. */
const HAND_OVER_AGAIN_MS = 10_000;

/** Whoever signed in and has no PIN yet. */
interface Newcomer {
  device: string;
  proof: string;
  keyring: Keyring;
  escrows: Escrows;
  /** The lock that was there when they signed in. */
  before: LockRow | undefined;
  /** What is on this phone is theirs. */
  known: boolean;
}

let newcomer: Newcomer | undefined;
let begun: Promise<StartState> | undefined;

/** Opens the store and starts; every tab asks, and gets the state as it is. */
async function begin(pass: UnlockPass | null): Promise<StartState> {
  try {
    await init({ module_or_path: wasmUrl });
    const storage = await Storage.open(STORE);
    // Of a try before this one, which failed.
    here.storage?.close();
    here.storage = storage;
    if (STORE === PRACTICE) {
      const { user, role } = await launchPractice(storage, erase);
      return { kind: "ready", user, role };
    }
    const lock = await storage.lock();
    if (!lock) return (await storage.ended()) ?? { kind: "signed_out" };
    if (lock.format !== storeFormat()) {
      throw new StorageError(lock.format < storeFormat() ? "older_store" : "newer_store");
    }
    here.door = new Door(storage, lock);
    const key = pass && (await openPass(pass, lock));
    if (!key) return await locked();
    return await enter(key);
  } catch (cause) {
    // The next one who asks tries again.
    begun = undefined;
    return { kind: "failed", code: named(cause).code };
  }
}

function became(state: StartState): StartState {
  begun = Promise.resolve(state);
  return state;
}

async function locked(): Promise<StartState> {
  const { door } = here;
  if (!door) return { kind: "signed_out" };
  const { secret } = door.lock;
  return { kind: "locked", secret, unsent: await lying(), wait: door.wait(), ended: here.shutOut ?? null };
}

/** Unlocked: with this key the workspace runs, in whichever tab leads. */
async function enter(key: Keyring): Promise<StartState> {
  here.keyring = key;
  const state: StartState = { kind: "ready", user: key.user, role: key.role };
  const { leaving } = here;
  here.leaving = undefined;
  try {
    if (leaving && !leaving.driver.ended) await goOn(leaving.driver, opened(), key);
    else await launch(opened(), key, erase);
  } catch (cause) {
    // Still locked: the next try starts from the beginning.
    stopAll();
    throw cause;
  }
  await sharePass();
  startRotation(forgetPrevious);
  return state;
}

/** Hands all tabs a pass, so that the next worker starts unlocked. */
async function sharePass(): Promise<void> {
  const { keyring, door } = here;
  if (!keyring || !door) return;
  const pass = await issuePass(keyring, door.lock);
  // Locked meanwhile.
  if (here.keyring === keyring) tell({ type: "pass", pass });
}

/** Drops the previous data key from memory: nothing is sealed under it any more. */
async function forgetPrevious(): Promise<void> {
  if (!here.keyring?.rotating) return;
  rekey(here.keyring.withoutPrevious());
  await sharePass();
}

/** Key and workspace leave the memory, the workspace as soon as all of it is on disk. */
function leave(): void {
  hush();
  tell({ type: "pass", pass: null });
  here.signing = undefined;
  here.rotation?.stop();
  here.rotation = undefined;
  here.keyring?.free();
  here.keyring = undefined;
  // What is being kept comes to an end; what is not named or sent goes on with the next start.
  const kept = here.attachments;
  here.attachments = undefined;
  kept?.stop();
  setTimeout(() => kept?.end(), GRACE_MS);
  if (!here.driver) return;
  const going = { driver: here.driver };
  here.leaving = going;
  here.driver = undefined;
  const gone = async (): Promise<void> => {
    // What other tabs save as they hear of it is on its way.
    await new Promise((done) => setTimeout(done, GRACE_MS));
    // Unlocked meanwhile, it goes on.
    if (here.leaving === going) await going.driver.settle();
    if (here.leaving !== going) return;
    here.leaving = undefined;
    here.listing = new Listing();
    going.driver.free();
  };
  void gone();
}

/** Nobody is signed in here any more. */
function end(): void {
  stopAll();
  newcomer = undefined;
  here.door?.close();
  here.door = undefined;
  tell({ type: "pass", pass: null });
}

/** Ends all that runs while the app is unlocked. */
function stopAll(): void {
  hush();
  here.rotation?.stop();
  here.rotation = undefined;
  here.attachments?.end();
  here.attachments = undefined;
  here.driver?.stop();
  here.driver = undefined;
  here.link = undefined;
  here.keyring = undefined;
  here.shutOut = undefined;
}

/**
 * The office keeps all changes that were unsent and has shut this phone out. Nothing stays here, once
 * it has confirmed that no attachment is outstanding either; any other answer only postpones that.
 */
async function erase(code: string): Promise<void> {
  const { attachments, driver, keyring } = here;
  if (!keyring) {
    // Nothing sealed can be sent while it is locked. After the unlock the office says it again.
    here.shutOut = code;
    tell({ type: "session", state: became(await locked()) });
    return;
  }
  // Locked and unlocked since: what runs now is told by the office in its turn.
  if (!driver?.ended) return;
  const all = attachments ? await attachments.handOver().catch(() => false) : false;
  if (here.keyring !== keyring) return erase(code);
  if (!all) {
    setTimeout(() => void erase(code).catch(poisoned), HAND_OVER_AGAIN_MS);
    return;
  }
  end();
  const state: StartState = { kind: "ended", code };
  await eraseAttachments();
  await opened().clear(state);
  tell({ type: "session", state: became(state) });
}

/** The device that this phone is enrolled as, with what it has to show for it. */
async function enrolled(): Promise<Enrolled | undefined> {
  const device = here.door?.lock.device;
  return device === undefined ? undefined : { device, proof: await opened().proof(device) };
}

/** Makes the phone that of whoever proves to be the user; `prove` is given the device that the user has here. */
async function admit(name: string, prove: (as: Enrolled | undefined) => Promise<SignedIn>): Promise<StartState> {
  const store = opened();
  await mayLock(store);
  const lock = here.door?.lock;
  const mine = !here.keyring || here.keyring.user === name ? lock : undefined;
  if (lock && !mine && (await atStake())) throw new ClientError("unsent_of_other_user");
  const signedIn = await prove(mine && (await enrolled())).catch(async (cause: unknown) => {
    const code = cause instanceof OfficeError ? cause.code : "";
    // The office was restored and does not know this phone, which has no proof to show. What its
    // user holds here, an administrator can enrol again; nothing is erased for it.
    const forgotten = code === "device_unknown";
    if (forgotten && (here.keyring || (await atStake()))) throw cause;
    // The one who locked this phone is somebody else, whose work stays until it is sent.
    if (!forgotten && code !== "device_of_other_user") throw cause;
    if (await atStake()) throw new ClientError("unsent_of_other_user");
    return prove(undefined);
  });
  const { device, proof, user, role, escrow } = signedIn;
  if (role !== "collector") {
    await office.signOut().catch(() => undefined);
    throw new ClientError("not_collector");
  }
  const { keyring, door } = here;
  if (lock && device !== lock.device) {
    // What lies here is written in the name of the device that this phone was.
    if (keyring?.user === user) throw new ClientError("openid_stale");
    if (await atStake()) throw new ClientError("unsent_of_other_user");
  }
  if (keyring && door && device === door.lock.device) {
    await store.keepProof(device, proof);
    if (escrow) {
      const escrows = toEscrow(keyring, device, escrow);
      await door.change((row) => (sameLock(row, door.lock) ? withEscrow(row, escrows) : undefined));
    }
    // Before the work that was signed with the key.
    await here.signing?.enrolAnew();
    listen();
    syncNow();
    return became({ kind: "ready", user, role });
  }
  if (!escrow) throw new ClientError("openid_stale");
  if (lock && device === lock.device) {
    const kept = fromEscrow(lock, escrow);
    if (!kept) throw new ClientError("cannot_unlock");
    newcomer = { device, proof, keyring: kept, escrows: escrowsOf(lock), before: lock, known: true };
  } else {
    const made = newKeyring(user, role);
    newcomer = { device, proof, keyring: made, escrows: toEscrow(made, device, escrow), before: lock, known: false };
  }
  return became({ kind: "choose_pin" });
}

/** The key of the device's escrow: the office gives it out at a sign-in with the password. */
async function escrowKey(user: string, password: string, device: string): Promise<string> {
  const signedIn = await office.signIn(user, password, { device, proof: await opened().proof(device) });
  if (!signedIn.escrow || signedIn.device !== device || signedIn.user !== user) {
    // The office does not know this device any more: the sign-in is another device's.
    await office.signOut().catch(() => undefined);
    throw new ClientError("signed_out");
  }
  listen();
  syncNow();
  return signedIn.escrow;
}

export const admission = {
  start: async (pass: UnlockPass | null = null): Promise<StartState> => {
    const state = await (begun ??= begin(pass));
    return state.kind === "locked" ? locked() : state;
  },

  signIn: (name: string, password: string): Promise<StartState> =>
    admit(name, (as) => office.signIn(name, password, as)),

  /** Goes on where the identity provider has signed the browser in. */
  async completeOidc(): Promise<StartState> {
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
    const { device, proof, keyring: key, escrows, before, known } = newcomer;
    const lock = await lockUp(key, device, secret, kind, escrows);
    if (known) {
      const stored = await store.changeLock((row) => (sameLock(row, before) ? inPlaceOf(row, lock) : undefined));
      // Another tab replaced the lock.
      if (!sameLock(stored, lock)) throw new StorageError("taken_over");
    } else {
      here.driver?.stop();
      here.driver = undefined;
      await eraseAttachments();
      await store.found(lock, before);
    }
    await store.keepProof(device, proof);
    newcomer = undefined;
    here.door?.close();
    here.door = new Door(store, lock);
    return became(await enter(key));
  },

  async unlock(secret: string): Promise<StartState> {
    if (!here.door) throw new ClientError("signed_out");
    const key = await here.door.knock(secret);
    if (here.keyring && begun) {
      key.free();
      return begun;
    }
    return became(await enter(key));
  },

  async lock(): Promise<StartState> {
    if (!here.keyring) return locked();
    leave();
    return became(await locked());
  },

  /** With the password, also rotates the data key: a person who knew the old PIN may have it. */
  async changePin(now: string, next: string, kind: Secret, password?: string): Promise<void> {
    const { door } = here;
    if (!door || !here.keyring) throw new ClientError("locked");
    check(next, kind);
    const before = door.lock;
    const kept = await door.knock(now);
    let key = kept;
    try {
      if (password !== undefined) key = rotate(kept);
      // The office gives out the escrow key only at a sign-in with the password.
      const escrows =
        password === undefined
          ? escrowsOf(before)
          : toEscrow(key, before.device, await escrowKey(key.user, password, before.device));
      const lock = await lockUp(key, before.device, next, kind, escrows);
      // Locked in the meantime: nothing changes.
      if (!here.keyring) throw new ClientError("locked");
      const stored = await door.change((row) => {
        if (!sameLock(row, before)) return undefined;
        return inPlaceOf(row, password === undefined ? withEscrow(lock, escrowsOf(row)) : lock);
      });
      if (!sameLock(stored, lock)) throw new StorageError("taken_over");
      if (key !== kept) {
        rekey(key);
        // It is the workers' now.
        key = kept;
      }
    } finally {
      if (key !== kept) key.free();
      kept.free();
    }
    await sharePass();
    if (password !== undefined) startRotation(forgetPrevious);
  },

  /** How far rows are re-encrypted, or when they were; nothing where they never were. */
  rotation(): RotationState | null {
    if (here.rotation) return here.rotation.state;
    const at = here.door?.lock.rotated_at;
    return at === undefined ? null : { state: "finished", at };
  },

  /** Unsent work as a file for the office; while locked, what is on disk of it. */
  async rescue(): Promise<Uint8Array> {
    const { door, driver } = here;
    if (!door) throw new ClientError("signed_out");
    // Rows and escrow of the same moment: in a key rotation both change.
    if (driver) {
      const { device, escrow } = door.lock;
      const rows = driver.call((workspace) => workspace.rescueRows());
      return rescueFile(device, escrow, rows, await opened().proof(device));
    }
    const { lock, rows } = await opened().rescue();
    if (!lock) throw new ClientError("signed_out");
    return rescueFile(lock.device, lock.escrow, rows, await opened().proof(lock.device));
  },

  enrolled,

  async signOut(): Promise<StartState> {
    if ((await unsent()) > 0) throw new ClientError("unsent");
    if (await formsBegun()) throw new ClientError("begun");
    // It names this workspace, so it can't end the session of a user who signed in later.
    const link = here.link ?? office;
    end();
    await eraseAttachments();
    await opened().clear();
    const state = became({ kind: "signed_out" });
    // If the office can't be reached, its session expires by itself.
    await link.signOut().catch(() => undefined);
    return state;
  },

  /** Leaves the page that says why this phone was erased. */
  async acknowledgeErasure(): Promise<StartState> {
    if (here.door) return admission.start();
    await opened().clear();
    return became({ kind: "signed_out" });
  },
};
