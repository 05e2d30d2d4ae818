// Follows the home while the page is seen: what is new there, and whether one still hears of it.

export type State = "live" | "reconnecting" | "stale";

const AGAIN_MS = 15000;
const STALE_MS = 45000;
const APART_MS = 500;

/** Give a function that asks for `work`: never two at a time, after a rest at once, then no closer than its pace. */
export function calmly(work: () => Promise<void>): () => void {
  let busy = false;
  let again = false;
  let next = 0;

  async function begin(): Promise<void> {
    const began = performance.now();
    again = false;
    try {
      await work();
    } finally {
      const ended = performance.now();
      next = Math.max(began + APART_MS, 2 * ended - began);
      busy = false;
      if (again) ask();
    }
  }

  function ask(): void {
    again = busy;
    if (busy) return;
    busy = true;
    setTimeout(() => void begin(), Math.max(0, next - performance.now()));
  }

  return ask;
}

/** Follow a place: `heard` is called when something is new there, `found` when its alerts may be others, `tell` when the
 * connection changes. Gives what ends it. */
export function follow(place: string, heard: () => void, found: () => void, tell: (state: State) => void): () => void {
  let source: EventSource | null = null;
  let lastId = "";
  let again = 0;
  let stale = 0;
  let ended = false;

  function say(state: State): void {
    clearTimeout(stale);
    if (state === "reconnecting") stale = setTimeout(() => tell("stale"), STALE_MS);
    tell(state);
  }

  function open(): void {
    const query = new URLSearchParams({ place });
    if (lastId) query.set("last_event_id", lastId);
    const mine = new EventSource(`/api/v1/live?${query}`);
    source = mine;
    mine.addEventListener("open", () => {
      say("live");
      heard();
      // one that comes back is told what it missed; nobody knows what changed before the first began
      if (lastId === "") found();
    });
    mine.addEventListener("error", () => {
      if (mine.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
      say("reconnecting");
    });
    mine.addEventListener("alerts", (event) => {
      const { lastEventId } = event as MessageEvent;
      if (lastEventId !== "") lastId = lastEventId;
      found();
    });
    mine.addEventListener("reset", found);
    for (const name of ["intervals", "reset"]) {
      mine.addEventListener(name, (event) => {
        lastId = (event as MessageEvent).lastEventId;
        heard();
      });
    }
  }

  function close(): void {
    clearTimeout(again);
    source?.close();
    source = null;
  }

  /** A browser holds few connections to one machine: only a page that is seen keeps one. */
  function look(): void {
    if (document.hidden || ended) close();
    else if (source === null) open();
  }

  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    ended = true;
    clearTimeout(stale);
    document.removeEventListener("visibilitychange", look);
    close();
  };
}
