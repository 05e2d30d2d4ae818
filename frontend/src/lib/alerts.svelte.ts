// The alerts of the home, shared by the first screen and their own view; asked beside today's figures.

import type { HomeAlert, HomeAlertList } from "./alerts.ts";
import { about, ask, lastKnown, send } from "./ask.ts";
import { frame } from "./frame.ts";
import { calmly } from "./live.ts";

interface Shared {
  answer: HomeAlertList | null;
  /** When it was received, in ms. */
  keptAt: number | null;
  /** The last try brought nothing. */
  failed: boolean;
}

export const alerts = $state<Shared>({ answer: null, keptAt: null, failed: false });
const APART_MS = 60_000;
let asked = 0;

function path(): string {
  return about("alerts", { language: frame.language });
}

async function read(): Promise<void> {
  asked = Date.now();
  try {
    const { answer, keptAt } = await ask<HomeAlertList>(path());
    alerts.answer = answer;
    alerts.keptAt = keptAt;
    alerts.failed = false;
  } catch {
    alerts.failed = true;
  }
}

const again = calmly(read);

/** Ask now. */
export function lookAgain(): void {
  again();
}

/** Ask unless that was done within the minute: readings alone seldom change what is found. */
export function lookSometime(): void {
  if (Date.now() - asked >= APART_MS) again();
}

/** Begin with what was kept, then the present state. */
export function beginAlerts(): void {
  const known = lastKnown<HomeAlertList>(path());
  if (known !== null) {
    alerts.answer = known.answer;
    alerts.keptAt = known.keptAt;
  }
  again();
}

/** Say that a finding is no problem, or that it is one after all; raises Refused where the server says no. */
export async function judge(one: HomeAlert, word: "not-a-problem" | "problem"): Promise<void> {
  await send("POST", `/api/v1/home/alerts/${one.id}:${word}?${new URLSearchParams({ language: frame.language })}`, {});
  await read();
}
