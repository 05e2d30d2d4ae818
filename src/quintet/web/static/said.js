// How numbers, times and sentences are said in the page's language.

export const language = document.documentElement.lang;
const strings = JSON.parse(document.getElementById("strings").textContent);
const locale = { ko: "ko-KR", en: "en-GB" }[language];

/** Give a sentence of the catalogue with its {names} filled. */
export function t(key, values = {}) {
  return strings[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Tell whether the catalogue has a sentence. */
export function has(key) {
  return key in strings;
}

/** Give a name in the page's language from an answer that carries both. */
export function named(thing) {
  return language === "ko" ? thing.name_ko : thing.name_en;
}

/** Give an explanation in the page's language. */
export function explained(thing) {
  return language === "ko" ? thing.explanation_ko : thing.explanation_en;
}

function formatted(value, places) {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: places, maximumFractionDigits: places }).format(value);
}

const PLACES = { m3: () => 2, kWh: (size) => (size < 100 ? 1 : 0) };

/** Say an amount without its unit: kWh with one decimal under 100 and none above, m3 with two. */
export function amount(value, unit) {
  return formatted(value, (PLACES[unit] ?? (() => 2))(Math.abs(value)));
}

/** Say a unit as people write it. */
export function unitName(unit) {
  return unit.replace(/3$/, "³");
}

/** Say an amount with its unit; null is said to be unknown. */
export function quantity(value, unit) {
  return value === null ? t("unknown") : `${amount(value, unit)} ${unitName(unit)}`;
}

/** Say an interval's amount: one digit more, for quarter hours are small. */
export function fine(value, unit) {
  return value === null ? t("unknown") : `${formatted(value, Math.abs(value) < 10 ? 3 : 2)} ${unitName(unit)}`;
}

/** Say a share: 0.0251 is 2.5 %. */
export function percent(value) {
  const size = Math.abs(value * 100);
  if (size > 0 && size < 0.05) return `< ${formatted(0.1, 1)} %`;
  return `${formatted(value * 100, size < 10 && size > 0 ? 1 : 0)} %`;
}

/** Say a share that may not be rounded up to the whole: 99.96 % is never 100 %. */
export function coverage(value) {
  const whole = value < 1 ? Math.min(99, Math.floor(value * 100)) : 100;
  return `${formatted(whole, 0)} %`;
}

/** Say a whole number or one with its decimals. */
export function plain(value) {
  return new Intl.NumberFormat(locale).format(value);
}

function dated(options, timeZone) {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone });
}

/** Say the clock's time in the city: 14:20. */
export function clock(moment, timeZone) {
  return dated({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, timeZone).format(new Date(moment));
}

/** Say the clock's time in the city to the second: 14:20:05. */
export function fineClock(moment, timeZone) {
  return dated({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, timeZone).format(new Date(moment));
}

/** Say a local day (2026-11-03): 11월 3일, 3 Nov. */
export function dayName(day) {
  const month = language === "ko" ? "long" : "short";
  return dated({ month, day: "numeric" }, "UTC").format(new Date(`${day}T00:00:00Z`));
}

/** Say a moment as day and time. */
export function dayAndClock(moment, timeZone) {
  const month = language === "ko" ? "long" : "short";
  const said = dated({ month, day: "numeric" }, timeZone).format(new Date(moment));
  return `${said} ${clock(moment, timeZone)}`;
}
