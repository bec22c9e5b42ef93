import type { KeyDifference } from '../../tools/explore/compare.js';
import type { KeySummary } from '../../tools/explore/key-list.js';
import type { LogRow } from '../../tools/explore/rows.js';
import { printable } from '../render/escape.js';
import { count, counted, instant } from '../render/numbers.js';
import { expiryText, kindText, type ValueLines, valueLines } from '../render/value.js';
import { type Line, line, padded, type Span, widthOf } from './cells.js';
import { HELP } from './help.js';
import { partsOf, type Scene } from './scene.js';

/** The screen as lines, the bottom one included; none is wider than it may be once it is painted. */
export function draw(scene: Scene, columns: number, rows: number): Line[] {
  const { body } = partsOf(rows);
  const lines = [titleLine(scene, columns), statusLine(scene)];
  if (scene.view === 'main') lines.push(...mainLines(scene, columns, rows));
  else if (scene.view === 'value') lines.push(...valueBody(scene, columns, body));
  else if (scene.view === 'diff') lines.push(...diffBody(scene, body));
  else lines.push(...HELP.slice(scene.scroll, scene.scroll + body).map((text) => line(text)));
  while (lines.length < rows - 2) lines.push([]);
  lines.push(messageLine(scene, columns), line(KEYS[scene.view], 'mark'));
  return lines;
}

const KEYS: Readonly<Record<Scene['view'], string>> = {
  main: '↑↓ step  g go to  / search  d danger  Tab keys  Enter value  = diff  ? help  q',
  value: '↑↓ scroll  ←→ step the log  < > shift  Esc back  ? help  q quit',
  diff: '↑↓ move  Enter value  Esc back  ? help  q quit',
  help: '↑↓ scroll  Esc back  q quit',
};

function titleLine({ title, position, length, markA, markB }: Scene, columns: number): Line {
  const marks = `${markA === null ? '' : ` A=${markA}`}${markB === null ? '' : ` B=${markB}`}`;
  const right = `${marks}  command ${count(position)} of ${count(length)} `;
  return line(padded(` ${title}`, columns - widthOf(right)) + right, 'mark');
}

function statusLine({ timeMs, keysInAll, databases, rows, position, damage }: Scene): Line {
  const next = rows.find(({ number }) => number === position + 1);
  const facts = [timeMs < 0 ? 'before the first #TS annotation' : instant(timeMs)];
  if (next !== undefined) facts.push(`${printable(next.file)}:${next.offset}`);
  facts.push(`${counted(keysInAll, 'key')} in ${databases.length} db`);
  const spans: Span[] = [{ text: ` ${facts.join('  ')}`, look: 'bold' }];
  if (damage !== '' && next === undefined) spans.push({ text: `  ${damage}`, look: 'red' });
  return spans;
}

function mainLines(scene: Scene, columns: number, rows: number): Line[] {
  const { log, keys } = partsOf(rows);
  const lines = logLines(scene, log);
  const { page, database, match, selected, focus } = scene;
  const total = page === null ? 'counting' : counted(page.total, 'key');
  const filter = match === '*' ? '' : `  match ${scene.show(match)}`;
  const place = page === null || page.total === 0 ? '' : `  ${count(page.rank + selected + 1)} of`;
  const others = scene.databases.filter(({ index }) => index !== database).map(({ index }) => index);
  const elsewhere = others.length === 0 ? '' : `  (also db ${others.join(' ')})`;
  lines.push(line(padded(` keys of db ${database}:${place} ${total}${filter}${elsewhere}`, columns), 'mark'));
  const shown = (page?.keys ?? []).slice(0, keys).map((key, i) => {
    return keyLine(key, scene, columns, focus === 'keys' && i === selected);
  });
  while (shown.length < keys) shown.push([]);
  return [...lines, ...shown];
}

function logLines(scene: Scene, height: number): Line[] {
  const { rows, position, length } = scene;
  const lines = rows.slice(0, height).map((row) => logLine(row, row.number === position + 1, scene));
  if (lines.length < height && position === length) lines.push(line('> the log ends here', 'bold'));
  while (lines.length < height) lines.push([]);
  return lines;
}

function logLine(row: LogRow, isNext: boolean, { show, focus, position }: Scene): Line {
  const { number, timeMs, database, inTransaction, args, argc } = row;
  const time = timeMs < 0 ? '        ' : new Date(timeMs).toISOString().slice(11, 19);
  const words = args.map((arg, i) => (i === 0 ? printable(arg.latin1Slice()) : show(arg.latin1Slice())));
  if (argc > args.length) words.push('…');
  const frame = inTransaction ? '|' : ' ';
  const text = `${isNext ? '>' : ' '}${String(number).padStart(8)}  ${time} db${String(database).padEnd(2)}${frame} ${words.join(' ')}`;
  if (isNext) return line(text, focus === 'log' ? 'mark' : 'bold');
  return line(text, number <= position ? 'plain' : 'dim');
}

function keyLine(key: KeySummary, { show }: Scene, columns: number, isSelected: boolean): Line {
  const expiry = key.expiresAtMs === null ? '' : `  expires ${expiryText(key.expiresAtMs)}`;
  const right = `${kindText(key.kind, key.size)}${expiry} `;
  const name = `${isSelected ? '>' : ' '} ${show(key.key.latin1Slice())}`;
  const room = Math.max(10, columns - widthOf(right) - 1);
  return line(`${padded(name, room)} ${right}`, isSelected ? 'mark' : 'plain');
}

/** Lines of a value, a long string in pieces with their places. */
export function valueLinesOf(scene: Scene): ValueLines | null {
  const { value, show } = scene;
  if (value === null) return null;
  if (value.value.kind !== 'string' || value.value.text.length <= PIECE) {
    return valueLines(value.value, show, ELEMENT_BYTES);
  }
  const { text } = value.value;
  return {
    length: Math.ceil(text.length / PIECE),
    line: (i) =>
      `${String(i * PIECE).padStart(8)}  ${show(text.latin1Slice(i * PIECE, Math.min(text.length, (i + 1) * PIECE)))}`,
  };
}

const PIECE = 64;
const ELEMENT_BYTES = 4096;

function valueBody(scene: Scene, columns: number, height: number): Line[] {
  const { opened, value, show, scroll, shift } = scene;
  const { database, key } = opened!;
  const name = ` ${show(key.latin1Slice())} in db ${database}`;
  if (value === null)
    return [line(padded(name, columns), 'mark'), [], line('  not there at this moment', 'yellow')];
  const all = valueLinesOf(scene)!;
  const last = Math.min(all.length, scroll + height - 1);
  const place =
    all.length > height - 1 ? `  lines ${count(scroll + 1)} to ${count(last)} of ${count(all.length)}` : '';
  const expiry = value.expiresAtMs === null ? '' : `, expires ${expiryText(value.expiresAtMs)}`;
  const lines = [
    line(padded(`${name}: ${kindText(value.kind, value.size)}${expiry}${place}`, columns), 'mark'),
  ];
  for (let i = scroll; i < last; i++) lines.push(line(` ${[...all.line(i)].slice(shift).join('')}`));
  return lines;
}

const SIGNS = { added: ['+', 'green'], removed: ['-', 'red'], changed: ['~', 'yellow'] } as const;

function diffBody(scene: Scene, height: number): Line[] {
  const { comparison, markA, markB, diffSelected } = scene;
  if (comparison === null) return [];
  const { added, removed, changed, same, differences } = comparison;
  const head =
    ` from A (${count(markA ?? 0)}) to B (${count(markB ?? 0)}): ${count(added)} added, ${count(removed)} removed, ` +
    `${count(changed)} changed, ${count(same)} the same`;
  const top = Math.max(0, Math.min(diffSelected - Math.floor(height / 2), differences.length - height + 1));
  const shown = differences.slice(top, top + height - 1);
  const lines = shown.map((each, i) => differenceLine(each, scene, top + i === diffSelected));
  return [line(head, 'bold'), ...lines];
}

function differenceLine(
  { op, database, key, before, after }: KeyDifference,
  scene: Scene,
  marked: boolean,
): Line {
  const [sign, look] = SIGNS[op];
  const text = (each: KeySummary | null): string => (each === null ? '' : kindText(each.kind, each.size));
  const states = [text(before), text(after)].filter((each) => each !== '');
  const shown = states[0] === states[1] ? states.slice(1) : states;
  const words = `${marked ? '>' : ' '}${sign} db${database} ${scene.show(key.latin1Slice())}  ${shown.join(' → ')}`;
  return line(words, marked ? 'mark' : look);
}

function messageLine({ busy, prompt, message }: Scene, columns: number): Line {
  if (prompt !== null) return line(` ${prompt.label}: ${prompt.text}_`, 'bold');
  if (busy === null) return line(` ${message}`, 'yellow');
  const width = Math.max(10, Math.min(30, columns - 50));
  const filled = Math.round(busy.share * width);
  return line(` ${busy.label}  [${'#'.repeat(filled)}${'.'.repeat(width - filled)}]  Esc stops`, 'bold');
}
