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
