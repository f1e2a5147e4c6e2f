/** Signals that every view of the field app shares, filled from the client's events. */
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
import { readPreference, writePreference } from "../ui/preferences";
import { returnedSignedIn } from "../ui/openid";
import { dayOf, groupRows, GROUPINGS, precompute, type Grouping } from "./listSections";
import { practising } from "./practiceMode";

export const client = connect(practising ? PRACTICE : STORE);

/** Null until the worker has answered. */
export const session = signal<StartState | null>(null);
export const rows = signal<ListRow[] | null>(null);
export const status = signal<SyncStatus | null>(null);
export const saveState = signal<SaveState | null>(null);
/** Bytes of the reply that is being received, if it is a large one. */
export const receiving = signal<number | null>(null);
/** Progress of key rotation; null until it is known. */
export const rotation = signal<RotationState | null>(null);
/** Number of fields on this page whose text the worker does not have yet. */
export const unsavedFields = signal(0);
/** Number of edits of this page that are not durable yet. */
export const pendingEdits = signal(0);
/** A message that stays until it is dismissed. */
export const notice = signal<string | null>(null);
/** The office requires a new sign-in; this may arrive before the app has started. */
export const expired = signal(false);
/** What the browser reports; only a hint. */
export const online = signal(navigator.onLine);
for (const type of ["online", "offline"]) addEventListener(type, () => (online.value = navigator.onLine));

/** The current time, updated every half minute while the page is visible. */
export const clock = signal(Date.now());
setInterval(() => document.visibilityState === "visible" && (clock.value = Date.now()), 30_000);

/** The date of the phone, `YYYY-MM-DD`. */
export const date = computed(() => (clock.value, today()));
/** All rows, grouped and sorted. Sorting thousands is slow; a search only filters the result. */
export const listSections = computed(() => groupRows(rows.value ?? [], dayOf(date.value), grouping.value));

/** How the list is grouped. */
const GROUPING_KEY = "doorstep.group";
export const grouping = signal<Grouping>(GROUPINGS.find((known) => known === readPreference(GROUPING_KEY)) ?? "day");

export function setGrouping(next: Grouping): void {
  writePreference(GROUPING_KEY, next);
  grouping.value = next;
}

/** The app is about to lock: pages are removed, which saves their texts. */
export const locking = signal(false);

export function beginLocking(): void {
  locking.value = true;
}

/** The last record that changed other than through this page. */
export const recordChanged = signal<{ id: string; at: number } | null>(null);

/** The last record whose attachments on this phone changed. */
export const attachmentsChanged = signal<{ id: string; at: number } | null>(null);

/** Number of times that the worker failed and was replaced. */
const restarts = signal(0);

/** Calls `retry` after every later restart of the worker, which loses requests in flight. */
export function onRestart(retry: () => void): () => void {
  const seen = restarts.value;
  return restarts.subscribe((count) => void (count !== seen && retry()));
}

/** The user who is signed in on this phone. */
export const me = computed(() => (session.value?.kind === "ready" ? session.value.user : ""));

/** A short message, with an undo action if there is one. */
interface Toast {
  text: string;
  undo?: (() => void) | undefined;
  /** Path of the page that opens with the message; by default it ends with the page that shows it. */
  page?: string;
}
export const toast = signal<Toast | null>(null);
let toastTimer: ReturnType<typeof setTimeout> | undefined;
/** Long enough to reach the undo button with one thumb. */
const TOAST_MS = 8_000;

export function showToast(next: Toast): void {
  clearTimeout(toastTimer);
  toast.value = next;
  toastTimer = setTimeout(() => (toast.value = null), TOAST_MS);
}

/** The sentence for an error; it names the field if the worker named one. */
export function explain(cause: unknown): string {
  if (!(cause instanceof ClientError)) return t("error/failed");
  const text = errorText(cause.code);
  // For conduct errors the path is a rule; the page already shows the rules and their reasons.
  const isRule = cause.code.startsWith("conduct_");
  return cause.path === "" || isRule ? text : t("error_at", { field: fieldName(cause.path), text });
}

/** Rows of the list by id; an unchanged row stays the same object, so that it is not rendered again. */
const rowsById = new Map<string, ListRow>();
let listMark: ListMark | null = null;

async function refreshList(): Promise<void> {
  let changes = 0;
  for (let more = true; more;) {
    const page = await client.list(listMark);
    if (page.fresh) rowsById.clear();
    for (const row of page.rows) {
      precompute(row);
      rowsById.set(row.id, row);
    }
    for (const id of page.removed) rowsById.delete(id);
    changes += page.fresh ? 1 : page.rows.length + page.removed.length;
    listMark = page.mark;
    more = page.more;
  }
  if (changes > 0 || rows.value === null) rows.value = [...rowsById.values()];
}

/** One refresh runs at a time; a change during a refresh starts one more. */
let refreshing: Promise<void> | null = null;
let changedWhileRefreshing = false;
function listChanged(): void {
  if (refreshing) {
    changedWhileRefreshing = true;
    return;
  }
  refreshing = refreshList()
    .catch(() => undefined)
    .finally(() => {
      refreshing = null;
      if (changedWhileRefreshing) {
        changedWhileRefreshing = false;
        listChanged();
      }
    });
}

/** Switches to a state of the session and loads the data that belongs to it. */
export async function enterSession(next: StartState): Promise<void> {
  if (next.kind === "ready") {
    const [, state] = await Promise.all([refreshList(), client.status()]);
    status.value = state;
    // Sort thousands of rows in a task of their own, before the one that renders them.
    void listSections.value;
    await new Promise((done) => setTimeout(done));
  } else {
    rowsById.clear();
    listMark = null;
    rows.value = null;
    status.value = null;
    saveState.value = null;
    rotation.value = null;
    toast.value = null;
    recordChanged.value = null;
  }
  session.value = next;
  locking.value = false;
}

/** Completes a sign-in through the identity provider; if that fails, the session stays as it was. */
async function completeSignIn(started: StartState): Promise<StartState> {
  try {
    return await client.completeOidc();
  } catch (cause) {
    notice.value = explain(cause);
    return started;
  }
}

/** Subscribes to the client's events and starts it. */
export async function startApp(): Promise<void> {
  client.subscribe((event) => {
    switch (event.type) {
      case "status": {
        const firstSyncDone = status.value?.first_sync && !event.status.first_sync;
        status.value = event.status;
        if (firstSyncDone) listChanged();
        return;
      }
      case "list":
        // The list is not shown during the first sync.
        if (!status.value?.first_sync) listChanged();
        return;
      case "receiving":
        receiving.value = event.bytes;
        return;
      case "record":
        recordChanged.value = { id: event.id, at: Date.now() };
        return;
      case "attachments":
        attachmentsChanged.value = { id: event.id, at: Date.now() };
        return;
      case "save":
        saveState.value = event.save;
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
        void enterSession(event.state);
        return;
      case "locking":
        if (session.value?.kind === "ready") beginLocking();
        return;
    }
  });
  try {
    const started = await client.start();
    await enterSession(returnedSignedIn ? await completeSignIn(started) : started);
  } catch (cause) {
    session.value = { kind: "failed", code: cause instanceof ClientError ? cause.code : "failed" };
  }
}
