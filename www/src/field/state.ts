/** What every view of the field app shares: the core, and what it last said. */
import { computed, signal } from "@preact/signals";
import {
  ClientError,
  type ListMark,
  type ListRow,
  type RotationState,
  type SaveState,
  type StartState,
  type SyncStatus,
} from "../core/api";
import { connect } from "../core/tabs/client";
import { PRACTICE, STORE } from "../core/store/names";
import { errorText, problemText, t } from "../i18n";
import { fieldName, today } from "../ui/format";
import { signedIn } from "../ui/openid";
import { arrange, dayOf, prepare } from "./listSections";
import { practising } from "./practiceMode";

export const client = connect(practising ? PRACTICE : STORE);

/** Null until the core has answered. */
export const session = signal<StartState | null>(null);
export const rows = signal<ListRow[] | null>(null);
export const status = signal<SyncStatus | null>(null);
export const save = signal<SaveState | null>(null);
/** How far the rows on this phone are re-encrypted; null until it is known. */
export const rotation = signal<RotationState | null>(null);
/** Fields of this page with something typed that the core has not taken yet. */
export const typing = signal(0);
/** Edits of this page that are not durable yet. */
export const saving = signal(0);
/** A notice that stays until it is dismissed. */
export const notice = signal<string | null>(null);
/** The office wants the person to sign in again; it may say so while the app still starts. */
export const expired = signal(false);
/** What the browser believes; a hint, not a fact. */
export const online = signal(navigator.onLine);
for (const type of ["online", "offline"]) addEventListener(type, () => (online.value = navigator.onLine));

/** The time, now and then, for what says how long something has waited. */
export const clock = signal(Date.now());
setInterval(() => document.visibilityState === "visible" && (clock.value = Date.now()), 30_000);

const day = computed(() => (clock.value, today()));
/** All rows in the order of the day. Thousands are put in order once; a search only leaves some out. */
export const arranged = computed(() => arrange(rows.value ?? [], dayOf(day.value)));

/** The app is about to be locked: nothing of any record is shown any more, what was typed is being saved. */
export const locking = signal(false);

/** Leaves the pages, which saves what is typed in them. */
export function lockSoon(): void {
  locking.value = true;
}

/** Raised whenever a record changed from outside, by id. */
export const changed = signal<{ id: string; at: number } | null>(null);

/** How often the core has failed and was started anew. */
const restarts = signal(0);

/** Asks again, whenever the core was started anew from now on, what it may not have answered. */
export function onRestart(ask: () => void): () => void {
  const known = restarts.value;
  return restarts.subscribe((times) => void (times !== known && ask()));
}

/** Raised whenever something about attachments on this phone changed, by record. */
export const attachmentsChanged = signal<{ id: string; at: number } | null>(null);

/** Who is signed in on this phone. */
export const me = computed(() => (session.value?.kind === "ready" ? session.value.user : ""));

/** A short message with a way back. */
export interface Toast {
  text: string;
  undo?: (() => void) | undefined;
}
export const toast = signal<Toast | null>(null);
let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a message for some seconds: long enough to reach the button with one thumb. */
export function showToast(next: Toast): void {
  clearTimeout(toastTimer);
  toast.value = next;
  toastTimer = setTimeout(() => (toast.value = null), 8000);
}

/** The sentence for whatever was thrown; it names the field where the core named one. */
export function explain(cause: unknown): string {
  if (!(cause instanceof ClientError)) return errorText("failed");
  const said = errorText(cause.code);
  // The rules that stop a departure stand on the page with their reasons; they are no fields.
  const ofRules = cause.code.startsWith("conduct_");
  return cause.path === "" || ofRules ? said : t("error_at", { field: fieldName(cause.path), said });
}

/** Rows as they were last read, and how far: a row that has not changed stays the same object. */
const known = new Map<string, ListRow>();
let mark: ListMark | null = null;

async function refreshList(): Promise<void> {
  let changes = 0;
  for (let more = true; more;) {
    const page = await client.list(mark);
    if (page.fresh) known.clear();
    for (const [id, row] of page.rows) {
      if (row) {
        prepare(row);
        known.set(id, row);
      } else {
        known.delete(id);
      }
    }
    changes += page.fresh ? 1 : page.rows.length;
    ({ mark, more } = page);
  }
  if (changes > 0 || rows.value === null) rows.value = [...known.values()];
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
    const [, state] = await Promise.all([refreshList(), client.status()]);
    status.value = state;
    // Thousands are put in order before they are drawn, not in one go with it.
    void arranged.value;
    await new Promise((done) => setTimeout(done));
  } else {
    known.clear();
    mark = null;
    rows.value = null;
    status.value = null;
    save.value = null;
    rotation.value = null;
    toast.value = null;
    changed.value = null;
  }
  session.value = next;
  locking.value = false;
}

/** Goes on with whom the identity provider signed in; where that can't be, everything stays as it was. */
async function takeOver(started: StartState): Promise<StartState> {
  try {
    return await client.completeOidc();
  } catch (cause) {
    notice.value = explain(cause);
    return started;
  }
}

/** Connects the core's events with the signals and starts it. */
export async function begin(): Promise<void> {
  client.subscribe((event) => {
    switch (event.type) {
      case "status": {
        const arrived = status.value?.first_sync && !event.status.first_sync;
        status.value = event.status;
        if (arrived) listChanged();
        return;
      }
      case "list":
        // While the first sync fills the phone nobody looks at the list.
        if (!status.value?.first_sync) listChanged();
        return;
      case "record":
        changed.value = { id: event.id, at: Date.now() };
        return;
      case "attachments":
        attachmentsChanged.value = { id: event.id, at: Date.now() };
        return;
      case "save":
        save.value = event.save;
        return;
      case "rotation":
        rotation.value = event.rotation;
        return;
      case "restarted":
        notice.value = problemText("restarted");
        restarts.value += 1;
        listChanged();
        return;
      case "signed_out":
        expired.value = true;
        return;
      case "session":
        void enter(event.state);
        return;
      case "locking":
        if (session.value?.kind === "ready") lockSoon();
        return;
    }
  });
  try {
    const started = await client.start();
    await enter(signedIn ? await takeOver(started) : started);
  } catch (cause) {
    session.value = { kind: "failed", code: cause instanceof ClientError ? cause.code : "failed" };
  }
}
