/**
 * Practice: the same app with its own store, made-up borrowers and no connection to an office.
 * It belongs to one tab and ends with it; ending practice deletes its store.
 */
import { PRACTICE } from "../core/store/names";

const FLAG = "doorstep.practice";

function isFlagSet(): boolean {
  try {
    return sessionStorage.getItem(FLAG) !== null;
  } catch {
    return false;
  }
}

/** Whether this page load is in practice mode. */
export const practising = isFlagSet();

export function beginPractice(): void {
  sessionStorage.setItem(FLAG, "1");
  location.assign("/");
}

/** Ends practice. The next page load deletes its store, when no worker uses it any more. */
export function endPractice(): void {
  sessionStorage.removeItem(FLAG);
  location.assign("/");
}

/** Deletes the store of a past practice, unless a tab is in practice mode. */
export function deletePracticeStore(): void {
  void navigator.locks
    .request(`${PRACTICE}-store`, { ifAvailable: true }, (lock) => lock && deleteStore())
    .catch(() => undefined);
}

function deleteStore(): Promise<void> {
  return new Promise((done) => {
    const request = indexedDB.deleteDatabase(PRACTICE);
    request.onsuccess = request.onerror = request.onblocked = () => done();
  });
}
