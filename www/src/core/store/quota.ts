/** The browser's storage, as far as the browser says anything of it: WebKitGTK, for one, can neither be asked to keep data nor says how much there is. */
import type { StorageState } from "../api";

/** The methods of `navigator.storage` that may be missing. */
type Storage = Partial<Pick<StorageManager, "persist" | "persisted" | "estimate">>;
const storage: Storage = (navigator as { storage?: StorageManager }).storage ?? {};

export async function storageState(): Promise<StorageState> {
  const [persisted, estimate] = await Promise.all([storage.persisted?.() ?? false, storage.estimate?.()]);
  const { usage = 0, quota = 0 } = estimate ?? {};
  const room = quota > 0 ? { usage, quota } : null;
  return { persistence: persisted ? "granted" : storage.persist ? "not_granted" : "unsupported", room };
}

/** Asks the browser not to delete the data; false if it declines or has no means to promise that. */
export async function requestPersistence(): Promise<boolean> {
  try {
    return (await storage.persist?.()) ?? false;
  } catch {
    return false;
  }
}
