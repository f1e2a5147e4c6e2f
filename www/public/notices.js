/**
 * Part of the service worker: shows notices of the office while the app is closed. A message has one
 * of a few fixed keys and nothing else; the app has stored the texts in the user's language
 * (`src/field/notices.ts`).
 */
const CACHE = "doorstep-notices";
const TEXTS = "/notices.json";
/** Without the stored texts, which a browser may delete. */
const FALLBACK = { title: "Doorstep", new_work: "Open Doorstep to see what is new. / 请打开 Doorstep 查看。" };

self.addEventListener("push", (event) => event.waitUntil(showNotice(event.data ? event.data.text() : "")));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openApp());
});

async function showNotice(key) {
  const texts = await storedTexts();
  // A later office may send keys that this version does not know.
  const known = Object.hasOwn(texts, key) && key !== "title" ? key : "new_work";
  await self.registration.showNotification(texts.title, {
    body: texts[known],
    // A later notice of the same kind replaces an earlier one.
    tag: known,
    icon: "/icons/icon-192.png",
  });
}

async function storedTexts() {
  try {
    const stored = await (await caches.open(CACHE)).match(TEXTS);
    return stored ? await stored.json() : FALLBACK;
  } catch {
    return FALLBACK;
  }
}

async function openApp() {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const app = pages.find((page) => !new URL(page.url).pathname.startsWith("/office"));
  await (app ? app.focus() : self.clients.openWindow("/"));
}
