/**
 * What the office knows about the user: their own figures, and where to send them notices;
 * and the support bundle that it asks for.
 */
import { Cipher } from "../../wasm/doorstep";
import {
  ClientError,
  type OwnFigures,
  type PendingSupport,
  type PushState,
  type PushSubscriptionRequest,
} from "../api";
import type { Office } from "./office";
import { requireStore, workerState } from "./state";

/** Binds the encrypted figures to their place in the store. */
const PLACE = "figures";

function withCipher<T>(use: (cipher: Cipher) => T): T {
  if (!workerState.keyring) throw new ClientError("locked");
  const cipher = new Cipher(workerState.keyring, crypto.getRandomValues(new Uint8Array(16)));
  try {
    return use(cipher);
  } finally {
    cipher.free();
  }
}

function office(): Office {
  if (!workerState.office) throw new ClientError("offline");
  return workerState.office;
}

export const officeReports = {
  /** The figures as the office last gave them, for use without a network. */
  async storedFigures(): Promise<OwnFigures | null> {
    const stored = await requireStore().figures();
    const plain = stored && withCipher((cipher) => cipher.decrypt(stored, PLACE));
    return plain ? (JSON.parse(new TextDecoder().decode(plain)) as OwnFigures) : null;
  },

  /** Asks the office for the user's figures; months begin in `zone`. */
  async ownFigures(zone: string): Promise<OwnFigures> {
    const figures = await office().ownFigures(zone);
    const plain = new TextEncoder().encode(JSON.stringify(figures));
    const encrypted = withCipher((cipher) => cipher.encrypt(plain, PLACE));
    // The figures are shown all the same.
    await requireStore()
      .saveFigures(encrypted)
      .catch(() => undefined);
    return figures;
  },

  pendingSupport: (): Promise<PendingSupport> => office().pendingSupport(),
  answerSupport: (id: string, bundle: string | null): Promise<void> => office().answerSupport(id, bundle),
  pushState: (): Promise<PushState> => office().pushState(),
  subscribePush: (subscription: PushSubscriptionRequest): Promise<void> => office().subscribePush(subscription),
  unsubscribePush: (): Promise<void> => office().unsubscribePush(),
};
