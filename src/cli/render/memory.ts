import { freqName, timeName, ttlName } from '../../tools/memory/bucket-names.js';
import { type ListedPrefix, listPrefixes } from '../../tools/memory/prefix-list.js';
import type { SpreadBucket } from '../../tools/memory/spread.js';
import type { KeySum } from '../../tools/memory/tally.js';
import type { LargeKey } from '../../tools/memory/top-keys.js';
import type { MemoryReport, SlotSums } from '../../tools/memory.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { count, counted, duration, instant, size } from './numbers.js';

type Row = readonly string[];

/** What fills the memory, as people read it. */
export function printMemory(report: MemoryReport, prefixes: number, session: Session): void {
  const { total, kinds, databases, hasFileBytes } = report;
  const { outStyle: style } = session;
  const title = (text: string): void => session.print(`\n${style.bold(text)}\n`);
  printTotal(report, session);
  if (total.keys === 0) return;
  const sumHead = ['keys', 'memory', '', ...(hasFileBytes ? ['in the file'] : []), 'elements', 'a key'];
  const sums = (sum: KeySum): Row => [
    count(sum.keys),
    size(sum.memoryBytes),
    percent(sum.memoryBytes, total.memoryBytes),
    ...(hasFileBytes ? [size(sum.fileBytes)] : []),
    count(sum.elements),
    size(Math.round(sum.memoryBytes / sum.keys)),
  ];

  title('by type and encoding');
  const typeRows = kinds.flatMap((kind) => [
    [kind.kind, ...sums(kind)],
    ...(kind.encodings.length > 1 || kind.encodings[0]?.encoding !== kind.kind
      ? kind.encodings.map((each) => [`  ${each.encoding || 'other'}`, ...sums(each)])
      : []),
  ]);
  table(['', ...sumHead], typeRows, session);
  if (databases.length > 1) {
    title('by database');
    table(
      ['', ...sumHead],
      databases.map((each) => [`db${each.database}`, ...sums(each)]),
      session,
    );
  }

  title('by prefix');
  const listed = listPrefixes(report.prefixes, prefixes);
  table(
    ['', 'keys', 'memory', '', ...(hasFileBytes ? ['in the file'] : []), 'a key', 'with TTL'],
    listed.map((each) => prefixRow(each, report, session)),
    session,
  );
  if (report.prefixesDropped > 0) {
    session.print(`  ${counted(report.prefixesDropped, 'small group')} left out: too many to be held\n`);
  }

  printKeys('biggest keys', report.biggest, report, session);
  printKeys('keys of most elements', report.longest, report, session);
  printSpreads(report, session);
  if (report.slots !== null) printSlots(report.slots, session);
}

function printTotal(report: MemoryReport, session: Session): void {
  const { total, hasFileBytes, tableBytes, usedBytes, savedAtMs, server } = report;
  const { bold } = session.outStyle;
  const file = hasFileBytes ? `, ${size(total.fileBytes)} in the file` : '';
  const { memoryBytes } = total;
  session.print(`${bold('keys')}    ${count(total.keys)}, ${count(total.withExpiry)} with a TTL\n`);
  session.print(
    `${bold('memory')}  ${size(memoryBytes)} and ${size(tableBytes)} of tables, estimated${file}\n`,
  );
  if (usedBytes === null) return;
  const who = server === null ? 'its server' : printable(`${server.product} ${server.version}`);
  const when = savedAtMs === null ? '' : ` on ${instant(savedAtMs)}`;
  session.print(`${bold('server')}  ${who} used ${size(usedBytes)} in all when it saved this${when}\n`);
}

function prefixRow({ node, depth }: ListedPrefix, report: MemoryReport, session: Session): Row {
  const { total, hasFileBytes } = report;
  return [
    `${'  '.repeat(depth)}${session.shown(node.pattern)}`,
    count(node.keys),
    size(node.memoryBytes),
    percent(node.memoryBytes, total.memoryBytes),
    ...(hasFileBytes ? [size(node.fileBytes)] : []),
    size(Math.round(node.memoryBytes / node.keys)),
    percent(node.withExpiry, node.keys),
  ];
}

function printKeys(what: string, keys: readonly LargeKey[], report: MemoryReport, session: Session): void {
  if (keys.length === 0) return;
  const several = report.databases.length > 1;
  session.print(`\n${session.outStyle.bold(what)}\n`);
  table(
    ['', 'memory', ...(report.hasFileBytes ? ['in the file'] : []), 'elements', 'type', 'TTL'],
    keys.map((key) => [
      `${several ? `db${key.database} ` : ''}${keyText(key, session)}`,
      size(key.memoryBytes),
      ...(report.hasFileBytes ? [size(key.fileBytes)] : []),
      count(key.elements),
      `${key.kind} ${key.encoding}`.trim(),
      ttlText(key.expiresAtMs, session.context.nowMs),
    ]),
    session,
  );
}

export function keyText({ key, keyBytes }: LargeKey, session: Session): string {
  return keyBytes > key.length ? `${session.shown(key)}…(${size(keyBytes)})` : session.shown(key);
}

function ttlText(expiresAtMs: number | null, nowMs: number): string {
  if (expiresAtMs === null) return 'none';
  return expiresAtMs < nowMs ? 'past' : duration(expiresAtMs - nowMs);
}

function printSpreads(report: MemoryReport, session: Session): void {
  const { total, ttl, idle, freq, sizes } = report;
  const rows = (buckets: readonly SpreadBucket[], name: (bucket: SpreadBucket) => string): Row[] =>
    buckets
      .filter(({ keys }) => keys > 0)
      .map((each) => [name(each), count(each.keys), size(each.memoryBytes), bar(each.keys, total.keys)]);
  const spread = (title: string, lines: Row[]): void => {
    session.print(`\n${session.outStyle.bold(title)}\n`);
    table(['', 'keys', 'memory', ''], lines, session);
  };
  const never = total.keys - total.withExpiry;
  const neverBytes = total.memoryBytes - ttl.reduce((sum, each) => sum + each.memoryBytes, 0);
  spread('by time to live', [
    ...(never > 0 ? [['none', count(never), size(neverBytes), bar(never, total.keys)]] : []),
    ...rows(ttl, ttlName),
  ]);
  spread(
    'by bytes of a key',
    rows(sizes, ({ from, to }) => `${size(from!)} to ${size(to!)}`),
  );
  if (idle !== null) spread('by time since last used', rows(idle, timeName));
  if (freq !== null) spread('by LFU counter', rows(freq, freqName));
}

const SLOTS_SHOWN = 10;

function printSlots({ keys, memoryBytes }: SlotSums, session: Session): void {
  const used = [...memoryBytes.keys()].filter((slot) => keys[slot]! > 0);
  const total = used.reduce((sum, slot) => sum + memoryBytes[slot]!, 0);
  const mean = total / memoryBytes.length;
  session.print(
    `\n${session.outStyle.bold('by cluster slot')}: ${counted(used.length, 'slot')} hold keys, ${size(Math.round(mean))} each on average of all\n`,
  );
  used.sort((a, b) => memoryBytes[b]! - memoryBytes[a]!);
  table(
    ['slot', 'keys', 'memory', ''],
    used
      .slice(0, SLOTS_SHOWN)
      .map((slot) => [
        `${slot}`,
        count(keys[slot]!),
        size(memoryBytes[slot]!),
        `${(memoryBytes[slot]! / mean).toFixed(1)} x the average`,
      ]),
    session,
  );
}

const BAR_WIDTH = 24;

function bar(part: number, whole: number): string {
  return '█'.repeat(Math.max(part > 0 ? 1 : 0, Math.round((part / whole) * BAR_WIDTH)));
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((part / whole) * 100).toFixed(1)}%`;

/** Columns side by side, the first and those of words to the left. */
function table(head: Row, rows: readonly Row[], session: Session): void {
  const { yellow } = session.outStyle;
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)));
  const isWords = head.map((_, i) => i === 0 || rows.every((row) => !/^\d/.test(row[i]!)));
  const line = (row: Row): string =>
    `  ${row
      .map((cell, i) => (isWords[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()}`;
  session.print(`${yellow(line(head))}\n`);
  for (const row of rows) session.print(`${line(row)}\n`);
}
