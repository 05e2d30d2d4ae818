// The state that all views share: today's answer, how the connection is, and what went wrong.

import { beginAlerts, lookAgain, lookSometime } from "./alerts.svelte.ts";
import type { HomeNow } from "./answers.ts";
import { about, ask, lastKnown, Refused } from "./ask.ts";
import { frame, laid } from "./frame.ts";
import { calmly, follow, type State } from "./live.ts";
import { onClock } from "./say.ts";

interface Page {
  now: HomeNow | null;
  /** When what is shown was kept, in ms; null: it is fresh. */
  keptAt: number | null;
  live: State | "";
  offline: boolean;
  refused: Refused | null;
  /** Counts what was heard, for views that read anew. */
  heard: number;
}

export const page = $state<Page>({ now: null, keptAt: null, live: "", offline: false, refused: null, heard: 0 });
const NOW = about("now");
const AGAIN_MS = 60_000;

async function read(): Promise<void> {
  try {
    const { answer } = await ask<HomeNow>(NOW);
    show(answer, null);
    page.offline = false;
    page.refused = null;
  } catch (error) {
    if (error instanceof Refused) page.refused = error;
    else page.offline = true;
  }
}

function show(answer: HomeNow, keptAt: number | null): void {
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
  else if (known !== null) show(known.answer, known.keptAt);
  const again = calmly(read);
  again();
  beginAlerts();
  setInterval(() => {
    again();
    lookSometime();
  }, AGAIN_MS);
  addEventListener("online", again);
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
