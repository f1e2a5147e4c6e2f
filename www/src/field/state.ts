/** What every view of the field app shares: the core, and what it last said. */
import { signal } from "@preact/signals";
import { ClientError, type ListRow, type SaveState, type StartState, type SyncStatus } from "../core/api";
import { connect } from "../core/client";
import { sentence } from "../i18n";

export const client = connect();

/** Null until the core has answered. */
export const session = signal<StartState | null>(null);
export const rows = signal<ListRow[] | null>(null);
export const status = signal<SyncStatus | null>(null);
export const save = signal<SaveState | null>(null);
/** A notice that stays until it is dismissed. */
export const notice = signal<string | null>(null);
/** The office wants the person to sign in again. */
export const expired = signal(false);
/** Raised whenever a record changed from outside, by id. */
export const changed = signal<{ id: string; at: number } | null>(null);

/** A short message with a way back. */
export interface Toast {
  text: string;
  undo?: () => void;
}
export const toast = signal<Toast | null>(null);
let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a message for some seconds: long enough to reach the button with one thumb. */
export function showToast(next: Toast): void {
  clearTimeout(toastTimer);
  toast.value = next;
  toastTimer = setTimeout(() => (toast.value = null), 8000);
}

/** The sentence for whatever was thrown. */
export function explain(cause: unknown): string {
  return sentence("error", cause instanceof ClientError ? cause.code : "failed");
}

async function refreshList(): Promise<void> {
  rows.value = await client.list();
}

/** One refresh at a time; what comes meanwhile asks for one more. */
let refreshing: Promise<void> | null = null;
let again = false;
function listChanged(): void {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = refreshList()
    .catch(() => undefined)
    .finally(() => {
      refreshing = null;
      if (again) {
        again = false;
        listChanged();
      }
    });
}

/** Takes a state of the session in and reads what belongs to it. */
export async function enter(next: StartState): Promise<void> {
  if (next.kind === "ready") {
    const [list, state] = await Promise.all([client.list(), client.status()]);
    rows.value = list;
    status.value = state;
    expired.value = false;
  } else {
    rows.value = null;
    status.value = null;
  }
  session.value = next;
}

/** Connects the core's events with the signals and starts it. */
export async function begin(): Promise<void> {
  client.subscribe((event) => {
    switch (event.type) {
      case "status":
        status.value = event.status;
        return;
      case "list":
        listChanged();
        return;
      case "record":
        changed.value = { id: event.id, at: Date.now() };
        return;
      case "save":
        save.value = event.save;
        return;
      case "restarted":
        notice.value = sentence("problem", "restarted");
        listChanged();
        return;
      case "signed_out":
        expired.value = true;
        return;
      case "taken_over":
        session.value = { kind: "other_tab" };
        return;
    }
  });
  try {
    await enter(await client.start());
  } catch (cause) {
    session.value = { kind: "failed", code: cause instanceof ClientError ? cause.code : "failed" };
  }
}
