// Words, numbers, won and times in the reader's language. No sentence is glued from parts.

import type words from "../../../src/quintet/web/strings/home/en.json";

export type Key = keyof typeof words;
export type Slots = Record<string, string | number>;

let language: "ko" | "en" = "en";
let catalogue: Record<string, string> = {};
let zone = "UTC";
const held = new Map<string, Intl.DateTimeFormat>();
const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d.*[+-]\d\d:\d\d$/;

/** Speak a language from now on. */
export function speak(chosen: "ko" | "en", strings: Record<string, string>): void {
  language = chosen;
  catalogue = strings;
  held.clear();
}

/** Tell times on this clock (an IANA name) from now on. */
export function onClock(name: string): void {
  if (name !== zone) held.clear();
  zone = name;
}

export function t(key: Key, slots: Slots = {}): string {
  return (catalogue[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(slots[name] ?? ""));
}

/** Say which of several strings a code names: `family.code`. */
export function told(family: string, code: string, slots: Slots = {}): string {
  return t(`${family}.${code}` as Key, slots);
}

export function named(one: { name_ko: string; name_en: string }): string {
  return language === "ko" ? one.name_ko : one.name_en;
}

/** Both languages group thousands by commas; making a formatter of the browser's own costs a phone tens of milliseconds. */
function plain(value: number, places: number): string {
  const [whole = "", part] = Math.abs(value).toFixed(places).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const said = part === undefined ? grouped : `${grouped}.${part}`;
  return value < 0 && /[1-9]/.test(said) ? `−${said}` : said;
}

function moments(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const made = held.get(key) ?? new Intl.DateTimeFormat(language === "ko" ? "ko-KR" : "en-GB", { timeZone: zone, ...options });
  held.set(key, made);
  return made;
}

const VOLUME = "m3";

/** kWh with one decimal under 100 and none above, m³ with two. */
export function amount(value: number, unit: string): string {
  const rounded = Math.round(Math.abs(value) * 10) / 10;
  return plain(value, unit === VOLUME ? 2 : rounded < 100 ? 1 : 0);
}

export function unitName(unit: string): string {
  return unit === VOLUME ? "m³" : unit;
}

export function quantity(value: number | null, unit: string): string {
  return value === null ? t("unknown") : `${amount(value, unit)} ${unitName(unit)}`;
}

export function won(value: number): string {
  const said = t("won", { won: plain(Math.abs(value), 0) });
  return Math.round(value) < 0 ? `−${said}` : said;
}

export function count(value: number): string {
  return plain(value, 0);
}

export function percent(share: number): string {
  return `${plain(Math.round(Math.abs(share) * 100), 0)} %`;
}

/** The server writes moments by the city's clock, with its offset: they need only be read. */
export function clock(moment: string): string {
  if (LOCAL.test(moment)) return moment.slice(11, 16);
  return moments("clock", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(moment));
}

/** A local day as its own date says it: 11월 3일, 3 Nov. */
export function dayName(day: string): string {
  const options: Intl.DateTimeFormatOptions = { month: language === "ko" ? "long" : "short", day: "numeric" };
  return new Intl.DateTimeFormat(language === "ko" ? "ko-KR" : "en-GB", { timeZone: "UTC", ...options }).format(new Date(`${day}T00:00:00Z`));
}

export function monthName(month: string): string {
  const options: Intl.DateTimeFormatOptions = { year: "numeric", month: "long" };
  return new Intl.DateTimeFormat(language === "ko" ? "ko-KR" : "en-GB", { timeZone: "UTC", ...options }).format(new Date(`${month.slice(0, 7)}-01T00:00:00Z`));
}

/** A month without its year, where that is plain: 11월, November. */
export function monthAlone(month: string): string {
  return ofDay(`${month.slice(0, 7)}-01`, { month: "long" });
}

/** The local day of a moment, as 2026-11-03. */
export function localDay(moment: string | number): string {
  if (typeof moment === "string" && LOCAL.test(moment)) return moment.slice(0, 10);
  const parts = moments("day", { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(moment));
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("year")}-${of("month")}-${of("day")}`;
}

/** A moment as people say it: 14:20 today, else with its day. */
export function moment(at: string, today: string): string {
  const day = localDay(at);
  return day === today ? t("time.today", { time: clock(at) }) : t("time.day", { day: dayName(day), time: clock(at) });
}

function ofDay(day: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language === "ko" ? "ko-KR" : "en-GB", { timeZone: "UTC", ...options }).format(new Date(`${day}T00:00:00Z`));
}

export function weekday(day: string): string {
  return ofDay(day, { weekday: "short" });
}

export function shortMonth(day: string): string {
  return ofDay(day, { month: "short" });
}
