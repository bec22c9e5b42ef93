import type { Finding, Severity } from '../../model/finding.js';
import type { DangerReport } from '../log/dangerous.js';
import type { LogPassEnd } from '../log/pass.js';
import type { LogStats } from '../log/stats.js';
import { listPrefixes } from '../memory/prefix-list.js';
import type { SpreadBucket } from '../memory/spread.js';
import type { KeySum } from '../memory/tally.js';
import type { LargeKey } from '../memory/top-keys.js';
import type { MemoryReport } from '../memory.js';
import type { CheckedFile, NotChecked } from '../report.js';

/** How a report words what a program only counts. */
export interface ReportWords {
  /** Bytes of the dataset, one character per byte, as text that is safe to show, or hidden. */
  readonly shown: (latin1: string) => string;
  /** A path or another text that is not of the dataset. */
  readonly printable: (text: string) => string;
  readonly finding: (finding: Finding) => { severity: Severity; message: string; hint: string };
  readonly ttl: (bucket: SpreadBucket) => string;
  readonly time: (bucket: SpreadBucket) => string;
  readonly freq: (bucket: SpreadBucket) => string;
  readonly size: (bucket: SpreadBucket) => string;
}

/** What the script of the page reads. Rows of long tables are lists, in the order the script knows. */
export interface PageData {
  readonly source: string;
  readonly version: string;
  readonly generatedAtMs: number;
  readonly nowMs: number;
  readonly redacted: boolean;
  readonly files: readonly Readonly<Record<string, string | number | null>>[];
  readonly findings: readonly Readonly<Record<string, string | number | null>>[];
  readonly notChecked: readonly Readonly<Record<string, string>>[];
  /** Why there is no part on memory; null when there is. */
  readonly failure: string | null;
  readonly memory: MemoryData | null;
  readonly log: LogData | null;
}

type Cells = readonly (string | number | null)[];

interface MemoryData {
  readonly total: SumData;
  readonly tableBytes: number;
  readonly usedBytes: number | null;
  readonly server: string | null;
  readonly savedAtMs: number | null;
  readonly types: readonly (SumData & {
    type: string;
    encodings: readonly (SumData & { encoding: string })[];
  })[];
  readonly databases: readonly (SumData & { db: number })[];
  readonly prefixes: readonly Cells[];
  readonly prefixesDropped: number;
  readonly keys: readonly Cells[];
  readonly ttl: readonly Cells[];
  readonly sizes: readonly Cells[];
  readonly idle: readonly Cells[] | null;
  readonly freq: readonly Cells[] | null;
  readonly slots: readonly Cells[] | null;
}

interface SumData {
  readonly keys: number;
  readonly memoryBytes: number;
  readonly fileBytes: number | null;
  readonly elements: number;
  readonly withExpiry: number;
}

interface LogData {
  readonly commands: number;
  readonly bytes: number;
  readonly firstTimeMs: number | null;
  readonly lastTimeMs: number | null;
  readonly names: readonly Cells[];
  readonly rate: LogStats['rate'];
  readonly scriptsRun: number;
  readonly dangers: readonly Readonly<Record<string, string | number | null>>[];
}

const PREFIXES_MAX = 3000;
const SLOTS_MAX = 500;
const NAMES_MAX = 300;

export function filesData(
  files: readonly CheckedFile[],
  words: ReportWords,
): Pick<PageData, 'files' | 'findings'> {
  return {
    files: files.map((file) => ({
      path: words.printable(file.path),
      format: formatOf(file),
      bytes: file.bytes,
      keys: file.keys,
      commands: file.commands,
      verdict: file.findings.some((each) => words.finding(each).severity === 'error') ? 'damaged' : 'intact',
    })),
    findings: files
      .flatMap((file) => file.findings)
      .map((finding) => ({
        code: finding.code,
        ...words.finding(finding),
        file: words.printable(finding.where.file),
        offset: finding.where.offset,
        key: finding.where.key === undefined ? null : words.shown(finding.where.key),
      })),
  };
}

function formatOf({ format, version, dialect }: CheckedFile): string {
  const rdb = version === null ? 'RDB' : `RDB ${version} (${dialect ?? '?'})`;
  if (format === 'rdb') return rdb;
  return format === 'aof' && version !== null ? `AOF, preamble ${rdb}` : format === 'aof' ? 'AOF' : format;
}

export const notCheckedData = (list: readonly NotChecked[], words: ReportWords): PageData['notChecked'] =>
  list
    .filter(({ routine }) => !routine)
    .map(({ path, what, why }) => ({
      path: words.printable(path),
      what: words.printable(what),
      why: words.printable(why),
    }));

export function memoryData(report: MemoryReport, words: ReportWords): MemoryData {
  const { hasFileBytes, server } = report;
  const sum = ({ keys, memoryBytes, fileBytes, elements, withExpiry }: KeySum): SumData => ({
    keys,
    memoryBytes,
    fileBytes: hasFileBytes ? fileBytes : null,
    elements,
    withExpiry,
  });
  const spread = (list: readonly SpreadBucket[], name: (bucket: SpreadBucket) => string): Cells[] =>
    list.filter(({ keys }) => keys > 0).map((each) => [name(each), each.keys, each.memoryBytes]);
  const never = report.total.keys - report.total.withExpiry;
  const expiring = report.ttl.reduce((bytes, each) => bytes + each.memoryBytes, 0);
  return {
    total: sum(report.total),
    tableBytes: report.tableBytes,
    usedBytes: report.usedBytes,
    server: server === null ? null : words.printable(`${server.product} ${server.version}`),
    savedAtMs: report.savedAtMs,
    types: report.kinds.map((each) => ({
      type: each.kind,
      ...sum(each),
      encodings: each.encodings.map((one) => ({ encoding: one.encoding, ...sum(one) })),
    })),
    databases: report.databases.map((each) => ({ db: each.database, ...sum(each) })),
    prefixes: listPrefixes(report.prefixes, PREFIXES_MAX).map(({ node, depth }) => [
      words.shown(node.pattern),
      depth,
      node.keys,
      node.memoryBytes,
      node.fileBytes,
      node.withExpiry,
    ]),
    prefixesDropped: report.prefixesDropped,
    keys: keysOf(report).map((each) => keyCells(each, words)),
    ttl: [
      ...(never > 0 ? [['none', never, report.total.memoryBytes - expiring]] : []),
      ...spread(report.ttl, words.ttl),
    ],
    sizes: spread(report.sizes, words.size),
    idle: report.idle === null ? null : spread(report.idle, words.time),
    freq: report.freq === null ? null : spread(report.freq, words.freq),
    slots: report.slots === null ? null : slotCells(report.slots),
  };
}

/** The largest keys by bytes, and those of most elements that are not among them. */
function keysOf({ biggest, longest }: MemoryReport): readonly LargeKey[] {
  const name = ({ database, key, keyBytes }: LargeKey): string => `${database} ${keyBytes} ${key}`;
  const known = new Set(biggest.map(name));
  return [...biggest, ...longest.filter((each) => !known.has(name(each)))];
}

function keyCells(each: LargeKey, { shown }: ReportWords): Cells {
  const cut = each.keyBytes > each.key.length ? `…(${each.keyBytes} bytes)` : '';
  return [
    each.database,
    `${shown(each.key)}${cut}`,
    each.kind,
    each.encoding,
    each.memoryBytes,
    each.fileBytes,
    each.elements,
    each.expiresAtMs,
    each.idleSeconds,
    each.freq,
  ];
}

function slotCells({ keys, memoryBytes }: NonNullable<MemoryReport['slots']>): Cells[] {
  return [...keys.keys()]
    .filter((slot) => keys[slot]! > 0)
    .sort((a, b) => memoryBytes[b]! - memoryBytes[a]!)
    .slice(0, SLOTS_MAX)
    .map((slot) => [slot, keys[slot]!, memoryBytes[slot]!]);
}

export function logData(stats: LogStats, dangers: DangerReport, words: ReportWords): LogData {
  const { end, rate } = stats;
  const isTimed = end.firstTimeMs >= 0;
  return {
    commands: stats.commands,
    bytes: stats.bytes,
    firstTimeMs: isTimed ? end.firstTimeMs : null,
    lastTimeMs: isTimed ? end.stoppedAt.timeMs : null,
    names: stats.names
      .slice(0, NAMES_MAX)
      .map(({ name, commands, bytes }) => [words.printable(name), commands, bytes]),
    rate,
    scriptsRun: dangers.scriptsRun,
    dangers: dangers.dangers.map((danger) => ({
      kind: danger.kind,
      x: placeOf(danger, rate, end),
      timeMs: danger.timeMs,
      db: danger.database,
      text: [
        ...danger.words.map(({ text, bytes }) => `${words.shown(text)}${bytes > text.length ? '…' : ''}`),
        ...(danger.argc > danger.words.length ? ['…'] : []),
      ].join(' '),
      keys: danger.keys,
      number: danger.number,
      before: danger.before.command,
      file: words.printable(danger.file.name),
      offset: danger.offset,
    })),
  };
}

/** Where on the timeline a command stands, in its unit; null when that is not known. */
function placeOf(
  { timeMs, file, offset }: DangerReport['dangers'][number],
  rate: LogStats['rate'],
  { files }: LogPassEnd,
): number | null {
  if (rate.by === 'time') return timeMs === null ? null : timeMs / 1000 - rate.start!;
  let before = 0;
  for (const each of files) {
    if (each.entry === file) return before + Math.max(0, offset - each.preambleBytes);
    before += each.bytes - each.preambleBytes;
  }
  return null;
}
