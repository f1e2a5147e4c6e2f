/**
 * Practice: the same app over a store of its own, with made-up borrowers and no way to an office.
 * It belongs to one tab, and ends with it; leaving it deletes its store.
 */
import { PRACTICE } from "../core/store/names";

const FLAG = "doorstep.practice";

function flag(): boolean {
  try {
    return sessionStorage.getItem(FLAG) !== null;
  } catch {
    return false;
  }
}

/** Whether this page practises. It stays so for as long as the page is loaded. */
export const practising = flag();

export function beginPractice(): void {
  sessionStorage.setItem(FLAG, "1");
  location.assign("/");
}

/** Leaves the practice; its store goes with the next page load, when nothing uses it any more. */
export function endPractice(): void {
  sessionStorage.removeItem(FLAG);
  location.assign("/");
}

/** Deletes what a practice left behind, unless a tab still practises. */
export function sweepPractice(): void {
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
