// The language that somebody chooses is his from then on: for his next visit, and for the mails that he is sent.

import { frame } from "./frame.ts";

/** Keep a language as the reader's own; the page that is being left does not wait for it, and works without. */
export function chooses(language: "ko" | "en"): void {
  if (frame.reader.kind !== "person") return;
  const given = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ language }), keepalive: true };
  void fetch("/api/v1/me/language", given).catch(() => undefined);
}
