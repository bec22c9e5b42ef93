import { el, place } from './dom.js';
import { bytes, count, percent } from './format.js';

const BOXES_MAX = 48;
const GAP = 2;
/** A box shows what is in it from this size on, in pixels. */
const INNER_WIDTH = 150;
const INNER_HEIGHT = 84;
const LABEL_HEIGHT = 38;
/** Smaller boxes have no room for a name; it is told on hover, and to who hears the page. */
const NAMED_WIDTH = 40;
const NAMED_HEIGHT = 20;

/** The tree that a list of `[pattern, depth, keys, memory, file, withExpiry]` tells in order. */
export function treeOf(list, total) {
  const root = {
    pattern: 'all keys',
    keys: total.keys,
    memory: total.memoryBytes,
    file: total.fileBytes,
    children: [],
    parent: null,
  };
  const path = [root];
  for (const [pattern, depth, keys, memory, file] of list) {
    path.length = depth + 1;
    const parent = path[depth];
    const node = { pattern, keys, memory, file, children: [], parent };
    parent.children.push(node);
    path.push(node);
  }
  return root;
}

/** Boxes as large as the groups of keys they stand for; one that holds others opens when it is chosen. */
export function treemap(root, measures) {
  let node = root;
  let measure = measures[0];
  const field = el('div', { class: 'treemap', role: 'group', 'aria-label': 'Treemap of key prefixes' });
  const trail = el('nav', { class: 'trail', 'aria-label': 'Place in the treemap' });
  const by = el(
    'select',
    {
      onchange: (event) => {
        measure = measures[event.target.selectedIndex];
        draw();
      },
    },
    measures.map(({ label }) => el('option', null, label)),
  );

  function go(to, focus) {
    node = to;
    draw();
    if (focus) field.querySelector('button')?.focus();
  }

  function draw() {
    const steps = [];
    for (let at = node; at !== null; at = at.parent) steps.unshift(at);
    trail.replaceChildren(
      ...steps.map((step, i) => stepOf(step, i === steps.length - 1, () => go(step, true))),
    );
    const width = field.clientWidth;
    const height = field.clientHeight;
    field.replaceChildren(
      ...layout(partsOf(node, measure), { x: 0, y: 0, width, height }).map(({ part, box }, i) =>
        boxOf(part, box, i % 8, measure, root, (chosen) => go(chosen, true)),
      ),
    );
  }

  field.addEventListener('keydown', (event) => {
    if ((event.key === 'Escape' || event.key === 'Backspace') && node.parent !== null) {
      event.preventDefault();
      go(node.parent, true);
    }
  });
  new ResizeObserver(() => draw()).observe(field);
  return el('div', null, el('div', { class: 'tools' }, trail, el('label', null, 'Size by ', by)), field);
}

function stepOf(step, isLast, onclick) {
  const name = el('bdi', { dir: 'ltr' }, step.pattern);
  return isLast
    ? el('span', { 'aria-current': 'true' }, name)
    : el('button', { type: 'button', onclick }, name);
}

/** What a group is made of: its largest groups, and the rest as one. */
function partsOf(node, measure) {
  const value = measure.value;
  const sorted = node.children.filter((child) => value(child) > 0).sort((a, b) => value(b) - value(a));
  const parts = sorted
    .slice(0, BOXES_MAX)
    .map((child) => ({ node: child, name: child.pattern, value: value(child), keys: child.keys }));
  const rest = value(node) - parts.reduce((sum, part) => sum + part.value, 0);
  const restKeys = node.keys - parts.reduce((sum, part) => sum + part.keys, 0);
  if (parts.length === 0) return [{ node: null, name: node.pattern, value: value(node), keys: node.keys }];
  if (rest > value(node) * 0.002) parts.push({ node: null, name: 'others', value: rest, keys: restKeys });
  return parts;
}

/** Squarified: rows of boxes along the shorter side, each row as long as its boxes become squarer. */
function layout(parts, given) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const scale = (given.width * given.height) / Math.max(total, 1);
  const laid = [];
  let space = given;
  for (let from = 0; from < parts.length; ) {
    const side = Math.max(1, Math.min(space.width, space.height));
    let to = from + 1;
    let area = parts[from].value * scale;
    let worst = worstOf(parts, from, to, area, side, scale);
    while (to < parts.length) {
      const larger = area + parts[to].value * scale;
      const next = worstOf(parts, from, to + 1, larger, side, scale);
      if (next > worst) break;
      worst = next;
      area = larger;
      to++;
    }
    const depth = area / side;
    const isWide = space.width >= space.height;
    let along = 0;
    for (const part of parts.slice(from, to)) {
      const length = (part.value * scale) / Math.max(depth, 1e-9);
      laid.push({
        part,
        box: isWide
          ? { x: space.x, y: space.y + along, width: depth, height: length }
          : { x: space.x + along, y: space.y, width: length, height: depth },
      });
      along += length;
    }
    space = isWide
      ? { x: space.x + depth, y: space.y, width: space.width - depth, height: space.height }
      : { x: space.x, y: space.y + depth, width: space.width, height: space.height - depth };
    from = to;
  }
  return laid;
}

function worstOf(parts, from, to, area, side, scale) {
  const largest = parts[from].value * scale;
  const smallest = parts[to - 1].value * scale;
  return Math.max(
    (side * side * largest) / (area * area),
    (area * area) / (side * side * Math.max(smallest, 1e-9)),
  );
}

function boxOf(part, box, colour, measure, root, onChoose) {
  const { node, name, value } = part;
  const opens = node !== null && node.children.length > 0;
  const size = `${measure.text(value)}, ${percent(value, measure.value(root))}`;
  const label = `${name}: ${size}, ${count(part.keys)} keys`;
  const fits = box.width > NAMED_WIDTH && box.height > NAMED_HEIGHT;
  const content = [
    fits ? el('bdi', { class: 'name', dir: 'ltr' }, name) : null,
    fits && box.width > 2 * NAMED_WIDTH ? el('span', { class: 'amount' }, size) : null,
  ];
  const inner =
    opens && box.width > INNER_WIDTH && box.height > INNER_HEIGHT ? innerOf(node, box, measure) : null;
  const attributes = { class: `box c${colour}`, title: label };
  const element = opens
    ? el(
        'button',
        { ...attributes, type: 'button', 'aria-label': `${label}. Open`, onclick: () => onChoose(node) },
        content,
        inner,
      )
    : el('div', { ...attributes, role: 'img', 'aria-label': label, tabindex: 0 }, content);
  return at(element, box);
}

function innerOf(node, box, measure) {
  const space = { x: 0, y: 0, width: box.width - 10, height: box.height - LABEL_HEIGHT - 6 };
  const boxes = layout(partsOf(node, measure), space).map(({ part, box: place }) =>
    at(
      el(
        'span',
        { class: 'inner' },
        place.width > 44 && place.height > 16
          ? el('bdi', { dir: 'ltr' }, within(node.pattern, part.name))
          : null,
      ),
      place,
    ),
  );
  return el('span', { class: 'nest', 'aria-hidden': 'true' }, boxes);
}

/** A name without what it has in common with the group it is in. */
function within(pattern, name) {
  const common = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
  return common !== '' && name.length > common.length && name.startsWith(common)
    ? `…${name.slice(common.length)}`
    : name;
}

const at = (element, { x, y, width, height }) =>
  place(element, {
    left: `${x}px`,
    top: `${y}px`,
    width: `${Math.max(0, width - GAP)}px`,
    height: `${Math.max(0, height - GAP)}px`,
  });

export const MEASURES = [
  { label: 'memory', value: (node) => node.memory, text: bytes },
  { label: 'bytes in the file', value: (node) => node.file, text: bytes },
  { label: 'keys', value: (node) => node.keys, text: (value) => `${count(value)} keys` },
];
