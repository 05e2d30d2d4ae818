// Makes elements; texts are always set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Make an HTML element. */
export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Make an SVG element. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** Make the mark of a commodity or state. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `/static/icons.svg#${name}` }));
}

/** Make a chip: mark and words, never colour alone. */
export function chip(kind, words) {
  return html("span", { class: `chip ${kind}` }, icon(kind), words);
}

/** Make a chip that says which share of meters reported; none where all did. */
export function coverageChip(share, said, few) {
  if (share === null || share >= 1) return null;
  return share < 0.8 ? chip("act", few) : chip("watch", said);
}

const JOINER = "\u2060";

/** Fill {share} in a sentence with an element; a particle that follows it stays on its line. */
export function withFigure(sentence, figure) {
  const [before, after] = sentence.split("{share}");
  return [before, figure, after.startsWith(" ") ? after : JOINER + after];
}

/** Find an element by its id. */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Put cards in place of those that stand there. A card whose content is the same stays; one that is renewed keeps what
 * a person has done with it: the table that is open, the bar that is chosen, the focus.
 */
export function renew(parent, cards) {
  const standing = new Map([...parent.children].map((card) => [card.dataset.key, card]));
  const out = cards.map(({ key, content, make }) => {
    const signature = JSON.stringify(content);
    const old = standing.get(key);
    if (old && old.signature === signature) return old;
    const card = make();
    card.dataset.key = key;
    card.signature = signature;
    if (old?.signature) carry(old, card);
    return card;
  });
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const same = out.length === parent.children.length && out.every((card, at) => card === parent.children[at]);
  if (!same) swap(parent, out);
  if (focused && !focused.isConnected) refocus(parent, focused);
}

function swap(parent, cards) {
  const known = new Set(cards);
  for (const child of [...parent.children]) if (!known.has(child) && !cards.some((card) => card.dataset.key === child.dataset.key)) child.remove();
  cards.forEach((card, at) => {
    const here = parent.children[at];
    if (here === card) return;
    if (here && here.dataset.key === card.dataset.key) here.replaceWith(card);
    else parent.insertBefore(card, here ?? null);
  });
}

function carry(old, card) {
  card.classList.add("kept");
  const [before, after] = [old.querySelector(".big data"), card.querySelector(".big data")];
  if (before && after && before.textContent !== after.textContent) after.classList.add("fresh");
  if (old.querySelector(".toggle[aria-expanded=true]")) card.querySelector(".toggle").click();
  const chosen = old.querySelector(".chart")?.dataset.chosen;
  if (chosen !== undefined) card.querySelector(".chart").dataset.chosen = chosen;
}

function refocus(parent, lost) {
  const key = lost.closest("[data-key]")?.dataset.key;
  const card = [...parent.children].find((one) => one.dataset.key === key);
  const name = [...lost.classList].find((one) => ["chart", "toggle", "table-wrap"].includes(one));
  if (card && name) card.querySelector(`.${name}`)?.focus({ preventScroll: true });
}
