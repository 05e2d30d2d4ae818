// Signing out: what was kept of the home goes with the session.

import { forget } from "./ask.ts";

const ENDED = 401;

/** End the session and go to the sign-in page; false where the server could not be told. */
export async function leave(): Promise<boolean> {
  await forget();
  const left = await fetch("/api/v1/session", { method: "DELETE" }).catch(() => null);
  // a session that has ended already is left as well
  const out = left !== null && (left.ok || left.status === ENDED);
  if (out) location.assign("/sign-in");
  return out;
}
