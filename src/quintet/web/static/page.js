// The page: its address says what it shows; everything comes from this machine's /api/v1.

import { fineClock, has, language, t } from "./said.js";
import { byId, chip, html } from "./made.js";
import { swatch } from "./chart.js";
import { showCity } from "./city.js";
import { showDwelling } from "./dwelling.js";
import { calmly, follower, touches } from "./live.js";

const REFRESH_MS = 60000;
// The city's figures are one question for everybody who looks: spread a little, so that not all ask in the same instant.
const CITY_PACE = { apart: 1000, spread: 150 };
const DWELLING_PACE = { apart: 500, spread: 0 };
const ROOT = "city";
const LISTED = 1000;
const DWELLING = "premise";
let city = null;
let dwellings = [];
let asking = 0;
let showing = Promise.resolve();
let unknown = null;
let hearing = "reconnecting";

class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

async function get(path, query) {
  const given = Object.entries(query).filter(([, value]) => value);
  const answer = await fetch(`/api/v1/${path}?${new URLSearchParams(given)}`, { cache: "no-cache" });
  const content = await answer.json();
  if (!answer.ok) throw new Refused(content);
  return content;
}

function address() {
  const query = new URLSearchParams(location.search);
  return { day: query.get("day"), dwelling: query.get("dwelling") };
}

function go(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.pushState(null, "", `?${query}`);
  show();
}

function sayProblem(where, error) {
  const box = byId(where);
  box.hidden = error === null;
  if (error === null) return;
  if (!(error instanceof Refused)) box.textContent = t("problem.network");
  else {
    const key = `problem.${error.problem.code}`;
    box.textContent = has(key) ? t(key) : t("problem.other", { code: error.problem.code });
  }
}

function tellDay() {
  const field = byId("day");
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: city.timezone }).format(new Date(city.known_at));
  field.max = today;
  if (document.activeElement !== field) field.value = city.day ?? today;
  byId("after").disabled = field.value >= today;
  byId("latest").disabled = address().day === null;
}

function tellLanguages() {
  for (const link of document.querySelectorAll("[data-lang]")) {
    const query = new URLSearchParams(location.search);
    query.set("lang", link.dataset.lang);
    link.href = `?${query}`;
  }
}

const STATES = { live: ["good", "live.live"], reconnecting: ["watch", "live.reconnecting"], stale: ["act", "live.stale"] };

/** Say whether the page hears of what is new, and of when its figures are. Only a change of state is spoken. */
function tellLive() {
  const box = byId("live");
  if (box.dataset.state !== hearing) {
    box.dataset.state = hearing;
    const [mark, words] = STATES[hearing];
    byId("live-state").replaceChildren(chip(mark, t(words)));
  }
  byId("live-time").textContent = city === null ? "" : t("live.updated", { time: fineClock(city.known_at, city.timezone) });
}

const want = follower({
  heard(place, content) {
    if (city !== null && content !== null && !touches(content, city, address().day === null)) return;
    if (place === ROOT) cityAgain();
    else dwellingAgain();
  },
  back: show,
  tell(state) {
    hearing = state;
    tellLive();
  },
});

/** Read the city's day again; the dwelling's follows where another day has begun. */
const cityAgain = calmly(async () => {
  await showing;
  const [mine, day] = [asking, city?.day];
  if ((await showCityDay(mine)) && city.day !== day) dwellingAgain();
}, CITY_PACE);

/** Read the dwelling's day again: its own question, so that it never waits for the city's sums. */
const dwellingAgain = calmly(async () => {
  await showing;
  if (city !== null) await showOne(asking);
}, DWELLING_PACE);

function bothAgain() {
  cityAgain();
  dwellingAgain();
}

/** Show what the address asks for; an answer that comes after a newer question is dropped. */
function show() {
  const mine = (asking += 1);
  tellLanguages();
  showing = showCityDay(mine).then((shown) => (shown ? showOne(mine) : undefined));
  return showing;
}

/** Show the city's day; tell whether it is shown. */
async function showCityDay(mine) {
  try {
    const answer = await get("city-days", { day: address().day });
    if (mine !== asking) return false;
    city = answer;
    sayProblem("problem", null);
    showCity(city);
    tellDay();
    tellLive();
    return true;
  } catch (error) {
    if (mine !== asking) return false;
    if (city === null) {
      byId("headline").textContent = t("headline.failed");
      byId("carriers").replaceChildren();
      byId("utilities").replaceChildren();
    }
    sayProblem("problem", error);
    return false;
  } finally {
    byId("carriers").setAttribute("aria-busy", "false");
  }
}

async function showOne(mine) {
  const place = address().dwelling ?? dwellings[0];
  want(place === undefined || unknown === place ? [ROOT] : [ROOT, place]);
  const field = byId("utilities");
  byId("next").hidden = dwellings.length < 2;
  if (place === undefined) {
    byId("dwelling-note").textContent = t("dwelling.none");
    byId("chooser").hidden = true;
    field.replaceChildren();
    return;
  }
  try {
    const answer = await get("dwelling-days", { place, day: city.day });
    if (mine !== asking) return;
    sayProblem("dwelling-problem", null);
    showDwelling(city, answer);
  } catch (error) {
    if (mine !== asking) return;
    byId("dwelling").value = place;
    byId("dwelling-note").textContent = "";
    field.replaceChildren();
    sayProblem("dwelling-problem", error);
    if (error instanceof Refused) {
      unknown = place;
      want([ROOT]);
    }
  } finally {
    field.setAttribute("aria-busy", "false");
  }
}

function shifted(day, by) {
  const moment = new Date(`${day}T00:00:00Z`);
  moment.setUTCDate(moment.getUTCDate() + by);
  return moment.toISOString().slice(0, 10);
}

function listen() {
  byId("when").addEventListener("submit", (event) => event.preventDefault());
  byId("day").addEventListener("change", (event) => event.target.value && go({ day: event.target.value }));
  byId("before").addEventListener("click", () => go({ day: shifted(byId("day").value, -1) }));
  byId("after").addEventListener("click", () => go({ day: shifted(byId("day").value, 1) }));
  byId("latest").addEventListener("click", () => go({ day: null }));
  byId("chooser").addEventListener("submit", (event) => {
    event.preventDefault();
    go({ dwelling: byId("dwelling").value.trim() });
  });
  byId("next").addEventListener("click", () => {
    const at = dwellings.indexOf(byId("dwelling").value.trim());
    go({ dwelling: dwellings[(at + 1) % dwellings.length] });
  });
  addEventListener("popstate", show);
  setInterval(() => {
    if (!document.hidden && (city === null || city.is_today || hearing !== "live")) bothAgain();
  }, REFRESH_MS);
}

async function begin() {
  for (const root of document.querySelectorAll("[data-swatch]")) swatch(root);
  listen();
  document.documentElement.dataset.language = language;
  try {
    const listed = await get("places", { level: DWELLING, limit: String(LISTED) });
    dwellings = listed.places.map((place) => place.place);
    byId("dwellings").replaceChildren(...dwellings.map((value) => html("option", { value })));
  } catch (error) {
    // A city without dwellings has no place of that level; anything else is said by the question that follows.
    if (!(error instanceof Refused)) sayProblem("problem", error);
  }
  await show();
}

begin();
