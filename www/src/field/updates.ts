/**
 * The service worker: "ready offline" and "a new version waits" are states that a person sees.
 *
 * A new version is fetched beside the one that runs, and waits until a person wants it. It takes
 * the files of the one before away, so all tabs change over together: each is asked first, and one
 * in which something is unfinished keeps all of them where they are. Then the new version takes
 * over, and every tab loads itself anew.
 */
import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import { countTabs } from "../core/tabs/presence";
import { dirtyForms } from "../ui/dirtyForms";
import { save, saving, status, typing } from "./state";

/** A browser looks for a new version on its own only when a page is loaded; this app stays open for days. */
const LOOK_EVERY_MS = 3_600_000;
/** Good news needs no tap to go away, and covers what stands at the foot of a page meanwhile. */
const READY_SHOWN_MS = 10_000;
/** What is typed into fields that save themselves is on disk within this. */
const FLUSH_MS = 3_000;
/** A tab that has not answered by then is not there to be asked. */
const PATIENCE_MS = 5_000;

export const offlineReady = signal(false);
/** A new version is on this phone. */
export const updateWaits = signal(false);
const putOff = signal(false);
export const updateOffered = computed(() => updateWaits.value && !putOff.value);
/** Where something is unfinished, so that the update did not go ahead. */
export const updateHeld = signal<"here" | "elsewhere" | null>(null);

const saved = computed(() => typing.value === 0 && saving.value === 0 && (save.value?.state ?? "saved") === "saved");
/** Loading this page anew costs nobody a letter. */
const finished = computed(() => dirtyForms.value === 0 && saved.value);

/** The office does not speak the language of this version any more. */
const outgrown = computed(() => status.value?.problem === "unsupported_version");

type Message = { kind: "ask"; call: string } | { kind: "answer"; call: string; agreed: boolean } | { kind: "later" };

const others = new BroadcastChannel("doorstep-updates");
const tell = (message: Message): void => others.postMessage(message);

let registration: ServiceWorkerRegistration | undefined;
/** Whatever takes this page over is another version than the one that it was loaded from. */
let loaded = false;

export function watchUpdates(): void {
  if (!("serviceWorker" in navigator)) return;
  loaded = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (loaded) effect(() => void (finished.value && location.reload()));
    loaded = true;
  });
  others.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "ask") void agree().then((agreed) => tell({ kind: "answer", call: data.call, agreed }));
    if (data.kind === "later") putOff.value = true;
  });
  // Where the browser keeps none the app works all the same, with a network.
  void navigator.serviceWorker.register("/sw.js").then(watch, () => undefined);
}

function watch(of: ServiceWorkerRegistration): void {
  registration = of;
  const look = (): void => void (updateWaits.value = of.waiting !== null && of.active !== null);
  const follow = (): void => {
    const { installing, active } = of;
    installing?.addEventListener("statechange", () => {
      // Another version than the one that was put off.
      if (installing.state === "installed") putOff.value = false;
      if (installing.state === "activated" && !active) sayReady();
      look();
    });
    look();
  };
  of.addEventListener("updatefound", follow);
  follow();
  const seek = (): void => {
    putOff.value = false;
    void of.update().catch(() => undefined);
  };
  effect(() => void (outgrown.value && seek()));
  let looked = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - looked < LOOK_EVERY_MS) return;
    looked = Date.now();
    seek();
  });
}

function sayReady(): void {
  offlineReady.value = true;
  setTimeout(() => (offlineReady.value = false), READY_SHOWN_MS);
}

/** Updates every tab, unless something is unfinished in one of them; only a person's tap calls it. */
export async function updateNow(): Promise<void> {
  updateHeld.value = null;
  if (!(await agree())) updateHeld.value = "here";
  else if (!(await othersAgree())) updateHeld.value = "elsewhere";
  else registration?.waiting?.postMessage({ type: "SKIP_WAITING" });
}

/** Puts the update off in every tab, until the app is opened anew or looked at after a while. */
export function updateLater(): void {
  updateHeld.value = null;
  putOff.value = true;
  tell({ kind: "later" });
}

/** Whether this tab may be loaded anew, once what saves itself is saved. */
async function agree(): Promise<boolean> {
  const ready = dirtyForms.value === 0 && (await comes(saved, FLUSH_MS)) && finished.value;
  // A page that was loaded past the service worker changes over like any other.
  if (ready) loaded = true;
  return ready;
}

/** Asks each of the other tabs; one that does not answer may hold anything. */
async function othersAgree(): Promise<boolean> {
  const asked = (await countTabs()) - 1;
  if (asked <= 0) return true;
  const call = crypto.randomUUID();
  return new Promise((done) => {
    let agreed = 0;
    const end = (all: boolean): void => {
      clearTimeout(timer);
      others.removeEventListener("message", hear);
      done(all);
    };
    const hear = ({ data }: MessageEvent<Message>): void => {
      if (data.kind !== "answer" || data.call !== call) return;
      if (!data.agreed) end(false);
      else if (++agreed === asked) end(true);
    };
    const timer = setTimeout(() => end(false), PATIENCE_MS);
    others.addEventListener("message", hear);
    tell({ kind: "ask", call });
  });
}

/** Whether it comes to be so in time. */
function comes(state: ReadonlySignal<boolean>, ms: number): Promise<boolean> {
  return new Promise((done) => {
    const end = (came: boolean): void => {
      clearTimeout(late);
      // It may be so already, before there is anything to stop.
      queueMicrotask(() => stop());
      done(came);
    };
    const late = setTimeout(() => end(false), ms);
    const stop = effect(() => void (state.value && end(true)));
  });
}
