/** The session of the app on this phone: started, locked, unlocked, ended, erased. */
import init, { storeFormat, type Keyring } from "../../wasm/doorstep";
import wasmUrl from "../../wasm/doorstep_bg.wasm?url";
import type { StartState } from "../api";
import { StorageError } from "../store/database";
import { DeviceStore } from "../store/deviceStore";
import { PRACTICE } from "../store/names";
import { issuePass, openPass, PinLock, type UnlockPass } from "../store/pinLock";
import { emit, toRefusal } from "./messages";
import { safety } from "./safety";
import {
  closeEventStream,
  eraseAttachments,
  poison,
  rekey,
  resumeWorkspace,
  startPractice,
  startRotation,
  startWorkspace,
  stopRotation,
} from "./startWorkspace";
import { requireStore, STORE, unsentOnDisk, workerState } from "./state";

/** After the app was locked, pages may still save typed text for this long. */
const GRACE_MS = 1_000;
/** How long until a revoked device tries again to upload its attachments. */
const UPLOAD_RETRY_MS = 10_000;

let state: Promise<StartState> | undefined;

/** The state of the session; the first call starts it. */
export async function currentState(pass: UnlockPass | null): Promise<StartState> {
  const current = await (state ??= start(pass));
  // The wait for the next PIN and the unsent work have changed since.
  return current.kind === "locked" ? lockedState() : current;
}

export function setState(next: StartState): StartState {
  state = Promise.resolve(next);
  return next;
}

/** Opens the store and starts, unlocked if there is a valid pass. */
async function start(pass: UnlockPass | null): Promise<StartState> {
  try {
    await init({ module_or_path: wasmUrl });
    const store = await DeviceStore.open(STORE);
    // An earlier attempt may have left one open.
    workerState.store?.close();
    workerState.store = store;
    // An alarm goes out also while the app is locked.
    void safety.safety().catch(() => undefined);
    if (STORE === PRACTICE) {
      const { user, role } = await startPractice(store, eraseRevoked);
      return { kind: "ready", user, role };
    }
    const lock = await store.lock();
    if (!lock) return (await store.ended()) ?? { kind: "signed_out" };
    if (lock.format !== storeFormat()) {
      throw new StorageError(lock.format < storeFormat() ? "older_store" : "newer_store");
    }
    workerState.pinLock = new PinLock(store, lock);
    const key = pass && (await openPass(pass, lock));
    if (!key) return await lockedState();
    return await enter(key);
  } catch (cause) {
    // The next call tries again.
    state = undefined;
    return { kind: "failed", code: toRefusal(cause).code };
  }
}

async function lockedState(): Promise<StartState> {
  const { pinLock, revoked } = workerState;
  if (!pinLock) return { kind: "signed_out" };
  const { secret } = pinLock.row;
  return { kind: "locked", secret, unsent: await unsentOnDisk(), wait: pinLock.wait(), ended: revoked ?? null };
}

/** Runs the workspace with a key, which unlocks the app in every tab. */
export async function enter(key: Keyring): Promise<StartState> {
  workerState.keyring = key;
  const ready: StartState = { kind: "ready", user: key.user, role: key.role };
  const { closing } = workerState;
  workerState.closing = undefined;
  try {
    if (closing && !closing.driver.isStopped) await resumeWorkspace(closing.driver, requireStore(), key);
    else await startWorkspace(requireStore(), key, eraseRevoked);
  } catch (cause) {
    // Still locked: the next attempt starts from the beginning.
    stopAll();
    throw cause;
  }
  await sharePass();
  rotate();
  return ready;
}

/** The state if the app was unlocked already. */
export function unlockedState(): Promise<StartState> | undefined {
  return workerState.keyring && state;
}

/** Gives all tabs a pass, so that the next worker starts unlocked. */
export async function sharePass(): Promise<void> {
  const { keyring, pinLock } = workerState;
  if (!keyring || !pinLock) return;
  const pass = await issuePass(keyring, pinLock.row);
  // Locked meanwhile.
  if (workerState.keyring === keyring) emit({ type: "pass", pass });
}

/** Re-encrypts rows in the background if the data key was replaced. */
export function rotate(): void {
  startRotation(dropPreviousKey);
}

/** Drops the previous data key from memory: nothing is encrypted under it any more. */
async function dropPreviousKey(): Promise<void> {
  if (!workerState.keyring?.rotating) return;
  rekey(workerState.keyring.withoutPrevious());
  await sharePass();
}

/** Drops the key from memory at once, and the workspace as soon as everything is on disk. */
export async function lock(): Promise<StartState> {
  if (workerState.keyring) {
    closeSession();
    return setState(await lockedState());
  }
  return lockedState();
}

function closeSession(): void {
  closeEventStream();
  emit({ type: "pass", pass: null });
  workerState.signer = undefined;
  stopRotation();
  workerState.keyring?.free();
  workerState.keyring = undefined;
  // Attachments that are being stored are finished; the next start names and uploads the rest.
  const { attachments, driver } = workerState;
  workerState.attachments = undefined;
  attachments?.stop();
  setTimeout(() => attachments?.close(), GRACE_MS);
  if (!driver) return;
  const closing = { driver };
  workerState.closing = closing;
  workerState.driver = undefined;
  const close = async (): Promise<void> => {
    // Other tabs are saving their typed text.
    await new Promise((done) => setTimeout(done, GRACE_MS));
    // If the app was unlocked meanwhile, the driver is in use again.
    if (workerState.closing === closing) await driver.flush();
    if (workerState.closing !== closing) return;
    workerState.closing = undefined;
    driver.free();
  };
  void close();
}

/** Ends the session of the phone's user. */
export function endSession(): void {
  stopAll();
  workerState.newUser = undefined;
  workerState.pinLock?.close();
  workerState.pinLock = undefined;
  emit({ type: "pass", pass: null });
}

/** Ends what runs while the app is unlocked. */
function stopAll(): void {
  closeEventStream();
  stopRotation();
  workerState.attachments?.close();
  workerState.attachments = undefined;
  workerState.driver?.stop();
  workerState.driver = undefined;
  workerState.office = undefined;
  workerState.keyring = undefined;
  workerState.revoked = undefined;
}

/**
 * Erases a device that the office has revoked and whose changes it has, as soon as the office
 * confirms that no attachment is outstanding either; any other answer postpones it.
 */
async function eraseRevoked(code: string): Promise<void> {
  const { attachments, driver, keyring } = workerState;
  if (!keyring) {
    // Encrypted attachments can't be uploaded while locked. After the unlock the office says it again.
    workerState.revoked = code;
    emit({ type: "session", state: setState(await lockedState()) });
    return;
  }
  // Locked and unlocked since: the office tells the new driver.
  if (!driver?.isStopped) return;
  const uploaded = attachments ? await attachments.uploadAll().catch(() => false) : false;
  if (workerState.keyring !== keyring) return eraseRevoked(code);
  if (!uploaded) {
    setTimeout(() => void eraseRevoked(code).catch(poison), UPLOAD_RETRY_MS);
    return;
  }
  endSession();
  const ended: StartState = { kind: "ended", code };
  await eraseAttachments();
  await requireStore().clear(ended);
  emit({ type: "session", state: setState(ended) });
}
