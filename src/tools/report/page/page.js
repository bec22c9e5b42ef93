import { histogram, shares, timeline } from './charts.js';
import { el, key } from './dom.js';
import { bytes, count, duration, instant, percent, plural } from './format.js';
import { dataTable } from './table.js';
import { MEASURES, treemap, treeOf } from './treemap.js';

const data = JSON.parse(document.getElementById('data').textContent);
const { memory, log } = data;

function header() {
  const errors = data.findings.filter(({ severity }) => severity === 'error').length;
  const [kind, verdict] =
    errors > 0
      ? ['bad', `Damaged: ${plural(errors, 'error')}`]
      : data.findings.length > 0
        ? ['fair', `Intact, ${plural(data.findings.length, 'warning')}`]
        : ['good', 'Intact'];
  return el(
    'header',
    null,
    el(
      'div',
      null,
      el('p', { class: 'over' }, 'rekindle report'),
      el('h1', null, el('bdi', { dir: 'ltr' }, data.source)),
    ),
    el(
      'div',
      { class: 'aside' },
      el('p', { class: `verdict ${kind}` }, verdict),
      el('button', { type: 'button', class: 'theme', onclick: switchTheme }, 'Light or dark'),
    ),
  );
}

function switchTheme() {
  const { dataset } = document.documentElement;
  const dark =
    dataset.theme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : dataset.theme === 'dark';
  dataset.theme = dark ? 'light' : 'dark';
}

function contents() {
  const links = [
    ['overview', 'Overview'],
    ['findings', 'Findings'],
    ...(memory === null
      ? []
      : [
          ['prefixes', 'Prefixes'],
          ['keys', 'Keys'],
          ['types', 'Types'],
          ['times', 'TTL and size'],
        ]),
    ...(log === null ? [] : [['log', 'Log']]),
  ];
  return el(
    'nav',
    { class: 'contents', 'aria-label': 'Contents' },
    links.map(([id, text]) => el('a', { href: `#${id}` }, text)),
  );
}

function main() {
  return el(
    'main',
    { id: 'main', tabindex: -1 },
    overview(),
    findings(),
    memory === null ? null : [prefixes(), keys(), types(), times()],
    log === null ? null : logSection(),
  );
}

const section = (id, title, ...children) =>
  el(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, title),
    ...children,
  );

const card = (label, value, detail) =>
  el(
    'div',
    { class: 'card' },
    el('dt', null, label),
    el('dd', null, el('b', null, value), detail ? el('span', null, detail) : null),
  );

function overview() {
  const cards = [];
  if (memory !== null) {
    const { total, tableBytes, usedBytes, server, savedAtMs } = memory;
    cards.push(
      card('Keys', count(total.keys), plural(total.elements, 'element')),
      card(
        'Memory in a server',
        bytes(total.memoryBytes + tableBytes),
        `estimated; ${bytes(tableBytes)} of it tables`,
      ),
    );
    if (total.fileBytes !== null)
      cards.push(
        card(
          'In the file',
          bytes(total.fileBytes),
          `${bytes(Math.round(total.fileBytes / Math.max(1, total.keys)))} a key`,
        ),
      );
    cards.push(card('With a TTL', percent(total.withExpiry, total.keys), plural(total.withExpiry, 'key')));
    if (usedBytes !== null) cards.push(card('Used when saved', bytes(usedBytes), 'as the server said'));
    if (server !== null) cards.push(card('Written by', server, savedAtMs === null ? '' : instant(savedAtMs)));
  }
  if (log !== null) {
    cards.push(card('Commands in the log', count(log.commands), bytes(log.bytes)));
    if (log.firstTimeMs !== null)
      cards.push(card('Log from', instant(log.firstTimeMs), `to ${instant(log.lastTimeMs)}`));
  }
  const columns = [
    { label: 'File', value: ({ path }) => path, show: ({ path }) => key(path) },
    { label: 'Format', value: ({ format }) => format },
    {
      label: 'Bytes',
      value: ({ bytes: size }) => size,
      show: ({ bytes: size }) => bytes(size),
      numeric: true,
    },
    {
      label: 'Keys',
      value: (file) => file.keys ?? -1,
      show: (file) => (file.keys === null ? '–' : count(file.keys)),
      numeric: true,
    },
    {
      label: 'Commands',
      value: (file) => file.commands ?? -1,
      show: (file) => (file.commands === null ? '–' : count(file.commands)),
      numeric: true,
    },
    {
      label: 'Verdict',
      value: ({ verdict }) => verdict,
      show: ({ verdict }) => el('span', { class: verdict === 'intact' ? 'good' : 'bad' }, verdict),
    },
  ];
  return section(
    'overview',
    'Overview',
    data.failure === null ? null : el('p', { class: 'notice', role: 'note' }, data.failure),
    el('dl', { class: 'cards' }, cards),
    dataTable({ caption: 'Files', columns, rows: data.files }),
  );
}

function findings() {
  if (data.findings.length === 0)
    return section('findings', 'Findings', el('p', { class: 'calm' }, 'Nothing is wrong with these files.'));
  const columns = [
    {
      label: 'Severity',
      value: ({ severity }) => severity,
      show: ({ severity }) => el('span', { class: severity === 'error' ? 'bad' : 'fair' }, severity),
    },
    {
      label: 'What',
      class: 'prose',
      value: ({ code }) => code,
      show: ({ code, message, hint, key: name }) =>
        el(
          'div',
          null,
          el('code', null, code),
          el('p', null, message),
          name === null ? null : el('p', null, 'Key: ', key(name)),
          hint === '' ? null : el('p', { class: 'muted' }, `Try: ${hint}`),
        ),
    },
    { label: 'File', value: ({ file }) => file, show: ({ file }) => key(file) },
    {
      label: 'Offset',
      value: ({ offset }) => offset,
      show: ({ offset }) => (offset < 0 ? '–' : count(offset)),
      numeric: true,
    },
  ];
  return section(
    'findings',
    'Findings',
    dataTable({
      caption: 'What is wrong',
      columns,
      rows: data.findings,
      search: ({ code, message, file }) => `${code} ${message} ${file}`,
    }),
  );
}

function prefixes() {
  const { total, prefixesDropped } = memory;
  const list = memory.prefixes;
  const measures =
    total.fileBytes === null ? MEASURES.filter(({ label }) => label !== 'bytes in the file') : MEASURES;
  const columns = [
    { label: 'Prefix', value: ([pattern]) => pattern, show: ([pattern]) => key(pattern) },
    { label: 'Level', value: ([, depth]) => depth + 1, numeric: true },
    { label: 'Keys', value: (row) => row[2], show: (row) => count(row[2]), numeric: true },
    { label: 'Memory', value: (row) => row[3], show: (row) => bytes(row[3]), numeric: true },
    {
      label: 'Share',
      value: (row) => row[3],
      show: (row) => percent(row[3], total.memoryBytes),
      numeric: true,
    },
    ...(total.fileBytes === null
      ? []
      : [{ label: 'In the file', value: (row) => row[4], show: (row) => bytes(row[4]), numeric: true }]),
    {
      label: 'A key',
      value: (row) => row[3] / row[2],
      show: (row) => bytes(Math.round(row[3] / row[2])),
      numeric: true,
    },
    {
      label: 'With TTL',
      value: (row) => row[5] / row[2],
      show: (row) => percent(row[5], row[2]),
      numeric: true,
    },
  ];
  return section(
    'prefixes',
    'Prefixes',
    el(
      'p',
      { class: 'muted' },
      'Groups of keys, found by themselves: numbers and ids stand as *. Choose a box to look inside; Escape goes back.',
    ),
    total.keys === 0 ? null : treemap(treeOf(list, total), measures),
    dataTable({
      caption: `${plural(list.length, 'group')} of keys`,
      columns,
      rows: list,
      sort: 3,
      search: ([pattern]) => pattern,
    }),
    prefixesDropped > 0
      ? el(
          'p',
          { class: 'muted' },
          `${plural(prefixesDropped, 'small group')} left out: too many to be held.`,
        )
      : null,
  );
}

function keys() {
  const several = memory.databases.length > 1;
  const hasFile = memory.total.fileBytes !== null;
  const columns = [
    { label: 'Key', value: (row) => row[1], show: (row) => key(row[1]) },
    ...(several ? [{ label: 'Database', value: (row) => row[0], numeric: true }] : []),
    {
      label: 'Type',
      value: (row) => `${row[2]} ${row[3]}`,
      show: (row) => [row[2], ' ', el('span', { class: 'muted' }, row[3])],
    },
    { label: 'Memory', value: (row) => row[4], show: (row) => bytes(row[4]), numeric: true },
    ...(hasFile
      ? [{ label: 'In the file', value: (row) => row[5], show: (row) => bytes(row[5]), numeric: true }]
      : []),
    { label: 'Elements', value: (row) => row[6], show: (row) => count(row[6]), numeric: true },
    {
      label: 'Time to live',
      value: (row) => row[7] ?? Number.POSITIVE_INFINITY,
      show: (row) => ttlOf(row[7]),
      numeric: true,
    },
    ...(memory.idle === null
      ? []
      : [
          {
            label: 'Idle',
            value: (row) => row[8],
            show: (row) => (row[8] < 0 ? '–' : duration(row[8])),
            numeric: true,
          },
        ]),
    ...(memory.freq === null
      ? []
      : [
          {
            label: 'LFU',
            value: (row) => row[9],
            show: (row) => (row[9] < 0 ? '–' : count(row[9])),
            numeric: true,
          },
        ]),
  ];
  const memoryColumn = columns.findIndex(({ label }) => label === 'Memory');
  return section(
    'keys',
    'Largest keys',
    dataTable({
      caption:
        memory.keys.length < memory.total.keys
          ? `${count(memory.keys.length)} of ${plural(memory.total.keys, 'key')}: the largest by bytes and by elements`
          : 'All keys',
      columns,
      rows: memory.keys,
      sort: memoryColumn,
      search: (row) => row[1],
      choices: { label: 'Type', value: (row) => row[2] },
    }),
  );
}

function ttlOf(expiresAtMs) {
  if (expiresAtMs === null) return 'none';
  return expiresAtMs < data.nowMs ? 'past' : duration((expiresAtMs - data.nowMs) / 1000);
}

function types() {
  const { total, databases } = memory;
  const sums = (of) => [
    { label: 'Keys', value: (row) => row.keys, show: (row) => count(row.keys), numeric: true },
    {
      label: 'Memory',
      value: (row) => row.memoryBytes,
      show: (row) => bytes(row.memoryBytes),
      numeric: true,
    },
    {
      label: 'Share',
      value: (row) => row.memoryBytes,
      show: (row) => percent(row.memoryBytes, of),
      numeric: true,
    },
    ...(total.fileBytes === null
      ? []
      : [
          {
            label: 'In the file',
            value: (row) => row.fileBytes,
            show: (row) => bytes(row.fileBytes),
            numeric: true,
          },
        ]),
    { label: 'Elements', value: (row) => row.elements, show: (row) => count(row.elements), numeric: true },
    {
      label: 'With TTL',
      value: (row) => row.withExpiry,
      show: (row) => percent(row.withExpiry, row.keys),
      numeric: true,
    },
  ];
  const rows = memory.types.flatMap((type) => type.encodings.map((each) => ({ ...each, type: type.type })));
  return section(
    'types',
    'Types and encodings',
    shares(
      'Memory by type',
      memory.types.map(({ type, memoryBytes }) => ({ name: type, value: memoryBytes })),
      total.memoryBytes,
    ),
    dataTable({
      caption: 'By type and encoding',
      columns: [
        { label: 'Type', value: ({ type }) => type },
        { label: 'Encoding', value: ({ encoding }) => encoding || 'other' },
        ...sums(total.memoryBytes),
      ],
      rows,
      sort: 3,
    }),
    databases.length < 2
      ? null
      : dataTable({
          caption: 'By database',
          columns: [{ label: 'Database', value: ({ db }) => db }, ...sums(total.memoryBytes)],
          rows: databases,
        }),
    memory.slots === null ? null : slots(),
  );
}

function slots() {
  const mean = memory.total.memoryBytes / 16_384;
  const columns = [
    { label: 'Slot', value: ([slot]) => slot, numeric: true },
    { label: 'Keys', value: (row) => row[1], show: (row) => count(row[1]), numeric: true },
    { label: 'Memory', value: (row) => row[2], show: (row) => bytes(row[2]), numeric: true },
    {
      label: 'Beside the average',
      value: (row) => row[2],
      show: (row) => `${(row[2] / mean).toFixed(1)} x`,
      numeric: true,
    },
  ];
  return dataTable({ caption: 'Largest cluster slots', columns, rows: memory.slots, sort: 2 });
}

function times() {
  const { total } = memory;
  const named = (buckets) =>
    buckets.map(([name, keysIn, memoryIn]) => ({ name, keys: keysIn, memory: memoryIn }));
  return section(
    'times',
    'TTL and size',
    el(
      'div',
      { class: 'columns' },
      histogram('Time to live', named(memory.ttl), total.keys),
      histogram('Bytes of a key in memory', named(memory.sizes), total.keys),
      memory.idle === null ? null : histogram('Time since last used', named(memory.idle), total.keys),
      memory.freq === null ? null : histogram('LFU counter', named(memory.freq), total.keys),
    ),
  );
}

function logSection() {
  const columns = [
    {
      label: 'Number',
      value: ({ number }) => number,
      show: ({ number }) => `#${count(number)}`,
      numeric: true,
    },
    { label: 'Kind', value: ({ kind }) => kind },
    { label: 'Command', class: 'prose', value: ({ text }) => text, show: ({ text }) => key(text) },
    {
      label: 'Time',
      class: 'nowrap',
      value: ({ timeMs }) => timeMs ?? -1,
      show: ({ timeMs }) => instant(timeMs),
    },
    { label: 'Database', value: ({ db }) => db, numeric: true },
    {
      label: 'Keys',
      value: (row) => row.keys,
      show: (row) => (row.keys === 0 ? '–' : count(row.keys)),
      numeric: true,
    },
    {
      label: 'File and offset',
      value: ({ offset }) => offset,
      show: ({ file, offset }) => key(`${file}:${offset}`),
    },
    {
      label: 'Just before',
      class: 'nowrap',
      value: ({ before }) => before,
      show: ({ before }) => el('code', null, `--until-command ${before}`),
    },
  ];
  const names = [
    { label: 'Command', value: ([name]) => name },
    { label: 'Times', value: (row) => row[1], show: (row) => count(row[1]), numeric: true },
    { label: 'Share', value: (row) => row[1], show: (row) => percent(row[1], log.commands), numeric: true },
    { label: 'Bytes', value: (row) => row[2], show: (row) => bytes(row[2]), numeric: true },
  ];
  const dangers = el('div', { id: 'dangers', tabindex: -1 });
  const draw = (rows, caption) =>
    dangers.replaceChildren(
      dataTable({
        caption,
        columns,
        rows,
        sort: undefined,
        search: ({ kind, text }) => `${kind} ${text}`,
        empty: 'There are none.',
      }),
      rows.length < log.dangers.length
        ? el('button', { type: 'button', onclick: () => all(true) }, `Show all ${count(log.dangers.length)}`)
        : '',
    );
  const all = (focus) => {
    draw(log.dangers, `Dangerous commands: ${count(log.dangers.length)}`);
    if (focus) dangers.focus();
  };
  const only = (rows) => {
    draw(rows, `Dangerous commands on this stretch: ${count(rows.length)}`);
    dangers.focus();
    dangers.scrollIntoView({ block: 'nearest' });
  };
  all(false);
  return section(
    'log',
    'Log',
    log.commands === 0
      ? el('p', { class: 'calm' }, 'The log holds no commands.')
      : timeline(log.rate, log.dangers, only),
    log.scriptsRun > 0
      ? el(
          'p',
          { class: 'muted' },
          `${plural(log.scriptsRun, 'command')} ran scripts or functions, whose effects are not looked into.`,
        )
      : null,
    dangers,
    el(
      'p',
      { class: 'muted' },
      'The last column is what rekindle replay takes to stop just before the command.',
    ),
    dataTable({ caption: 'Commands by name', columns: names, rows: log.names, sort: 1 }),
  );
}

function footer() {
  return el(
    'footer',
    null,
    el(
      'p',
      null,
      `Made by rekindle ${data.version} on ${instant(data.generatedAtMs)}; times to live count from ${instant(data.nowMs)}.`,
    ),
    el(
      'p',
      null,
      'Memory is what MEMORY USAGE of a Redis 7.0 (64 bit, jemalloc) would say after loading the dataset, estimated from the sizes of its parts. This page loads nothing and sends nothing.',
    ),
    data.redacted ? el('p', null, 'Keys are hidden: equal hashes are equal keys.') : null,
    data.notChecked.length === 0
      ? null
      : [
          el('h2', null, 'Not checked'),
          el(
            'ul',
            null,
            data.notChecked.map(({ path, what, why }) => el('li', null, key(path), `: ${what}: ${why}`)),
          ),
        ],
  );
}

const page = document.getElementById('page');
page.append(header(), contents(), main(), footer());
page.setAttribute('data-ready', '');
