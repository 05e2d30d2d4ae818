// Signing out: what was kept of the home goes with the session.

import { forget } from "./ask.ts";

/** End the session and go to the sign-in page; false where the server could not be told. */
export async function leave(): Promise<boolean> {
  forget();
  if ("caches" in globalThis) for (const name of await caches.keys()) if (name.startsWith("quintet-home-")) await caches.delete(name);
  const left = await fetch("/api/v1/session", { method: "DELETE" }).catch(() => null);
  if (left?.ok) location.assign("/sign-in");
  return left?.ok === true;
}
