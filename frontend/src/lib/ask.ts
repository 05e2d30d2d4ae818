// Asks the server; what it answered last is kept in this browser, with its date, for a bad connection.

import { frame } from "./frame.ts";

export interface Kept<T> {
  answer: T;
  /** When it was received, in ms. */
  keptAt: number;
}

export class Refused extends Error {
  readonly code: string;
  readonly status: number;
  readonly remedy: string;

  constructor(status: number, code: string, detail: string, remedy: string) {
    super(detail);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

const PREFIX = "quintet.home.";
/** Under this address the worker keeps the page; its files stay, they are nobody's. */
const SHELL = "/home";
const MINE = `${PREFIX}${frame.reader.id}|`;
const MOST = 40;
const TIMEOUT_MS = 8000;
const TOO_MANY = 429;
const FAULT = 500;

/** Why this tab reads a home that is another's, as its reader said it; it goes with the tab, and counts for this home only. */
const WHY = `quintet.reason.${frame.reader.id}|${frame.place ?? ""}`;

function reason(): string {
  try {
    return sessionStorage.getItem(WHY) ?? "";
  } catch {
    return "";
  }
}

/** Read this home for a reason from now on, and begin anew with it. */
export function readFor(why: string): void {
  sessionStorage.setItem(WHY, why);
  location.reload();
}

function asking(): Record<string, string> {
  const why = reason();
  return why === "" ? {} : { "Quintet-Reason": encodeURIComponent(why) };
}

function keyOf(path: string): string {
  return `${MINE}${frame.place ?? ""}|${path}`;
}

/** Give the last answer that was kept; null where there is none. */
export function lastKnown<T>(path: string): Kept<T> | null {
  try {
    const text = localStorage.getItem(keyOf(path));
    if (text === null) return null;
    const { at, answer } = JSON.parse(text) as { at: number; answer: T };
    return { answer, keptAt: at };
  } catch {
    return null;
  }
}

/** Forget what was kept for somebody else who used this browser. */
export function forgetOthers(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX) && !key.startsWith(MINE)) localStorage.removeItem(key);
}

/** Forget all that was kept, the page with its figures too: what belongs to a session ends with it. */
export async function forget(): Promise<void> {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("quintet.reason.")) sessionStorage.removeItem(key);
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  if (!("caches" in globalThis)) return;
  try {
    for (const name of await caches.keys()) if (name.startsWith("quintet-home-")) await (await caches.open(name)).delete(SHELL);
  } catch {
    // where the browser keeps nothing there is nothing to forget
  }
}

function keep(path: string, answer: unknown): void {
  // who opens another's home for his work keeps nothing of it
  if (frame.reader.kind === "person" && frame.place !== null && !frame.homes.includes(frame.place)) return;
  try {
    localStorage.setItem(keyOf(path), JSON.stringify({ at: Date.now(), answer }));
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    for (const key of keys.slice(0, Math.max(0, keys.length - MOST))) if (key !== keyOf(path)) localStorage.removeItem(key);
  } catch {
    // a full or forbidden storage keeps nothing; the page works without
  }
}

async function refused(answered: Response): Promise<Refused> {
  const problem = (await answered.json().catch(() => ({}))) as Partial<Record<"code" | "detail" | "remedy", string>>;
  if (answered.status === 401) {
    await forget();
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  return new Refused(answered.status, problem.code ?? "other", problem.detail ?? "", problem.remedy ?? "");
}

/** Ask for an answer about the home; raises Refused where the server says no, TypeError where nothing answers: a server
 * that is asked too much, restarts or fails gives no answer either, and what is known of before stays. */
export async function ask<T>(path: string): Promise<Kept<T>> {
  const answered = await fetch(path, { headers: asking(), signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (answered.status === TOO_MANY || answered.status >= FAULT) throw new TypeError(String(answered.status));
  if (!answered.ok) throw await refused(answered);
  const answer = (await answered.json()) as T;
  keep(path, answer);
  return { answer, keptAt: Date.now() };
}

/** Change something; gives what the server answers (null: nothing), raises as `ask` does. */
export async function send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T | null> {
  const headers = { ...asking(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const given = body === undefined ? { headers } : { body: JSON.stringify(body), headers };
  const answered = await fetch(path, { method, ...given, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answered.ok) throw await refused(answered);
  return answered.status === 204 ? null : ((await answered.json()) as T);
}

/** Give the address of a question about the home that is shown. */
export function about(name: string, given: Record<string, string> = {}): string {
  return `/api/v1/home/${name}?${new URLSearchParams({ place: frame.place ?? "", ...given })}`;
}
