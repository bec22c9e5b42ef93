import type { Finding } from '../../model/finding.js';
import { ProducerAux } from '../../tools/family.js';
import type { FileInfo, InfoReport } from '../../tools/info.js';
import type { AuxField, DatabaseCount, Inventory, KindCount } from '../../tools/inventory.js';
import type { LogSurvey } from '../../tools/log-survey.js';
import type { Session } from '../session.js';
import { printable, quotedBytes } from './escape.js';
import { findingText, problemJson } from './findings.js';
import { type Json, jsonBytes } from './json.js';
import { moduleJson, moduleText } from './modules.js';
import { notCheckedJson } from './not-checked.js';
import { count, counted, duration, instant, size } from './numbers.js';

const ROLES: Readonly<Record<FileInfo['role'], string>> = {
  rdb: '',
  single: '',
  base: ' (base)',
  incr: ' (increment)',
  history: ' (history)',
};

/** Commands and encodings that are named one by one. */
const NAMED = 8;

/** A report, as people read it. */
export function printInfo(report: InfoReport, first: boolean, session: Session): void {
  if (!first) session.print('\n');
  report.files.forEach((file, i) => {
    if (i > 0) session.print('\n');
    printFile(file, session);
  });
  for (const { path, bytes, kind } of report.unused) {
    session.print(`\n${session.outStyle.bold(printable(path))}\n  not loaded (${kind}), ${size(bytes)}\n`);
  }
  for (const finding of report.findings) printFinding(finding, '', session);
  if (report.keys === null && report.files.length > 0) session.print(`\n${setText(report)}\n`);
}

function setText({ files }: InfoReport): string {
  const commands = files.reduce((sum, file) => sum + (file.log?.commands ?? 0), 0);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const log = `log of ${counted(files.length, 'file')}, ${counted(commands, 'command')}, ${size(bytes)}`;
  return `${log}; its keys are known once it is executed: rekindle digest`;
}

function printFinding(finding: Finding, within: string, session: Session): void {
  const text = findingText(finding, session, { within });
  session.print(`${within === '' ? text : text.replace(/^/gm, '  ')}\n`);
}

function printFile(file: FileInfo, session: Session): void {
  const { rdb, log } = file;
  session.print(`${session.outStyle.bold(printable(file.path))}${ROLES[file.role]}\n`);
  const row = (name: string, text: string) => session.print(`  ${name.padEnd(10)} ${text}\n`);
  if (rdb !== null) printRdb(rdb, log === null || log.commands === 0 ? file.bytes : null, row, session);
  if (log !== null && (rdb === null || log.commands > 0)) printLog(log, file.bytes, row);
  if (file.finding !== null) printFinding(file.finding, file.path, session);
}

type Row = (name: string, text: string) => void;

function printRdb(rdb: Inventory, bytes: number | null, row: Row, session: Session): void {
  const { producer, savedAtMs } = producerOf(rdb);
  const dialect = dialectOf(rdb);
  const by = producer === null ? '' : `, written by ${printable(producer)}`;
  row(
    'format',
    `RDB version ${rdb.rdbHeader?.version ?? '?'} (${dialect})${by}${bytes === null ? '' : `, ${size(bytes)}`}`,
  );
  if (isUnproven(rdb)) row('', 'read by its description alone: no file of such a server has been seen yet');
  if (savedAtMs !== null) row('saved', `${instant(savedAtMs)}${age(savedAtMs, session.settings.nowMs)}`);
  const aux = rdb.auxFields.filter(({ name }) => !SHOWN_AUX.has(name));
  if (aux.length > 0) row('aux', aux.map((field) => auxText(field, rdb.auxCounts)).join(', '));
  if (rdb.slotImports > 0) {
    row('imports', `${counted(rdb.slotImports, 'slot migration')} under way: their keys may be here in part`);
  }
  if (rdb.functions > 0) row('functions', counted(rdb.functions, 'library', 'libraries'));
  [...rdb.modules.values()].forEach((each, i) => {
    row(i === 0 ? 'modules' : '', moduleText(each));
  });
  row('keys', countText(rdb.total));
  for (const [index, database] of [...rdb.databases].sort(([a], [b]) => a - b)) {
    row(`  db ${index}`, countText(database));
  }
  for (const [kind, kindCount] of [...rdb.kinds].sort(([, a], [, b]) => b.keys - a.keys)) {
    row(`  ${kind}`, `${count(kindCount.keys)} (${encodingsText(kindCount)})`);
  }
}

/** Told by other lines. */
const SHOWN_AUX = new Set(['redis-ver', 'valkey-ver', 'ctime']);
const AUX_LENGTH_MAX = 60;

function auxText({ name, value }: AuxField, counts: ReadonlyMap<string, number>): string {
  const times = counts.get(name) ?? 1;
  return `${quotedBytes(name)} ${auxValue(value)}${times > 1 ? ` and ${count(times - 1)} more` : ''}`;
}

function auxValue(value: string): string {
  return quotedBytes(value.length > AUX_LENGTH_MAX ? `${value.slice(0, AUX_LENGTH_MAX)}…` : value);
}

function countText({ keys, withExpiry, expired }: DatabaseCount): string {
  const ttl = withExpiry === 0 ? '' : `, ${count(withExpiry)} with TTL`;
  return `${count(keys)}${ttl}${expired === 0 ? '' : `, ${count(expired)} past it`}`;
}

const encodingsText = ({ encodings }: KindCount): string => named(encodings);

/** The most frequent first: `SET 500, DEL 20, 3 others 7`. */
function named(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const rest = sorted.slice(NAMED);
  const others = rest.reduce((sum, [, n]) => sum + n, 0);
  return [
    ...sorted.slice(0, NAMED).map(([name, n]) => `${quotedBytes(name)} ${count(n)}`),
    ...(rest.length === 0 ? [] : [`${count(rest.length)} others ${count(others)}`]),
  ].join(', ');
}

function printLog(log: LogSurvey, bytes: number, row: Row): void {
  const { commands, transactions, firstSeconds, lastSeconds } = log;
  row('format', `AOF, ${size(bytes)}`);
  const inside = transactions === 0 ? '' : `, ${counted(transactions, 'transaction')}`;
  row('commands', `${count(commands)}${inside}`);
  if (commands > 0) row('', named(log.byName));
  if (firstSeconds === null || lastSeconds === null) return;
  const span = duration((lastSeconds - firstSeconds) * 1000);
  row('times', `${instant(firstSeconds * 1000)} to ${instant(lastSeconds * 1000)} (${span})`);
}

function age(ms: number, nowMs: number): string {
  return nowMs > ms ? `, ${duration(nowMs - ms)} ago` : '';
}

function producerOf(rdb: Inventory): { producer: string | null; savedAtMs: number | null } {
  const aux = new ProducerAux();
  for (const { name, value } of rdb.auxFields) aux.take(name, value);
  const { server, savedAtMs } = aux;
  return { producer: server === null ? null : `${server.product} ${server.version}`, savedAtMs };
}

function isUnproven(rdb: Inventory): boolean {
  return (rdb.summary?.dialect ?? rdb.rdbHeader?.dialect)?.proven === false;
}

function dialectOf(rdb: Inventory): string {
  return (rdb.summary?.dialect ?? rdb.rdbHeader?.dialect)?.name ?? '?';
}

/** The JSON fields of cli.md, and more. */
export function infoJson(reports: readonly InfoReport[], session: Session): Readonly<Record<string, Json>> {
  const files = reports.flatMap((report) => report.files);
  const keys = reports.some((report) => report.keys === null)
    ? null
    : reports.reduce((sum, report) => sum + (report.keys ?? 0), 0);
  const times = files.flatMap(timesOf);
  const problems = reports.flatMap((report) => report.findings);
  return {
    files: files.map((file) => fileJson(file, session)),
    keys,
    types: typesJson(files),
    firstTime: times.length === 0 ? null : Math.min(...times),
    lastTime: times.length === 0 ? null : Math.max(...times),
    unused: reports
      .flatMap((report) => report.unused)
      .map(({ path, bytes, kind }) => ({ path, bytes, kind })),
    problems: problems.map((each) => ({
      file: each.where.file,
      ...problemJson(each, session),
    })),
    notChecked: notCheckedJson(reports.flatMap((report) => report.notChecked)),
  };
}

/** Unix seconds. */
function timesOf({ rdb, log }: FileInfo): number[] {
  const savedAtMs = rdb === null ? null : producerOf(rdb).savedAtMs;
  const times = [savedAtMs === null ? null : savedAtMs / 1000, log?.firstSeconds, log?.lastSeconds];
  return times.filter((time): time is number => typeof time === 'number');
}

function typesJson(files: readonly FileInfo[]): Json {
  const types: Record<string, number> = {};
  for (const { rdb } of files) {
    for (const [kind, { keys }] of rdb?.kinds ?? []) types[kind] = (types[kind] ?? 0) + keys;
  }
  return types;
}

function fileJson(file: FileInfo, session: Session): Json {
  const { rdb, log, finding } = file;
  const isLog = log !== null && (rdb === null || log.commands > 0);
  return {
    path: file.path,
    role: file.role,
    format: isLog ? 'aof' : 'rdb',
    bytes: file.bytes,
    ...(rdb === null ? {} : rdbJson(rdb)),
    ...(log === null
      ? {}
      : {
          commands: log.commands,
          transactions: log.transactions,
          byCommand: Object.fromEntries(log.byName),
          firstTime: log.firstSeconds,
          lastTime: log.lastSeconds,
        }),
    problems: finding === null ? [] : [problemJson(finding, session)],
  };
}

function rdbJson(rdb: Inventory): Readonly<Record<string, Json>> {
  const { producer, savedAtMs } = producerOf(rdb);
  const { total, databases, kinds } = rdb;
  return {
    dialect: dialectOf(rdb),
    proven: !isUnproven(rdb),
    version: rdb.rdbHeader?.version ?? null,
    producer,
    savedAt: savedAtMs === null ? null : savedAtMs / 1000,
    aux: auxJson(rdb),
    keys: total.keys,
    expires: total.withExpiry,
    expired: total.expired,
    databases: [...databases].map(([db, each]) => ({
      db,
      keys: each.keys,
      expires: each.withExpiry,
      expired: each.expired,
    })),
    types: Object.fromEntries(
      [...kinds].map(([kind, { keys, encodings }]) => [
        kind,
        { keys, encodings: Object.fromEntries(encodings) },
      ]),
    ),
    functions: rdb.functions,
    moduleAux: rdb.moduleAuxRecords,
    modules: [...rdb.modules.values()].map(moduleJson),
  };
}

/** By name; a name that comes again (cached scripts do) has a list. */
function auxJson(rdb: Inventory): Json {
  const fields: Record<string, Json> = {};
  for (const { name, value } of rdb.auxFields) {
    const before = fields[name];
    const next = jsonBytes(value);
    if (before === undefined) fields[name] = next;
    else fields[name] = Array.isArray(before) ? [...before, next] : [before, next];
  }
  return fields;
}
