/** What the worker learns beside the records: zones, the lender's rules, what stands on the borrower's copy. */
import type { Driver } from "./driver";
import { here, office, STORE } from "./state";
import { PRACTICE } from "../store/names";
import type { Storage } from "../store/deviceStore";
import { zoneAround } from "./zones";

/** How long the lender's layers are taken for the office's newest. */
const LAYERS_LAST_MS = 3_600_000;
let layersAt = 0;

/**
 * A phone that was enrolled before there were proofs asks for its own: an office that is restored
 * from a backup may not know the phone any more.
 */
export async function learnProof(store: Storage, device: string): Promise<void> {
  if (await store.proof(device).catch(() => undefined)) return;
  const signedIn = await office.signedIn().catch(() => undefined);
  // The session may be another user's.
  if (signedIn?.device === device) await store.keepProof(device, signedIn.proof).catch(() => undefined);
}

/** What stands on the borrower's copy is kept for days without a network. */
export async function learnLender(store: Storage): Promise<void> {
  const lender = await here.link?.lender().catch(() => undefined);
  if (lender) await store.keepLender(lender).catch(() => undefined);
}

/** Rules of conduct need the borrower's clock. */
export function learnZone(drive: Driver, id: string): void {
  drive.call((workspace) => {
    const { zone } = workspace.view(id).case;
    const now = Date.now();
    if (zone && !workspace.knowsZone(zone, now)) workspace.learnZone(zoneAround(zone, now));
  });
}

/**
 * Asks for the lender's layers, where that was long ago. Without a network the kept ones hold;
 * practice asks nobody.
 */
export function learnLayers(): void {
  const { link } = here;
  if (STORE === PRACTICE || !link || Date.now() - layersAt < LAYERS_LAST_MS) return;
  layersAt = Date.now();
  link
    .layers()
    .then((packed) => here.driver?.call((workspace) => workspace.learnLayers(packed)))
    .catch(() => (layersAt = 0));
}

/** A new workspace asks, however short ago that was. */
export function learnLayersAnew(): void {
  layersAt = 0;
  learnLayers();
}
