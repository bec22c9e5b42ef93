// Everything that came from a dataset enters the page here, as text and never as markup.

/** An element with attributes, listeners (`onclick`) and children; null children are left out. */
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

/** Sets a position or size; the policy of the page forbids style attributes, not this. */
export function place(element, styles) {
  for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
  return element;
}

/** A name from a dataset: set apart, so that no direction mark reaches out of it. */
export const key = (text) => el('bdi', { class: 'key', dir: 'ltr', title: text }, text);
