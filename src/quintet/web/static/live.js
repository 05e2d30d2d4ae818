// Follows places while the page is seen: what is new there, and whether one still hears of it.

const AGAIN_MS = 15000;
const STALE_MS = 45000;

/**
 * Give a function that asks for `work`: done at once after a rest, then not more often than each `apart` ms, and after
 * work that took longer only once as long has passed again. However often it is asked, one is done and one waits.
 * `spread` ms of chance keep many pages apart that hear of the same event.
 */
export function calmly(work, { apart, spread }) {
  let busy = false;
  let again = false;
  let next = 0;

  async function begin() {
    const began = performance.now();
    again = false;
    try {
      await work();
    } finally {
      const ended = performance.now();
      next = Math.max(began + apart, 2 * ended - began);
      busy = false;
      if (again) ask();
    }
  }

  function ask() {
    again = busy;
    if (busy) return;
    busy = true;
    setTimeout(begin, Math.max(0, next - performance.now()) + Math.random() * spread);
  }

  return ask;
}

/**
 * Make a follower. `heard(place, content)` gets what is new at a place, null when all of it is to be read anew; `back` is
 * called when a browser shows a page that it had put away; `tell(state)` gets "live", "reconnecting" or "stale". Gives `want(places)`, which says whom to follow.
 */
export function follower({ heard, back, tell }) {
  const streams = new Map();
  let wanted = [];
  let state = "";
  let stale = 0;

  function say() {
    const all = [...streams.values()];
    const next = all.length > 0 && all.every((one) => one.source?.readyState === EventSource.OPEN) ? "live" : state === "stale" ? "stale" : "reconnecting";
    if (next === state) return;
    clearTimeout(stale);
    if (next === "reconnecting") {
      stale = setTimeout(() => {
        if (state !== "reconnecting") return;
        state = "stale";
        tell(state);
      }, STALE_MS);
    }
    state = next;
    tell(state);
  }

  function open(place) {
    const stream = { source: null, id: streams.get(place)?.id ?? "", again: 0 };
    const query = new URLSearchParams({ place });
    if (stream.id) query.set("last_event_id", stream.id);
    const source = new EventSource(`/api/v1/live?${query}`);
    stream.source = source;
    streams.set(place, stream);
    let first = stream.id === "";
    source.addEventListener("open", () => {
      // what came between the page's own question and now would else be missed
      if (first) heard(place, null);
      first = false;
      say();
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) stream.again = setTimeout(() => streams.get(place) === stream && open(place), AGAIN_MS);
      say();
    });
    const kept = (event) => {
      stream.id = event.lastEventId;
      return JSON.parse(event.data);
    };
    source.addEventListener("intervals", (event) => heard(place, kept(event)));
    source.addEventListener("reset", (event) => {
      kept(event);
      heard(place, null);
    });
  }

  function close(place) {
    const stream = streams.get(place);
    clearTimeout(stream.again);
    stream.source.close();
    stream.source = null;
  }

  /** A browser holds few connections to one machine: only a page that is seen keeps any. */
  function follow() {
    for (const place of [...streams.keys()]) {
      const leave = !wanted.includes(place);
      if ((leave || document.hidden) && streams.get(place).source) close(place);
      if (leave) streams.delete(place);
    }
    if (document.hidden) return;
    for (const place of wanted) if (!streams.get(place)?.source) open(place);
    say();
  }

  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => {
    wanted = [];
    follow();
  });
  addEventListener("pageshow", (event) => event.persisted && back());
  return (places) => {
    wanted = places;
    follow();
  };
}

/** Tell whether something new belongs to what is shown: a day from `from` to `to`, and all after it while it is the latest. */
export function touches(content, { day, from, to }, latest) {
  if (day === null) return true;
  if (content.days.includes(day)) return true;
  const [low, high] = [Date.parse(from), Date.parse(to)];
  return [...content.intervals, ...content.totals].some(({ start }) => {
    const at = Date.parse(start);
    return at >= low && (latest || at < high);
  });
}
