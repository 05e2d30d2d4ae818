// The state that all views share: today's answer, how the connection is, and what went wrong.

import { lookAhead } from "./ahead.svelte.ts";
import { beginAlerts, lookAgain, lookSometime } from "./alerts.svelte.ts";
import type { HomeNow } from "./answers.ts";
import { about, ask, lastKnown, Refused } from "./ask.ts";
import { frame, laid } from "./frame.ts";
import { calmly, follow, type State } from "./live.ts";
import { localDay, onClock } from "./say.ts";

interface Page {
  now: HomeNow | null;
  /** When what is shown was received, in ms. */
  keptAt: number | null;
  /** What is shown is of another day than this one: it waits for the present answer, or there is no connection. */
  old: boolean;
  live: State | "";
  offline: boolean;
  refused: Refused | null;
  /** Counts what was heard, for views that read anew. */
  heard: number;
}

export const page = $state<Page>({ now: null, keptAt: null, old: false, live: "", offline: false, refused: null, heard: 0 });
const NOW = about("now");
const AGAIN_MS = 60_000;

async function read(): Promise<void> {
  try {
    const { answer, keptAt } = await ask<HomeNow>(NOW);
    show(answer, keptAt);
    page.old = page.offline = false;
    page.refused = null;
    void lookAhead();
  } catch (error) {
    if (error instanceof Refused) page.refused = error;
    else page.offline = true;
    page.old = page.offline && passed();
    if (page.offline) void lookAhead();
  }
}

/** Tell whether the day on which the figures were received is over, by the city's clock. */
function passed(): boolean {
  return page.keptAt !== null && localDay(page.keptAt) < localDay(Date.now());
}

function show(answer: HomeNow, keptAt: number): void {
  onClock(answer.timezone);
  page.now = answer;
  page.keptAt = keptAt;
}

/** Tell which of two answers is the newer one, by the server's own clock: a page kept for bad connections holds old figures. */
function later(one: HomeNow, other: HomeNow): boolean {
  return Date.parse(one.known_at) > Date.parse(other.known_at);
}

/** Begin: the last known state at once, the present one as soon as it comes, then whatever is new. */
export function begin(): void {
  if (frame.place === null) return;
  const known = lastKnown<HomeNow>(NOW);
  if (laid !== null && laid.place === frame.place && !(known !== null && later(known.answer, laid))) show(laid, Date.parse(laid.known_at));
  else if (known !== null) {
    show(known.answer, known.keptAt);
    page.old = passed();
  }
  const again = calmly(read);
  again();
  beginAlerts();
  setInterval(() => {
    again();
    lookSometime();
  }, AGAIN_MS);
  addEventListener("offline", again);
  addEventListener("online", () => {
    page.heard += 1;
    again();
    lookAgain();
  });
  follow(
    frame.place,
    () => {
      page.heard += 1;
      again();
      lookSometime();
    },
    lookAgain,
    (state) => {
      page.live = state;
    },
  );
}
