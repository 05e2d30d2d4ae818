// Keeps the page's own files, so that it opens on a bad connection. Figures are kept by the page, with their date.

const FILES = "__FILES__" as unknown as string[];
const CACHE = "quintet-home-__DIGEST__";
const SHELL = "/home";
const SHARED = ["/static/icons.svg", "/static/mark.svg"];

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Told extends Waiting {
  data: string;
}
interface Asked extends Waiting {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Pushed extends Waiting {
  data: { json(): { title: string; body: string; url: string; tag: string } } | null;
}
interface Clicked extends Waiting {
  notification: { close(): void; data: string };
}

const here = self as unknown as {
  addEventListener(name: string, done: (event: never) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void>; openWindow(url: string): Promise<unknown> };
  registration: { showNotification(title: string, options: object): Promise<void> };
};

async function prepare(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...FILES.map((name) => `/home/${name}`), ...SHARED]);
  await here.skipWaiting();
}

async function settle(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("quintet-home-") && name !== CACHE).map((name) => caches.delete(name)));
  await here.clients.claim();
}

/** A browser whose room is full keeps nothing, and is answered all the same. */
function full(): void {}

/** A page: from the network, else the last one that was had; never one of another session's sign-in. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const answered = await fetch(request);
    // a page that leads elsewhere, to a sign-in, comes to a browser that opens it as one it may not look into
    if (answered.redirected || answered.type === "opaqueredirect") await cache.delete(SHELL);
    else if (answered.ok) await cache.put(SHELL, answered.clone()).catch(full);
    return answered;
  } catch (error) {
    const kept = await cache.match(SHELL);
    if (kept === undefined) throw error;
    return kept;
  }
}

async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept !== undefined) return kept;
  const answered = await fetch(request);
  if (answered.ok) await (await caches.open(CACHE)).put(request, answered.clone()).catch(full);
  return answered;
}

here.addEventListener("install", (event: Waiting) => event.waitUntil(prepare()));
here.addEventListener("activate", (event: Waiting) => event.waitUntil(settle()));
here.addEventListener("message", (event: Told) => event.waitUntil(page(new Request(event.data))));
here.addEventListener("fetch", (event: Asked) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate" && (pathname === SHELL || pathname.startsWith(`${SHELL}/`))) event.respondWith(page(event.request));
  else if (pathname.startsWith("/home/assets/") || SHARED.includes(pathname)) event.respondWith(file(event.request));
});
here.addEventListener("push", (event: Pushed) => {
  const said = event.data?.json();
  if (said === undefined) return;
  const { title, body, tag, url } = said;
  event.waitUntil(here.registration.showNotification(title, { body, tag, data: url, icon: "/static/mark-192.png" }));
});
here.addEventListener("notificationclick", (event: Clicked) => {
  event.notification.close();
  const to = new URL(event.notification.data, self.location.origin);
  // only a page of our own: a message can lead nowhere else
  if (to.origin === self.location.origin) event.waitUntil(here.clients.openWindow(to.href));
});
