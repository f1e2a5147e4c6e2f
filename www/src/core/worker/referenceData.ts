/** Data beside the records: time zones, the lender's rules and details, the proof of enrolment. */
import type { DeviceStore } from "../store/deviceStore";
import { PRACTICE } from "../store/names";
import type { Driver } from "./driver";
import { signInOffice, STORE, workerState } from "./state";
import { zoneAround } from "./zones";

/** Age at which the lender's rules are fetched again. */
const LAYERS_MAX_AGE_MS = 3_600_000;
let layersAt = 0;

/**
 * Fetches the proof of enrolment for a phone that has none: an office that was restored from a
 * backup may not know the device any more.
 */
export async function fetchProof(store: DeviceStore, device: string): Promise<void> {
  if (await store.proof(device).catch(() => undefined)) return;
  const signedIn = await signInOffice.signedIn().catch(() => undefined);
  // The session may be another user's.
  if (signedIn?.device === device) await store.saveProof(device, signedIn.proof).catch(() => undefined);
}

/** Stores what the lender tells all phones, for use without a network, and sorts the list by it. */
export async function fetchLender(store: DeviceStore): Promise<void> {
  const lender = await workerState.office?.lender().catch(() => undefined);
  if (!lender) return;
  workerState.driver?.call((workspace) => workspace.setQueueOrder(lender.queue_order ?? []));
  await store.saveLender(lender).catch(() => undefined);
}

/** Gives the core the borrower's time zone, which rules of conduct need. */
export function addZone(driver: Driver, id: string): void {
  driver.call((workspace) => {
    const { zone } = workspace.view(id).case;
    const now = Date.now();
    if (zone && !workspace.hasZone(zone, now)) workspace.addZone(zoneAround(zone, now));
  });
}

/** Fetches the lender's rules unless that was done recently. Without a network the stored ones apply. */
export function refreshLayers(): void {
  const { office } = workerState;
  if (STORE === PRACTICE || !office || Date.now() - layersAt < LAYERS_MAX_AGE_MS) return;
  layersAt = Date.now();
  office
    .layers()
    .then((packed) => workerState.driver?.call((workspace) => workspace.setLayers(packed)))
    .catch(() => (layersAt = 0));
}

/** Fetches the lender's rules for a new workspace. */
export function fetchLayers(): void {
  layersAt = 0;
  refreshLayers();
}
