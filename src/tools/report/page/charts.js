import { el, place, svg } from './dom.js';
import { bytes, count, duration, instant, percent, plural } from './format.js';

/** Buckets as a table with a bar in each row. `buckets`: `{ name, keys, memory }`. */
export function histogram(caption, buckets, total) {
  const most = Math.max(1, ...buckets.map(({ keys }) => keys));
  const rows = buckets.map(({ name, keys, memory }) =>
    el(
      'tr',
      null,
      el('th', { scope: 'row' }, name),
      el('td', { class: 'bar' }, barOf(keys / most)),
      el('td', { class: 'number' }, count(keys)),
      el('td', { class: 'number muted' }, percent(keys, total)),
      el('td', { class: 'number' }, bytes(memory)),
    ),
  );
  const heads = ['', '', 'keys', 'share', 'memory'].map((label, i) =>
    el(
      'th',
      { scope: 'col', class: i > 1 ? 'number' : null },
      label === '' ? el('span', { class: 'hidden' }, i === 0 ? 'bucket' : 'bar') : label,
    ),
  );
  const table = el(
    'table',
    { class: 'histogram' },
    el('caption', null, caption),
    el('thead', null, el('tr', null, heads)),
    el('tbody', null, rows),
  );
  return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, table);
}

function barOf(part) {
  return place(el('span', { class: 'fill', 'aria-hidden': 'true' }), {
    width: `${part > 0 ? Math.max(0.5, part * 100) : 0}%`,
  });
}

/** Shares of a whole side by side, with a legend that says them. */
export function shares(caption, parts, total) {
  const bar = el('div', {
    class: 'shares',
    role: 'img',
    'aria-label': `${caption}: ${parts.map(({ name, value }) => `${name} ${percent(value, total)}`).join(', ')}`,
  });
  const legend = el('ul', { class: 'legend' });
  for (const [i, { name, value }] of parts.entries()) {
    bar.append(place(el('span', { class: `share c${i % 8}`, title: name }), { 'flex-grow': String(value) }));
    legend.append(
      el(
        'li',
        null,
        el('span', { class: `swatch c${i % 8}`, 'aria-hidden': 'true' }),
        `${name} `,
        el('b', null, bytes(value)),
        ` ${percent(value, total)}`,
      ),
    );
  }
  return el('div', null, bar, legend);
}

const HEIGHT = 150;

/** Writes along the log, with a mark on each stretch that holds dangerous commands. */
export function timeline(rate, dangers, onMark) {
  const { counts, width, by, start } = rate;
  const most = Math.max(1, ...counts);
  const end = counts.length * width;
  const chart = svg('svg', {
    viewBox: `0 0 ${counts.length} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `Commands along the log, at most ${count(most)} in a bar`,
  });
  const marked = new Map();
  for (const danger of dangers) {
    if (danger.x === null) continue;
    const bucket = Math.min(counts.length - 1, Math.max(0, Math.floor(danger.x / width)));
    marked.set(bucket, [...(marked.get(bucket) ?? []), danger]);
  }
  for (const [i, value] of counts.entries()) {
    const height = value === 0 ? 0 : Math.max(1.5, (value / most) * HEIGHT);
    const bar = svg('rect', {
      x: i + 0.06,
      y: HEIGHT - height,
      width: 0.88,
      height,
      class: marked.has(i) ? 'marked' : 'plain',
    });
    bar.append(svg('title', null, `${plural(value, 'command')}, ${whereOf(by, start, i * width)}`));
    chart.append(bar);
  }
  const marks = el('div', { class: 'marks', role: 'group', 'aria-label': 'Dangerous commands' });
  for (const [bucket, list] of [...marked].sort(([a], [b]) => a - b)) {
    const what =
      list.length === 1
        ? `${list[0].kind} #${count(list[0].number)}`
        : `${count(list.length)} dangerous commands`;
    const label = `${what}, ${whereOf(by, start, bucket * width)}`;
    marks.append(
      place(
        el(
          'button',
          { type: 'button', class: 'mark', title: label, 'aria-label': label, onclick: () => onMark(list) },
          '▼',
        ),
        { left: `${((bucket + 0.5) / counts.length) * 100}%` },
      ),
    );
  }
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    el('span', null, whereOf(by, start, Math.round(end * part))),
  );
  const unit = by === 'time' ? duration(width) : bytes(width);
  return el(
    'figure',
    { class: 'timeline' },
    marks,
    chart,
    el('div', { class: 'ticks', 'aria-hidden': 'true' }, ticks),
    el(
      'figcaption',
      null,
      `A bar is ${unit} of the log; the highest has ${plural(most, 'command')}.`,
      marked.size > 0 ? ' ▼ marks dangerous commands: choose one to see it in the table.' : '',
    ),
  );
}

const whereOf = (by, start, at) =>
  by === 'time' ? instant((start + at) * 1000) : `${bytes(at)} into the log`;
