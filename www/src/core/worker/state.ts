/** What is open in the leading tab's worker: there is one of each at the most. */
import { ClientError } from "../api";
import type { Attachments } from "../attachments/attachments";
import { countWaiting } from "../attachments/attachmentStore";
import type { Driver } from "./driver";
import { Listing } from "./listing";
import type { Door } from "../store/pinLock";
import { Office } from "./office";
import type { Rotation } from "../store/rotation";
import type { Signing } from "./signing";
import type { Storage } from "../store/deviceStore";
import type { Keyring } from "../../wasm/doorstep";

/** The store that this worker is over: its name says which (`Engine`). */
export const STORE = self.name;

/** The office for signing in and out: its requests name no workspace. */
export const office = new Office();

interface Here {
  storage?: Storage | undefined;
  /** The lock of the store, while there is one. */
  door?: Door | undefined;
  /** The office for the workspace of this store, once it was started. */
  link?: Office | undefined;
  /** While the app is unlocked. */
  keyring?: Keyring | undefined;
  driver?: Driver | undefined;
  /** Locked while something is still to be written: it goes once that is on disk. */
  leaving?: { driver: Driver } | undefined;
  /** Why the office has shut this phone out, while what is left waits for the unlock. */
  shutOut?: string | undefined;
  signing?: Signing | undefined;
  attachments?: Attachments | undefined;
  /** While rows are re-encrypted. */
  rotation?: Rotation | undefined;
  listing: Listing;
  /** The core failed: the page is about to end this worker. */
  poisoned: boolean;
}

export const here: Here = { listing: new Listing(), poisoned: false };

export function opened(): Storage {
  if (!here.storage) throw new ClientError("storage_failed");
  return here.storage;
}

export function linked(): Office {
  if (!here.link) throw new ClientError(here.door ? "locked" : "signed_out");
  return here.link;
}

export function running(): Driver {
  if (!here.driver) throw new ClientError(here.door ? "locked" : "signed_out");
  return here.driver;
}

/** What was typed before the app was locked may still come in. */
export function writing(): Driver {
  return here.leaving?.driver ?? running();
}

export function attached(): Attachments {
  if (!here.attachments) throw new ClientError(here.door ? "locked" : "signed_out");
  return here.attachments;
}

/** Changes that the office has not confirmed, and attachments that it does not have. */
export async function unsent(): Promise<number> {
  if (!here.driver) return lying();
  const changes = here.driver.call((workspace) => Number(workspace.status().unsent));
  return changes + (await countWaiting(STORE));
}

/** The same as it lies on disk, which takes no key. */
export async function lying(): Promise<number> {
  return (await opened().unsent()) + (await countWaiting(STORE));
}

/** Whether forms are begun on this phone and not handed in. */
export async function formsBegun(): Promise<boolean> {
  return here.driver ? here.driver.call((workspace) => workspace.hasDrafts()) : opened().begun();
}

/** Whether something lies here that would be lost with the store. */
export async function atStake(): Promise<boolean> {
  return (await unsent()) > 0 || (await formsBegun());
}
