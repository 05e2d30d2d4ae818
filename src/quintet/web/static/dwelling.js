// One dwelling's day: each of its meters by its own interval, with what every value is worth.

import { amount, clock, coverage, fine, named, percent, plain, quantity, t, unitName } from "./said.js";
import { byId, chip, coverageChip, html, icon, renew } from "./made.js";
import { dayChart, tableBehind } from "./chart.js";
import { shownAs } from "./city.js";

const MARKS = { edited: "edited", questionable: "hollow", suspect: "hollow", suspect_derived: "hollow", partial: "hollow" };
const MINUTES = { "15min": 15, "30min": 30, hour: 60, day: 1440 };
const FEW = 0.8;

/** Show a dwelling's day; `city` gives the clock and the present. */
export function showDwelling(city, dwelling) {
  const field = byId("dwelling");
  if (document.activeElement !== field) field.value = dwelling.place;
  const area = dwelling.floor_area_m2 === null ? "" : t("dwelling.area", { area: plain(dwelling.floor_area_m2) });
  byId("dwelling-note").textContent = dwelling.utilities.length ? area : t("dwelling.nometers");
  const day = dwelling.day === null ? [] : dwelling.utilities;
  const cards = day.map((utility) => ({ key: utility.channel, content: [shownAs(city), utility], make: () => card(city, dwelling, utility) }));
  renew(byId("utilities"), cards);
}

function card(city, dwelling, utility) {
  const { unit } = utility;
  const share = utility.coverage === null ? "" : coverage(utility.coverage);
  const few = utility.coverage !== null && utility.coverage < FEW;
  const total = html("data", { value: String(utility.total), class: few ? "few" : null }, quantity(utility.total, unit));
  const name = html("h3", {}, icon(utility.commodity), named(utility), html("span", { class: "big" }, total, " ", html("small", {}, t("total.day"))));
  const reported = coverageChip(utility.coverage, t("readings", { share }), t("readings.few", { share }));
  const guessed = utility.estimated_share ? chip("watch", t("estimated", { share: percent(utility.estimated_share) })) : null;
  const chart = dayChart({
    day: { from: dwelling.from, to: dwelling.to, timeZone: city.timezone, now: city.is_today ? Date.parse(city.known_at) : 0 },
    unit,
    label: t("chart.label", { name: named(utility), unit: unitName(unit) }),
    slots: utility.rows.filter((row) => !toCome(row)).map((row) => slot(city, utility, row)),
  });
  const chips = reported || guessed ? html("p", { class: "chips" }, reported, guessed) : null;
  return html("article", { class: "card", "data-commodity": utility.commodity, "data-channel": utility.channel }, name, chips, ...chart, ...table(city, utility));
}

/** Nothing is expected of a period that has not come yet. */
function toCome(row) {
  return row.value === null && row.coverage === null;
}

function slot(city, utility, row) {
  const start = Date.parse(row.start);
  const end = start + MINUTES[utility.resolution] * 60000;
  const time = clock(row.start, city.timezone);
  if (row.value === null) return { start, end, up: [], missing: true, said: t("readout.missing", { time }) };
  const mark = row.estimated_share > 0 ? "estimated" : MARKS[row.quality] ?? "solid";
  const said = t("readout.value", { time, value: fine(row.value, utility.unit), quality: t(`quality.${row.quality}`) });
  return { start, end, up: [{ value: row.value, mark }], missing: false, said };
}

function table(city, utility) {
  const head = [t("table.time"), `${t("table.value")} (${unitName(utility.unit)})`, t("table.quality")];
  const rows = utility.rows.filter((row) => !toCome(row));
  const said = (row) => (row.value === null ? t("unknown") : plainAmount(row.value, utility.unit));
  return tableBehind(head, rows.map((row) => [clock(row.start, city.timezone), said(row), row.quality === null ? "" : t(`quality.${row.quality}`)]));
}

function plainAmount(value, unit) {
  return Math.abs(value) < 10 ? String(value) : amount(value, unit);
}
