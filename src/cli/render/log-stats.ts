import type { LogStats, WriteRate } from '../../tools/log/stats.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import type { Json } from './json.js';
import { endJson } from './log.js';
import { count, counted, duration, instant, size } from './numbers.js';

const NAMES_SHOWN = 20;
const BARS = '▁▂▃▄▅▆▇█';

/** The counts as people read them. */
export function printStats(stats: LogStats, session: Session): void {
  const { outStyle: style } = session;
  const print = (line: string) => session.print(`${line}\n`);
  const title = (text: string) => print(`\n${style.bold(text)}`);
  const { commands, bytes, names, perSecond, busiest, transactions, longest, largest } = stats;

  print(`${style.bold('commands')}  ${count(commands)}, ${size(bytes)}${spanText(stats)}`);
  if (perSecond !== null) {
    const peak = busiest === null ? '' : `, ${count(busiest.commands)} at ${instant(busiest.seconds * 1000)}`;
    print(`${style.bold('rate')}      ${rateText(perSecond)} a second${peak}`);
  }
  if (stats.databases.size > 0) {
    const each = [...stats.databases].map(([db, inDb]) => `db${db} ${count(inDb)}`).join(', ');
    print(`${style.bold('databases')} ${each}`);
  }
  if (commands === 0) return;
  printRate(stats.rate, session);

  title('commands by name');
  table(
    names
      .slice(0, NAMES_SHOWN)
      .map((row) => [
        printable(row.name),
        count(row.commands),
        `${((row.commands / commands) * 100).toFixed(1)}%`,
        size(row.bytes),
      ]),
    session,
  );
  if (names.length > NAMES_SHOWN)
    print(`  and ${counted(names.length - NAMES_SHOWN, 'more name')} (--json lists all)`);

  const { keysError, distinctKeys } = stats;
  const known = distinctKeys === null ? 'too many keys to count each' : counted(distinctKeys, 'key');
  title(
    `keys written most (${known}${keysError === 0 ? '' : `: each count may be up to ${count(keysError)} too small`})`,
  );
  table(
    stats.keys.map((each) => [
      count(each.count),
      `db${each.database}`,
      keyText(each.key, each.length, session),
    ]),
    session,
  );

  title('largest commands');
  table(
    largest.map((each) => [
      size(each.bytes),
      `${printable(each.name)}${each.key === null ? '' : ` ${session.shown(each.key)}`}`,
      counted(each.argc - 1, 'argument'),
      `#${each.number}`,
      `${printable(each.file.name)}:${each.offset}`,
    ]),
    session,
  );

  title(transactions === 0 ? 'no transactions' : `longest of ${counted(transactions, 'transaction')}`);
  table(
    longest.map((each) => [
      counted(each.commands, 'command'),
      size(each.bytes),
      `#${each.number}`,
      `${printable(each.file.name)}:${each.offset}`,
    ]),
    session,
  );
}

function spanText({ end }: LogStats): string {
  const { firstTimeMs, stoppedAt } = end;
  if (firstTimeMs < 0) return ', no #TS annotations';
  const span = Math.max(0, stoppedAt.timeMs - firstTimeMs);
  return `, from ${instant(firstTimeMs)} to ${instant(stoppedAt.timeMs)} (${duration(span)})`;
}

const rateText = (value: number): string => (value < 10 ? value.toFixed(1) : count(Math.round(value)));

/** A line of bars, each the height of its bucket beside the highest. */
function printRate({ by, width, counts }: WriteRate, session: Session): void {
  const most = Math.max(...counts);
  const bars = counts.map((each) => barOf(each, most)).join('');
  const unit = by === 'time' ? (width === 1 ? 'second' : duration(width * 1000)) : size(width);
  session.print(
    `${bars}\n  at most ${counted(most, 'command')} in ${by === 'time' && width === 1 ? 'a ' : ''}${unit}, each bar ${by === 'time' && width === 1 ? 'one' : 'as long'}\n`,
  );
}

function barOf(value: number, most: number): string {
  if (value === 0) return ' ';
  return BARS[Math.min(BARS.length - 1, Math.ceil((value / most) * BARS.length) - 1)]!;
}

function keyText(key: string, length: number, session: Session): string {
  return length > key.length ? `${session.shown(key)}…(${size(length)})` : session.shown(key);
}

/** Columns side by side: numbers to the right, what has letters to the left. */
function table(rows: readonly (readonly string[])[], session: Session): void {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  for (const row of rows) {
    const cells = row.map((cell, i) => {
      if (/^[\d#]/.test(cell)) return cell.padStart(widths[i]!);
      return i === row.length - 1 ? cell : cell.padEnd(widths[i]!);
    });
    session.print(`  ${cells.join('  ').trimEnd()}\n`);
  }
}

export function statsJson(stats: LogStats, session: Session): Readonly<Record<string, Json>> {
  const { end, keys, keysError, distinctKeys, rate } = stats;
  const name = (text: string) => printable(text);
  return {
    bytes: stats.bytes,
    perSecond: stats.perSecond,
    busiest:
      stats.busiest === null ? null : { time: stats.busiest.seconds, commands: stats.busiest.commands },
    names: stats.names.map((row) => ({ ...row, name: name(row.name) })),
    databases: [...stats.databases].map(([db, commands]) => ({ db, commands })),
    keys: {
      distinct: distinctKeys,
      countsTooSmallBy: keysError,
      most: keys.map(({ database, key, length, count: times }) => ({
        db: database,
        key: session.json(key),
        ...(length > key.length ? { keyBytes: length } : {}),
        commands: times,
      })),
    },
    largest: stats.largest.map(({ file, key, argc, number, database, ...each }) => ({
      ...each,
      name: name(each.name),
      key: key === null ? null : session.json(key),
      arguments: argc,
      file: file.name,
      command: number,
      db: database,
    })),
    transactions: stats.transactions,
    longestTransactions: stats.longest.map(({ file, number, ...each }) => ({
      ...each,
      file: file.name,
      command: number,
    })),
    rate: { ...rate, counts: [...rate.counts] },
    ...endJson(end, session),
  };
}
