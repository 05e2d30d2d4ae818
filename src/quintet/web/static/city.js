// The city's day: what it made itself, and every carrier's supply against use.

import { amount, clock, coverage, dayAndClock, dayName, explained, named, percent, plain, quantity, t, unitName } from "./said.js";
import { byId, chip, coverageChip, html, icon, renew, withFigure } from "./made.js";
import { dayChart, tableBehind } from "./chart.js";

const SUPPLY = ["import", "local_generation", "conversion_out", "storage_discharge"];
const USE = ["consumption", "conversion_in", "storage_charge", "export", "known_loss"];
const FROM_OUTSIDE = "import";
const BY_PEOPLE = "consumption";
const HEADLINE = "power_renewable";
const BESIDE = "interval_autarky";
const FEW = 0.8;

/** Show a city's day. */
export function showCity(city) {
  byId("city").textContent = named(city);
  byId("simulated").hidden = !city.simulated;
  document.title = `${named(city)} · Quintet`;
  const time = dayAndClock(city.known_at, city.timezone);
  byId("basis").textContent = t("foot.rules", { rules: city.rule_set, time });
  if (city.day === null) {
    byId("headline").textContent = t("headline.empty");
    byId("autarky").textContent = t("empty.text");
    byId("carriers").replaceChildren();
    return;
  }
  headline(city);
  chips(city);
  definitions(city);
  const cards = city.carriers.map((carrier) => ({ key: carrier.commodity, content: [shownAs(city), carrier], make: () => card(city, carrier) }));
  renew(byId("carriers"), cards);
}

function figure(one) {
  return html("data", { value: String(one.value), class: one.coverage !== null && one.coverage < FEW ? "few" : null }, percent(one.value));
}

function headline(city) {
  const day = dayName(city.day);
  const share = "{share}";
  const main = city.self_sufficiency.find((one) => one.id === HEADLINE);
  const beside = city.self_sufficiency.find((one) => one.id === BESIDE);
  if (!main || main.value === null) byId("headline").textContent = t("headline.unknown", { day });
  else {
    const sentence = city.is_today ? t("headline.today", { share }) : t("headline.day", { share, day });
    byId("headline").replaceChildren(...withFigure(sentence, figure(main)));
  }
  if (!beside || beside.value === null) byId("autarky").textContent = "";
  else byId("autarky").replaceChildren(...withFigure(t(beside.value < 0 ? "hero.autarky.below" : "hero.autarky", { share }), figure(beside)));
}

function chips(city) {
  const time = city.as_of === null ? null : city.is_today ? clock(city.as_of, city.timezone) : dayAndClock(city.as_of, city.timezone);
  const said = [];
  const whole = !city.is_today && city.as_of === city.to;
  if (time !== null && !whole) said.push(city.stale ? chip("watch", t("asof.stale", { time })) : chip("good", t("asof", { time })));
  if (city.coverage !== null) {
    const words = t("coverage", { share: coverage(city.coverage) });
    said.push(coverageChip(city.coverage, words, t("coverage.few", { share: coverage(city.coverage) })) ?? chip("good", words));
  }
  byId("chips").replaceChildren(...said);
}

function definitions(city) {
  const entries = city.self_sufficiency.flatMap((one) => [
    html("dt", {}, html("span", {}, named(one)), one.value === null ? html("span", {}, t("unknown")) : figure(one)),
    html("dd", {}, explained(one), html("br"), t("hero.matched", { matched: plain(one.matched), intervals: plain(one.intervals) })),
  ]);
  byId("definitions").replaceChildren(...entries);
  byId("method").hidden = entries.length === 0;
}

function card(city, carrier) {
  const { total, unit } = carrier;
  const partial = total.coverage !== null && total.coverage < FEW;
  const share = total.coverage === null ? "" : coverage(total.coverage);
  const used = html("data", { value: String(carrier.use), class: partial ? "few" : null }, quantity(carrier.use, unit));
  const name = html("h3", {}, icon(carrier.commodity), named(carrier), html("span", { class: "big" }, used, " ", html("small", {}, t("used"))));
  const reported = coverageChip(total.coverage, t("coverage", { share }), t("coverage.few", { share }));
  const guessed = total.estimated_share ? chip("watch", t("estimated", { share: percent(total.estimated_share) })) : null;
  const chart = dayChart({
    day: dayOf(city),
    unit,
    label: t("chart.label", { name: named(carrier), unit: unitName(unit) }),
    slots: carrier.hours.map((row, at) => slot(city, carrier, row, carrier.hours[at + 1])),
    corner: `${t("supply.up")}   ${t("use.down")}`,
  });
  const chipped = reported || guessed ? html("p", { class: "chips" }, reported, guessed) : null;
  const sides = html("div", { class: "sides" }, side("supply", carrier.supply, SUPPLY, total), side("use", carrier.use, USE, total));
  return html("article", { class: "card", "data-commodity": carrier.commodity }, name, chipped, ...chart, sides, closing(carrier), ...table(city, carrier));
}

/** What every card of a day depends on besides its own figures; the line of the present moves by five minutes. */
export function shownAs(city) {
  return [city.from, city.until, city.is_today ? Math.floor(Date.parse(city.known_at) / 300000) : 0];
}

function dayOf(city) {
  return { from: city.from, to: city.to, timeZone: city.timezone, now: city.is_today ? Date.parse(city.known_at) : 0 };
}

function slot(city, carrier, row, following) {
  const start = Date.parse(row.start);
  const end = Date.parse(following ? following.start : city.until);
  const up = SUPPLY.map((flow) => part(row, flow, flow !== FROM_OUTSIDE));
  const down = USE.map((flow) => part(row, flow, flow === BY_PEOPLE));
  const sum = (flows) => (flows.some((flow) => row[flow] === null) ? null : flows.reduce((total, flow) => total + row[flow], 0));
  const supply = quantity(sum(SUPPLY), carrier.unit);
  const use = quantity(sum(USE), carrier.unit);
  const missing = row[BY_PEOPLE] === null;
  return { start, end, up, down, missing, said: t("readout.city", { time: clock(row.start, city.timezone), supply, use }) };
}

function part(row, flow, solid) {
  const value = row[flow] ?? 0;
  if (row.derived.includes(flow)) return { value, mark: "derived" };
  if (row.estimated_share >= 0.5) return { value, mark: "estimated" };
  return { value, mark: solid ? "solid" : "pale" };
}

function side(key, sum, flows, row) {
  const shown = flows.filter((flow) => row[flow] === null || row[flow] !== 0);
  const entries = shown.map((flow) => {
    const derived = row.derived.includes(flow);
    const words = derived ? `${t(`flow.${flow}`)} (${t("derived")})` : t(`flow.${flow}`);
    const value = row[flow] === null ? t("unknown") : amount(row[flow], row.unit);
    return html("div", { class: "part" }, html("dt", { class: derived ? "derived" : null }, words), html("dd", {}, html("data", { value: String(row[flow]), "data-flow": flow }, value)));
  });
  const total = sum === null ? t("unknown") : amount(sum, row.unit);
  return html("dl", { class: "side" }, html("div", { class: "sum" }, html("dt", {}, t(key)), html("dd", {}, html("data", { value: String(sum), "data-sum": key }, total))), ...entries);
}

function closing(carrier) {
  const { total, unit, supply } = carrier;
  if (total.derived.length > 0) {
    const flows = total.derived.map((flow) => t(`flow.${flow}`)).join(", ");
    return html("p", { class: "small" }, t("derived.note", { flows }));
  }
  if (total.closure_error === null) return null;
  const share = supply ? percent(total.closure_error / supply) : t("unknown");
  const words = html("span", {}, `${t("closure.title")} ${quantity(total.closure_error, unit)}`);
  return html("p", { class: "small" }, words, html("br"), t("closure.note", { share }));
}

function table(city, carrier) {
  const flows = [...SUPPLY, ...USE].filter((flow) => carrier.hours.some((row) => row[flow] !== 0));
  const head = [t("table.time"), ...flows.map((flow) => `${t(`flow.${flow}`)} (${unitName(carrier.unit)})`)];
  const cell = (row, flow) => (row[flow] === null ? t("unknown") : amount(row[flow], carrier.unit) + (row.derived.includes(flow) ? ` (${t("derived")})` : ""));
  return tableBehind(head, carrier.hours.map((row) => [clock(row.start, city.timezone), ...flows.map((flow) => cell(row, flow))]));
}
