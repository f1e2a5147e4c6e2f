/**
 * The service worker and its updates, as states that the pages show.
 *
 * A new version is downloaded in the background and waits until the user asks for it. Activating it
 * deletes the files of the previous version, so all tabs reload together: every tab is asked first,
 * and unfinished work in one of them cancels the update for all.
 */
import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import { countTabs } from "../core/tabs/presence";
import { dirtyForms } from "../ui/dirtyForms";
import { saveState, pendingEdits, status, unsavedFields } from "./state";

/** Browsers check for a new version only when a page loads, but this app stays open for days. */
const CHECK_EVERY_MS = 3_600_000;
/** Autosaved fields are on disk within this time. */
const FLUSH_MS = 3_000;
/** A tab that has not answered by then is treated as having unfinished work. */
const REPLY_TIMEOUT_MS = 5_000;

/** The service worker holds the app: it starts without a network. */
export const offlineReady = signal(Boolean(navigator.serviceWorker?.controller));
/** A new version is downloaded and waiting. */
export const updateWaiting = signal(false);
const postponed = signal(false);
export const updateOffered = computed(() => updateWaiting.value && !postponed.value);
/** Where unfinished work cancelled the update. */
export const updateBlocked = signal<"here" | "elsewhere" | null>(null);

const saved = computed(
  () => unsavedFields.value === 0 && pendingEdits.value === 0 && (saveState.value?.state ?? "saved") === "saved",
);
/** Reloading this page loses nothing. */
const canReload = computed(() => dirtyForms.value === 0 && saved.value);

/** The office no longer accepts this version of the protocol. */
const versionRefused = computed(() => status.value?.problem === "unsupported_version");

type Message = { kind: "ask"; call: string } | { kind: "answer"; call: string; agreed: boolean } | { kind: "later" };

const channel = new BroadcastChannel("doorstep-updates");
const broadcast = (message: Message): void => channel.postMessage(message);

let registration: ServiceWorkerRegistration | undefined;
/** A new controller means another version than the one this page was loaded from. */
let controlled = false;

export function watchUpdates(): void {
  if (!("serviceWorker" in navigator)) return;
  controlled = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (controlled) effect(() => void (canReload.value && location.reload()));
    controlled = true;
  });
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "ask")
      void agreesToReload().then((agreed) => broadcast({ kind: "answer", call: data.call, agreed }));
    if (data.kind === "later") postponed.value = true;
  });
  // Without a service worker the app still works online.
  void navigator.serviceWorker.register("/sw.js").then(watch, () => undefined);
}

function watch(of: ServiceWorkerRegistration): void {
  registration = of;
  const readState = (): void => void (updateWaiting.value = of.waiting !== null && of.active !== null);
  const watchInstalling = (): void => {
    const { installing, active } = of;
    installing?.addEventListener("statechange", () => {
      // This is a newer version than the postponed one.
      if (installing.state === "installed") postponed.value = false;
      if (installing.state === "activated" && !active) offlineReady.value = true;
      readState();
    });
    readState();
  };
  of.addEventListener("updatefound", watchInstalling);
  watchInstalling();
  const checkForUpdate = (): void => {
    postponed.value = false;
    void of.update().catch(() => undefined);
  };
  effect(() => void (versionRefused.value && checkForUpdate()));
  let lastCheck = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - lastCheck < CHECK_EVERY_MS) return;
    lastCheck = Date.now();
    checkForUpdate();
  });
}

/** Updates every tab, unless one has unfinished work. Called only when the user asks for it. */
export async function updateNow(): Promise<void> {
  updateBlocked.value = null;
  if (!(await agreesToReload())) updateBlocked.value = "here";
  else if (!(await otherTabsAgree())) updateBlocked.value = "elsewhere";
  else registration?.waiting?.postMessage({ type: "SKIP_WAITING" });
}

/** Postpones the update in every tab, until the app is opened again or shown after an hour. */
export function updateLater(): void {
  updateBlocked.value = null;
  postponed.value = true;
  broadcast({ kind: "later" });
}

/** Whether this tab can be reloaded, after its autosaved fields are saved. */
async function agreesToReload(): Promise<boolean> {
  const ready = dirtyForms.value === 0 && (await becomesTrue(saved, FLUSH_MS)) && canReload.value;
  // A page loaded without the service worker reloads like any other.
  if (ready) controlled = true;
  return ready;
}

/** Asks every other tab; a tab that does not answer may have unfinished work. */
async function otherTabsAgree(): Promise<boolean> {
  const asked = (await countTabs()) - 1;
  if (asked <= 0) return true;
  const call = crypto.randomUUID();
  return new Promise((done) => {
    let agreed = 0;
    const settle = (all: boolean): void => {
      clearTimeout(timer);
      channel.removeEventListener("message", onReply);
      done(all);
    };
    const onReply = ({ data }: MessageEvent<Message>): void => {
      if (data.kind !== "answer" || data.call !== call) return;
      if (!data.agreed) settle(false);
      else if (++agreed === asked) settle(true);
    };
    const timer = setTimeout(() => settle(false), REPLY_TIMEOUT_MS);
    channel.addEventListener("message", onReply);
    broadcast({ kind: "ask", call });
  });
}

/** Whether the state becomes true in time. */
function becomesTrue(state: ReadonlySignal<boolean>, ms: number): Promise<boolean> {
  return new Promise((done) => {
    const settle = (reached: boolean): void => {
      clearTimeout(timer);
      // The effect may run before `stop` is assigned.
      queueMicrotask(() => stop());
      done(reached);
    };
    const timer = setTimeout(() => settle(false), ms);
    const stop = effect(() => void (state.value && settle(true)));
  });
}
