/** Operations of the sign-in, the PIN and the sign-out. */
import { rescueFile, type Keyring } from "../../wasm/doorstep";
import { ClientError, type EnrolledDevice, type RotationState, type Secret, type StartState } from "../api";
import { isSameLock, StorageError, type LockRow } from "../store/database";
import {
  checkKeyStore,
  checkSecret,
  createEscrows,
  createLock,
  escrowsOf,
  newKeyring,
  openEscrow,
  PinLock,
  replaceLock,
  rotateKeyring,
  withEscrows,
  type UnlockPass,
} from "../store/pinLock";
import { OfficeError, type SignedIn } from "./office";
import { currentState, endSession, enter, lock, rotate, setState, sharePass, unlockedState } from "./session";
import { eraseAttachments, openEventStream, rekey, syncNow } from "./startWorkspace";
import { countUnsent, hasDrafts, hasUnsavedWork, requireStore, signInOffice, workerState } from "./state";

/** The device that this phone is enrolled as, with its proof. */
async function enrolled(): Promise<EnrolledDevice | undefined> {
  const device = workerState.pinLock?.row.device;
  return device === undefined ? undefined : { device, proof: await requireStore().proof(device) };
}

/** Makes the phone that of the user whom `prove` gives; it gets the device that the user has on this phone. */
async function signInAs(
  name: string,
  prove: (as: EnrolledDevice | undefined) => Promise<SignedIn>,
): Promise<StartState> {
  await checkKeyStore(requireStore());
  const row = workerState.pinLock?.row;
  const own = !workerState.keyring || workerState.keyring.user === name ? row : undefined;
  if (row && !own) await refuseUnsavedWork();
  const device = own && (await enrolled());
  const signedIn = await prove(device).catch((cause: unknown) => proveAsNew(cause, prove));
  if (signedIn.role !== "collector") {
    await signInOffice.signOut().catch(() => undefined);
    throw new ClientError("not_collector");
  }
  const { keyring, pinLock } = workerState;
  if (row && signedIn.device !== row.device) {
    // The work on this phone was written as the other device.
    if (keyring?.user === signedIn.user) throw new ClientError("openid_stale");
    await refuseUnsavedWork();
  }
  if (keyring && pinLock && signedIn.device === pinLock.row.device) return renewSession(signedIn, keyring, pinLock);
  return prepareNewUser(signedIn, row);
}

/** Signs in as a new device if that loses no work. Codes: unsent_of_other_user, device_unknown. */
async function proveAsNew(cause: unknown, prove: (as: undefined) => Promise<SignedIn>): Promise<SignedIn> {
  const code = cause instanceof OfficeError ? cause.code : "";
  // The office was restored from a backup and does not know this device, which has no proof. An
  // administrator can enrol it again, so its user's work must stay.
  const forgotten = code === "device_unknown";
  if (forgotten && (workerState.keyring || (await hasUnsavedWork()))) throw cause;
  // The phone is locked by another user, whose work stays until it is sent.
  if (!forgotten && code !== "device_of_other_user") throw cause;
  await refuseUnsavedWork();
  return prove(undefined);
}

async function refuseUnsavedWork(): Promise<void> {
  if (await hasUnsavedWork()) throw new ClientError("unsent_of_other_user");
}

/** The user of the unlocked app has signed in again. */
async function renewSession(signedIn: SignedIn, keyring: Keyring, pinLock: PinLock): Promise<StartState> {
  const { device, proof, user, role, escrow } = signedIn;
  await requireStore().saveProof(device, proof);
  if (escrow) {
    const escrows = createEscrows(keyring, device, escrow);
    await pinLock.change((row) => (isSameLock(row, pinLock.row) ? withEscrows(row, escrows) : undefined));
  }
  // Before the office gets changes that are signed with the key.
  await workerState.signer?.reenrol();
  openEventStream();
  syncNow();
  return setState({ kind: "ready", user, role });
}

/** Gets the keyring ready for a user who has to choose a PIN: the one of this phone's data, or a new one. */
function prepareNewUser({ device, proof, user, role, escrow }: SignedIn, before: LockRow | undefined): StartState {
  if (!escrow) throw new ClientError("openid_stale");
  if (before && device === before.device) {
    const keyring = openEscrow(before, escrow);
    if (!keyring) throw new ClientError("cannot_unlock");
    workerState.newUser = { device, proof, keyring, escrows: escrowsOf(before), before, ownsData: true };
  } else {
    const keyring = newKeyring(user, role);
    const escrows = createEscrows(keyring, device, escrow);
    workerState.newUser = { device, proof, keyring, escrows, before, ownsData: false };
  }
  return setState({ kind: "choose_pin" });
}

/** The key of the device's escrow: the office gives it out only at a sign-in with the password. */
async function escrowKey(user: string, password: string, device: string): Promise<string> {
  const signedIn = await signInOffice.signIn(user, password, { device, proof: await requireStore().proof(device) });
  if (!signedIn.escrow || signedIn.device !== device || signedIn.user !== user) {
    // The office does not know this device any more and has made another one.
    await signInOffice.signOut().catch(() => undefined);
    throw new ClientError("signed_out");
  }
  openEventStream();
  syncNow();
  return signedIn.escrow;
}

export const auth = {
  /** Opens the store if no tab has done so, and returns the state of the session. */
  start: (pass: UnlockPass | null = null): Promise<StartState> => currentState(pass),

  /** Codes: wrong_password, too_many_attempts, offline, not_collector, unsent_of_other_user. */
  signIn: (name: string, password: string): Promise<StartState> =>
    signInAs(name, (as) => signInOffice.signIn(name, password, as)),

  /** Takes over the session that the browser has from the identity provider. Codes: as `signIn`, and openid_stale. */
  async completeOidc(): Promise<StartState> {
    const signedIn = await signInOffice.signedIn();
    try {
      return await signInAs(signedIn.user, () => Promise.resolve(signedIn));
    } catch (cause) {
      // The phone has another user's work: the session is not this phone's.
      await signInOffice.signOut().catch(() => undefined);
      throw cause;
    }
  },

  enrolled,

  /** After a sign-in. Codes: pin_short, pin_digits, pin_easy, no_key_store. */
  async choosePin(secret: string, kind: Secret): Promise<StartState> {
    const store = requireStore();
    if (!workerState.newUser) throw new ClientError("signed_out");
    const { device, proof, keyring, escrows, before, ownsData } = workerState.newUser;
    const row = await createLock(keyring, device, secret, kind, escrows);
    if (ownsData) {
      const stored = await store.changeLock((old) => (isSameLock(old, before) ? replaceLock(old, row) : undefined));
      // Another tab replaced the lock.
      if (!isSameLock(stored, row)) throw new StorageError("taken_over");
    } else {
      workerState.driver?.stop();
      workerState.driver = undefined;
      await eraseAttachments();
      await store.init(row, before);
    }
    await store.saveProof(device, proof);
    workerState.newUser = undefined;
    workerState.pinLock?.close();
    workerState.pinLock = new PinLock(store, row);
    return setState(await enter(keyring));
  },

  /** Codes: wrong_pin, pin_wait. */
  async unlock(secret: string): Promise<StartState> {
    if (!workerState.pinLock) throw new ClientError("signed_out");
    const key = await workerState.pinLock.unlock(secret);
    const unlocked = unlockedState();
    if (unlocked) {
      key.free();
      return unlocked;
    }
    return setState(await enter(key));
  },

  /** Saves what is being written, then drops key and records from memory. */
  lock,

  /**
   * Replaces the lock; after a failure the old one applies. With the password of the office's
   * account the data key is replaced too, since a person who knew the old PIN may know it, and rows
   * are re-encrypted afterwards. Codes: as `unlock` and `choosePin`; with a password also those of
   * `signIn`, and rotation_runs.
   */
  async changePin(now: string, next: string, kind: Secret, password?: string): Promise<void> {
    const { pinLock } = workerState;
    if (!pinLock || !workerState.keyring) throw new ClientError("locked");
    checkSecret(next, kind);
    const before = pinLock.row;
    const current = await pinLock.unlock(now);
    let key = current;
    try {
      if (password !== undefined) key = rotateKeyring(current);
      const escrows =
        password === undefined
          ? escrowsOf(before)
          : createEscrows(key, before.device, await escrowKey(key.user, password, before.device));
      const row = await createLock(key, before.device, next, kind, escrows);
      // Locked in the meantime: nothing changes.
      if (!workerState.keyring) throw new ClientError("locked");
      const stored = await pinLock.change((old) => {
        if (!isSameLock(old, before)) return undefined;
        return replaceLock(old, password === undefined ? withEscrows(row, escrowsOf(old)) : row);
      });
      if (!isSameLock(stored, row)) throw new StorageError("taken_over");
      if (key !== current) {
        rekey(key);
        // `rekey` owns it from here on.
        key = current;
      }
    } finally {
      if (key !== current) key.free();
      current.free();
    }
    await sharePass();
    if (password !== undefined) rotate();
  },

  /** The progress of re-encryption, or when it was finished; null if there was none. */
  rotation(): RotationState | null {
    if (workerState.rotation) return workerState.rotation.state;
    const at = workerState.pinLock?.row.rotated_at;
    return at === undefined ? null : { state: "finished", at };
  },

  /** Unsent work as an encrypted file that the office imports; works locked and offline. */
  async rescue(): Promise<Uint8Array> {
    const { pinLock, driver } = workerState;
    if (!pinLock) throw new ClientError("signed_out");
    // Rows and escrow must be of the same moment: a key rotation changes both.
    if (driver) {
      const { device, escrow } = pinLock.row;
      const rows = driver.call((workspace) => workspace.rescueRows());
      return rescueFile(device, escrow, rows, await requireStore().proof(device));
    }
    const { lock, rows } = await requireStore().rescueRows();
    if (!lock) throw new ClientError("signed_out");
    return rescueFile(lock.device, lock.escrow, rows, await requireStore().proof(lock.device));
  },

  /** Erases the phone. Codes: `unsent` while work is on this phone only, `has_drafts`. */
  async signOut(): Promise<StartState> {
    if ((await countUnsent()) > 0) throw new ClientError("unsent");
    if (await hasDrafts()) throw new ClientError("has_drafts");
    // The office of the workspace names it, so it can't end the session of a user who signed in later.
    const office = workerState.office ?? signInOffice;
    endSession();
    await eraseAttachments();
    await requireStore().clear();
    const state = setState({ kind: "signed_out" });
    // If the office can't be reached, its session expires on its own.
    await office.signOut().catch(() => undefined);
    return state;
  },

  /** Leaves the page that says why this phone was erased. */
  async acknowledgeErasure(): Promise<StartState> {
    if (workerState.pinLock) return currentState(null);
    await requireStore().clear();
    return setState({ kind: "signed_out" });
  },
};
