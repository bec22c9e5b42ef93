import { el } from './dom.js';
import { count } from './format.js';

const PAGE_ROWS = 50;

/**
 * A table of any number of rows: sorted by the buttons of its head, filtered by a text, shown page by page. A column has a
 * `label`, the `value` of a row to sort by, what to `show` of it, and is `numeric` or not.
 */
export function dataTable({ caption, columns, rows, sort, search, choices, empty }) {
  const state = { column: sort ?? null, descending: sort !== undefined, page: 0, text: '', choice: '' };
  const body = el('tbody');
  const status = el('p', { class: 'status', role: 'status' });
  const heads = columns.map((column, i) => headOf(column, () => sortBy(i)));
  const previous = el('button', { type: 'button', onclick: () => turn(-1) }, 'Previous');
  const next = el('button', { type: 'button', onclick: () => turn(1) }, 'Next');
  const pager = el('div', { class: 'pager' }, previous, status, next);

  function sortBy(i) {
    state.descending = state.column === i ? !state.descending : columns[i].numeric === true;
    state.column = i;
    state.page = 0;
    draw();
  }

  function turn(by) {
    state.page += by;
    draw();
  }

  function chosen() {
    const text = state.text.toLowerCase();
    const kept = rows.filter(
      (row) =>
        (text === '' || search(row).toLowerCase().includes(text)) &&
        (state.choice === '' || choices.value(row) === state.choice),
    );
    if (state.column === null) return kept;
    const { value } = columns[state.column];
    const sign = state.descending ? -1 : 1;
    return kept.sort((a, b) => sign * compare(value(a), value(b)));
  }

  function draw() {
    const kept = chosen();
    const pages = Math.max(1, Math.ceil(kept.length / PAGE_ROWS));
    state.page = Math.min(Math.max(0, state.page), pages - 1);
    const from = state.page * PAGE_ROWS;
    const shown = kept.slice(from, from + PAGE_ROWS);
    body.replaceChildren(...shown.map((row) => rowOf(columns, row)));
    if (shown.length === 0) {
      body.append(
        el('tr', null, el('td', { colspan: columns.length, class: 'empty' }, empty ?? 'Nothing matches.')),
      );
    }
    for (const [i, head] of heads.entries()) {
      const sorted = state.column === i ? (state.descending ? 'descending' : 'ascending') : 'none';
      head.setAttribute('aria-sort', sorted);
    }
    const range = shown.length === 0 ? '0' : `${count(from + 1)}–${count(from + shown.length)}`;
    status.textContent = `${range} of ${count(kept.length)}`;
    previous.disabled = state.page === 0;
    next.disabled = state.page === pages - 1;
    pager.hidden = pages === 1 && kept.length === rows.length && rows.length <= 10;
  }

  const tools = el('div', { class: 'tools' });
  if (search !== undefined) tools.append(searchBox(caption, (text) => redraw({ text })));
  if (choices !== undefined) tools.append(choiceBox(choices, rows, (choice) => redraw({ choice })));

  function redraw(change) {
    Object.assign(state, change, { page: 0 });
    draw();
  }

  draw();
  return el(
    'div',
    { class: 'data' },
    tools.childElementCount > 0 ? tools : null,
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      el('table', null, el('caption', null, caption), el('thead', null, el('tr', null, heads)), body),
    ),
    pager,
  );
}

function headOf(column, onclick) {
  return el(
    'th',
    { scope: 'col', class: column.numeric ? 'number' : null },
    el(
      'button',
      { type: 'button', onclick },
      column.label,
      el('span', { class: 'arrow', 'aria-hidden': 'true' }),
    ),
  );
}

function rowOf(columns, row) {
  return el(
    'tr',
    null,
    columns.map((column, i) => {
      const content = column.show === undefined ? column.value(row) : column.show(row);
      const attributes = { class: column.numeric ? 'number' : (column.class ?? null) };
      return i === 0 ? el('th', { scope: 'row', ...attributes }, content) : el('td', attributes, content);
    }),
  );
}

function searchBox(caption, onText) {
  return el(
    'label',
    null,
    'Filter ',
    el('input', {
      type: 'search',
      'aria-label': `Filter: ${caption}`,
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: (event) => onText(event.target.value),
    }),
  );
}

function choiceBox({ label, value }, rows, onChoice) {
  const all = [...new Set(rows.map(value))].sort();
  return el(
    'label',
    null,
    `${label} `,
    el(
      'select',
      { onchange: (event) => onChoice(event.target.value) },
      el('option', { value: '' }, 'all'),
      all.map((each) => el('option', { value: each }, each)),
    ),
  );
}

function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}
