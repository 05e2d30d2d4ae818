// Bars of a local day: from zero, by their own interval, with what each value is worth; one readout for all ways of asking.

import { amount, clock, t, unitName } from "./said.js";
import { html, svg } from "./made.js";

const HEIGHT = 176;
const EDGE = { left: 52, right: 4, top: 28, bottom: 20 };
const TICK_HOURS = [0, 6, 12, 18];
let made = 0;

/** Choose round grid steps: at most `most` lines from 0 to the largest value. */
function gridStep(largest, most) {
  const rough = largest / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

function hatch(id) {
  const line = svg("line", { x1: 0, y1: 0, x2: 0, y2: 4, class: "hatch" });
  return svg("defs", {}, svg("pattern", { id, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, line));
}

function paint(rectangle, mark, pattern) {
  const style = { solid: "bar-solid", pale: "bar-pale", hollow: "bar-hollow", derived: "bar-derived", edited: "bar-solid", estimated: "bar-estimated" }[mark];
  const inset = mark === "hollow" || mark === "derived" || mark === "estimated" ? 0.5 : 0;
  const [x, y, width, height] = rectangle;
  const size = { x: x + inset, y: y + inset, width: Math.max(width - 2 * inset, 0.5), height: Math.max(height - 2 * inset, 0.5) };
  const parts = [svg("rect", { ...size, class: style, fill: mark === "estimated" ? `url(#${pattern})` : null })];
  if (mark === "edited") parts.push(svg("circle", { cx: x + width / 2, cy: y - 5, r: 2, class: "dot" }));
  return parts;
}

/**
 * Make a chart of one day.
 * day: {from, to, timeZone, now}; unit; label; slots: [{start, end, missing, up: [{value, mark}], down: [...], said}].
 * Gives an element that draws itself in its own width.
 */
export function dayChart({ day, unit, label, slots, corner = "" }) {
  const from = Date.parse(day.from);
  const length = Date.parse(day.to) - from;
  const readout = html("p", { class: "readout idle", "aria-live": "polite" });
  const picture = html("div", { class: "chart", tabindex: "0", role: "group", "aria-label": label });
  const pattern = `hatch-${(made += 1)}`;
  let chosen = -1;
  let across = (moment) => moment;
  const cross = svg("rect", { class: "cross", visibility: "hidden" });
  const tall = (part) => part.reduce((sum, one) => sum + one.value, 0);
  const highest = Math.max(0, ...slots.map((slot) => tall(slot.up)));
  const lowest = Math.max(0, ...slots.map((slot) => tall(slot.down ?? [])));

  function choose(index) {
    chosen = Math.max(0, Math.min(slots.length - 1, index));
    picture.dataset.chosen = String(chosen);
    const slot = slots[chosen];
    if (!slot) return;
    cross.setAttribute("x", across(slot.start));
    cross.setAttribute("width", Math.max(1, across(slot.end) - across(slot.start)));
    cross.setAttribute("visibility", "visible");
    readout.textContent = slot.said;
    readout.classList.remove("idle");
  }

  function draw() {
    const width = picture.clientWidth;
    if (!width) return;
    const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
    const span = highest + lowest || 1;
    const perUnit = inner.height / span;
    const zero = EDGE.top + highest * perUnit || EDGE.top + inner.height;
    const base = highest + lowest > 0 ? zero : EDGE.top + inner.height;
    across = (moment) => EDGE.left + ((moment - from) / length) * inner.width;
    const root = svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" }, hatch(pattern));
    const step = highest + lowest > 0 ? gridStep(span, 4) : 0;
    for (let value = step; step && value <= highest * 1.0001; value += step) line(root, base - value * perUnit, value, width);
    for (let value = step; step && value <= lowest * 1.0001; value += step) line(root, base + value * perUnit, value, width);
    root.append(svg("text", { x: EDGE.left - 8, y: base + 4, "text-anchor": "end" }, "0"));
    root.append(svg("text", { x: 0, y: 12 }, unitName(unit)));
    hours(root, width);
    for (const slot of slots) bars(root, slot, base, perUnit);
    root.append(svg("line", { x1: EDGE.left, x2: width - EDGE.right, y1: base, y2: base, class: "base" }));
    for (const slot of slots.filter((one) => one.missing)) {
      root.append(svg("line", { x1: across(slot.start), x2: across(slot.end), y1: base - 1.5, y2: base - 1.5, class: "missing" }));
    }
    root.append(svg("text", { x: width - EDGE.right, y: 12, "text-anchor": "end" }, corner));
    if (day.now > from && day.now < from + length) now(root);
    cross.setAttribute("y", EDGE.top);
    cross.setAttribute("height", inner.height);
    root.append(cross);
    picture.replaceChildren(root);
    const kept = chosen >= 0 ? chosen : Number(picture.dataset.chosen ?? -1);
    if (kept >= 0) choose(kept);
  }

  function line(root, y, value, width) {
    root.append(svg("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y, class: "grid" }));
    root.append(svg("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end" }, short(value, unit)));
  }

  function hours(root, width) {
    const step = 30 * 60 * 1000;
    for (let moment = from; moment <= from + length; moment += step) {
      const [hour, minute] = clock(moment, day.timeZone).split(":").map(Number);
      if (minute !== 0 || !TICK_HOURS.includes(hour)) continue;
      const x = across(moment);
      const anchor = moment === from ? "start" : moment === from + length ? "end" : "middle";
      if (width > 0) root.append(svg("text", { x, y: HEIGHT - 4, "text-anchor": anchor }, String(hour)));
    }
  }

  function bars(root, slot, base, perUnit) {
    const gap = across(slot.end) - across(slot.start) > 4 ? 1 : 0.4;
    const x = across(slot.start) + gap / 2;
    const wide = Math.max(across(slot.end) - across(slot.start) - gap, 0.6);
    let up = base;
    for (const { value, mark } of slot.up) {
      if (value <= 0) continue;
      root.append(...paint([x, up - value * perUnit, wide, value * perUnit], mark, pattern));
      up -= value * perUnit;
    }
    let down = base;
    for (const { value, mark } of slot.down ?? []) {
      if (value <= 0) continue;
      root.append(...paint([x, down, wide, value * perUnit], mark, pattern));
      down += value * perUnit;
    }
  }

  function now(root) {
    const x = across(day.now);
    root.append(svg("line", { x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom, class: "now" }));
    root.append(svg("text", { x: x + 4, y: EDGE.top + 8 }, t("chart.now")));
  }

  const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Home") choose(0);
    else if (event.key === "End") choose(slots.length - 1);
    else if (event.key in KEYS) choose(chosen + KEYS[event.key]);
    else return;
    event.preventDefault();
  });
  const point = (event) => {
    const moment = from + ((event.clientX - picture.getBoundingClientRect().left - EDGE.left) / (picture.clientWidth - EDGE.left - EDGE.right)) * length;
    const index = slots.findIndex((slot) => moment >= slot.start && moment < slot.end);
    if (index >= 0) choose(index);
  };
  picture.addEventListener("focus", () => {
    if (chosen < 0) readout.textContent = t("chart.hint");
  });
  picture.addEventListener("pointermove", point);
  picture.addEventListener("pointerdown", point);
  new ResizeObserver(draw).observe(picture);
  return [picture, readout];
}

function short(value, unit) {
  return value >= 100 ? amount(value, "kWh") : String(Number(value.toPrecision(3)));
}

/** Draw one swatch of the legend as the charts draw it. */
export function swatch(root) {
  const mark = { measured: "solid", estimated: "estimated", edited: "edited", questionable: "hollow", derived: "derived", pale: "pale" }[root.dataset.swatch];
  root.setAttribute("viewBox", "0 0 24 24");
  const pattern = `hatch-${(made += 1)}`;
  root.append(hatch(pattern));
  if (mark) root.append(...paint([4, 8, 16, 14], mark, pattern));
  else root.append(svg("line", { x1: 2, x2: 22, y1: 21, y2: 21, class: "missing" }));
}

/** Make the table behind a button: head and rows of texts. */
export function tableBehind(head, rows) {
  const button = html("button", { type: "button", class: "toggle", "aria-expanded": "false" }, t("table.show"));
  const wrap = html("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": head.join(", "), hidden: true });
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "true";
    if (!wrap.firstChild) {
      const cells = (name, row) => html("tr", {}, ...row.map((text) => html(name, {}, text)));
      wrap.append(html("table", {}, html("thead", {}, cells("th", head)), html("tbody", {}, ...rows.map((row) => cells("td", row)))));
    }
    wrap.hidden = open;
    button.setAttribute("aria-expanded", String(!open));
    button.textContent = open ? t("table.show") : t("table.hide");
  });
  return [button, wrap];
}
