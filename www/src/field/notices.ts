/**
 * Notices while the app is closed (Web Push). They are off until the user turns them on, and end with
 * the session: the office forgets the subscription, and the phone cancels it.
 */
import { effect, signal } from "@preact/signals";
import type { PushSubscriptionRequest } from "../core/api";
import { lang, t } from "../i18n";
import { deviceZone } from "../ui/format";
import { readPreference, removePreference, writePreference } from "../ui/preferences";
import { client, me, online, session } from "./state";

/** When notices may be shown on each day, hours; equal: at any time. */
export interface NoticeHours {
  from: number;
  until: number;
}

export const DEFAULT_HOURS: NoticeHours = { from: 8, until: 20 };

/** The user who turned notices on, and the hours: `{user, from, until}`. */
const KEY = "doorstep.notices";
/** As `public/notices.js` reads them. */
const CACHE = "doorstep-notices";
const TEXTS = "/notices.json";

interface Choice extends NoticeHours {
  user: string;
}

function storedChoice(): Choice | null {
  try {
    const { user, from, until } = JSON.parse(readPreference(KEY) ?? "null") as Partial<Choice>;
    const valid = typeof user === "string" && typeof from === "number" && typeof until === "number";
    return valid ? { user, from, until } : null;
  } catch {
    return null;
  }
}

/** What the user chose on this phone; null: no notices. */
export const noticeChoice = signal<Choice | null>(storedChoice());

export const noticesSupported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** The browser does not ask again after a refusal. */
export function noticesBlocked(): boolean {
  return noticesSupported && Notification.permission === "denied";
}

/** Asks for permission if needed and subscribes; false if the user or the browser refuses. Call it when the user asks for it. */
export async function turnOnNotices(hours: NoticeHours): Promise<boolean> {
  if ((await Notification.requestPermission()) !== "granted") return false;
  await subscribe(hours);
  const choice = { user: me.value, ...hours };
  renewed = choice.user;
  writePreference(KEY, JSON.stringify(choice));
  noticeChoice.value = choice;
  return true;
}

/** Works without a network: a cancelled subscription takes no more messages. */
export async function turnOffNotices(): Promise<void> {
  await cancel();
  await client.unsubscribePush().catch(() => undefined);
}

async function subscribe({ from, until }: NoticeHours): Promise<void> {
  await storeTexts();
  const { key } = await client.pushState();
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = await pushManager.subscribe(options).catch(async (cause: unknown) => {
    // A subscription for another key, such as that of a former office, is in the way.
    const other = await pushManager.getSubscription();
    if (!other) throw cause;
    await other.unsubscribe();
    return pushManager.subscribe(options);
  });
  const { endpoint, keys } = subscription.toJSON();
  const request: PushSubscriptionRequest = {
    endpoint: endpoint ?? "",
    p256dh: keys?.["p256dh"] ?? "",
    auth: keys?.["auth"] ?? "",
    zone: deviceZone(),
    from_minute: from * 60,
    until_minute: until * 60,
  };
  await client.subscribePush(request);
}

async function cancel(): Promise<void> {
  removePreference(KEY);
  noticeChoice.value = null;
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe();
}

/** The service worker shows them and has no other access to the user's language. */
async function storeTexts(): Promise<void> {
  const texts = {
    title: t("app/name"),
    new_work: t("notices/new_work"),
    returned_work: t("notices/returned_work"),
    appointment: t("notices/appointment"),
  };
  await (await caches.open(CACHE)).put(TEXTS, Response.json(texts));
}

/** The user whose subscription was renewed since the last unlock. */
let renewed = "";

/** Renews the subscription at each start and sign-in, since browsers replace it now and then; cancels that of another user. */
export function watchNotices(): void {
  if (!noticesSupported) return;
  effect(() => {
    const choice = noticeChoice.value;
    const state = session.value;
    if (!choice || !state) return;
    const left = state.kind === "signed_out" || state.kind === "ended";
    if (left || (state.kind === "ready" && state.user !== choice.user)) {
      void cancel().catch(() => undefined);
    } else if (state.kind === "ready" && online.value && renewed !== state.user) {
      if (Notification.permission !== "granted") return;
      renewed = state.user;
      subscribe(choice).catch(() => (renewed = ""));
    }
    if (state.kind !== "ready") renewed = "";
  });
  effect(() => {
    if (lang.value && noticeChoice.value) void storeTexts().catch(() => undefined);
  });
}
