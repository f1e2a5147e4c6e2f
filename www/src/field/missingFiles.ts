/** Attachments of this phone that a record names and the office does not have yet, by record. */
import { effect, signal } from "@preact/signals";
import { attachmentsChanged, client, session } from "./state";

export const missingFiles = signal<ReadonlyMap<string, number>>(new Map());

/** An upload reports every piece. */
const REFRESH_MS = 500;
let timer: ReturnType<typeof setTimeout> | undefined;

function refresh(): void {
  timer = undefined;
  client.missingAttachments().then(
    (counts) => {
      const next = new Map(counts);
      const same =
        next.size === missingFiles.value.size && counts.every(([id, count]) => missingFiles.value.get(id) === count);
      if (!same) missingFiles.value = next;
    },
    () => undefined,
  );
}

/** Keeps the counts up to date while the app is unlocked. */
export function watchMissingFiles(): void {
  effect(() => {
    void attachmentsChanged.value;
    if (session.value?.kind === "ready") timer ??= setTimeout(refresh, REFRESH_MS);
    else missingFiles.value = new Map();
  });
}
