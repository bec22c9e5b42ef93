import type { Finding, Severity } from '../../model/finding.js';
import type { LogEntry, LogRecord } from '../../tools/log/list.js';
import type { LogPassEnd } from '../../tools/log/pass.js';
import type { Session } from '../session.js';
import { printable, quotedBytes } from './escape.js';
import { findingText, problemJson, severityOf } from './findings.js';
import { type Json, jsonBytes, jsonLine, SCHEMA_VERSION } from './json.js';
import { notCheckedJson, noteNotChecked } from './not-checked.js';
import { count, counted, size } from './numbers.js';

/** How much of a command is shown to people. */
export interface Shortening {
  /** Bytes of one argument, and arguments; Infinity: all. */
  readonly bytes: number;
  readonly args: number;
}

export const SHORT: Shortening = { bytes: 48, args: 12 };
export const FULL: Shortening = { bytes: Number.POSITIVE_INFINITY, args: Number.POSITIVE_INFINITY };

/** Prints entries of a log as people read them: one line a command, under a line for its file. */
export class LogPrinter {
  private offsetWidth = 1;
  private numberWidth = 6;

  constructor(
    private readonly session: Session,
    private readonly shortening: Shortening,
  ) {}

  /** One entry as the lines it takes, '' when it is told elsewhere. */
  text(entry: LogEntry): string {
    const { outStyle: style, settings } = this.session;
    switch (entry.kind) {
      case 'command':
        return this.row(entry);
      case 'file':
        this.offsetWidth = Math.max(4, String(entry.file.size ?? 0).length);
        return `${style.bold(printable(entry.file.name))}\n`;
      case 'caught-up':
        return '';
      case 'preamble':
        return `${' '.repeat(this.offsetWidth)}  an RDB of ${size(entry.bytes)}, passed over: its keys are no commands\n`;
      case 'finding': {
        const { finding } = entry;
        const severity = severityInLog(finding, settings.strict);
        return `${findingText(finding, this.session, { within: finding.where.file, severity })}\n`;
      }
    }
  }

  private row(record: LogRecord): string {
    const { outStyle: style } = this.session;
    const { offset, number, timeMs, database, transaction } = record;
    const at = String(offset).padStart(this.offsetWidth);
    const nth = `#${number}`;
    this.numberWidth = Math.max(this.numberWidth, nth.length);
    const time = timeMs === null ? '-'.padEnd(TIME_WIDTH) : timeText(timeMs);
    const mark = transaction === null ? ' ' : style.yellow('|');
    const db = `db${database}`.padEnd(4);
    return `${at}  ${nth.padEnd(this.numberWidth)}  ${time}  ${db} ${mark} ${commandText(record, this.shortening, this.session)}\n`;
  }
}

const TIME_WIDTH = 19;

/** Seconds alone: annotations have no finer ones. */
function timeText(ms: number): string {
  if (!(Math.abs(ms) <= 8.64e15)) return String(ms).padEnd(TIME_WIDTH);
  return new Date(ms).toISOString().slice(0, TIME_WIDTH).replace('T', ' ');
}

/** A command as redis-cli takes it, shortened. */
export function commandText(
  { args, argc }: Pick<LogRecord, 'args' | 'argc'>,
  shortening: Shortening,
  session: Session,
): string {
  const shown = args
    .slice(0, shortening.args)
    .map((arg, i) => argumentText(arg, i === 0, shortening, session));
  if (shown.length > 0) shown[0] = session.outStyle.bold(shown[0]!);
  const more = argc - shown.length;
  if (more > 0) shown.push(`… ${counted(more, 'more argument')}`);
  return shown.join(' ');
}

function argumentText(arg: Buffer, isName: boolean, shortening: Shortening, session: Session): string {
  const { conceal } = session.settings;
  if (conceal !== null && !isName) return conceal(arg.latin1Slice());
  if (arg.length <= shortening.bytes) return quotedBytes(arg.latin1Slice());
  return `${quotedBytes(wholeCharacters(arg, shortening.bytes))}…(${size(arg.length)})`;
}

/** The first bytes, no character of UTF-8 cut in two. */
function wholeCharacters(arg: Buffer, bytes: number): string {
  let end = bytes;
  while (end > bytes - 4 && (arg[end]! & 0xc0) === 0x80) end--;
  return arg.latin1Slice(0, end);
}

/** One command as a line of JSON: the fields of cli.md, and more. */
export function commandJson(record: LogRecord, session: Session): string {
  const { file, offset, length, number, timeMs, database, transaction, args, argc } = record;
  const { conceal } = session.settings;
  return jsonLine({
    file,
    offset,
    bytes: length,
    command: number,
    time: timeMs === null ? null : timeMs / 1000,
    db: database,
    transaction,
    args: args.map((arg, i) => {
      const text = arg.latin1Slice();
      return i === 0 || conceal === null ? jsonBytes(text) : conceal(text);
    }),
    ...(argc === args.length ? {} : { argumentsLeftOut: argc - args.length }),
  });
}

/** What a listing in JSON ends with. */
export function logSummaryJson(end: LogPassEnd, session: Session): string {
  return jsonLine({ summary: { schemaVersion: SCHEMA_VERSION, ...endJson(end, session) } });
}

/** What every form of the log tells of the pass that was made. */
export function endJson(end: LogPassEnd, session: Session): Readonly<Record<string, Json>> {
  const { files, commands, told, stoppedAt, annotations, firstTimeMs, findings, notChecked } = end;
  const { strict } = session.settings;
  const seconds = (ms: number) => (ms < 0 ? null : ms / 1000);
  return {
    commands,
    listed: told,
    annotations,
    firstTime: seconds(firstTimeMs),
    lastTime: seconds(stoppedAt.timeMs),
    files: files.map(({ entry, preambleBytes, commands: inFile, bytes }) => ({
      file: entry.name,
      bytes,
      preambleBytes,
      commands: inFile,
    })),
    stoppedAt: {
      file: stoppedAt.file?.name ?? null,
      offset: stoppedAt.offset,
      command: stoppedAt.command,
      time: seconds(stoppedAt.timeMs),
      reason: stoppedAt.reason,
    },
    openTransaction: stoppedAt.openTransaction === 0 ? null : stoppedAt.openTransaction,
    problems: findings.map((finding) => ({
      file: finding.where.file,
      ...problemJson(finding, session, { severity: severityInLog(finding, strict) }),
    })),
    notChecked: notCheckedJson(notChecked),
  };
}

/** A torn end keeps neither a server nor replay from reading the log, and is worth no more than a warning here. */
export function severityInLog(finding: Finding, strict: boolean): Severity {
  const isTail = finding.code === 'aof/torn-tail' || finding.code === 'aof/open-transaction';
  return isTail && !strict ? 'warning' : severityOf(finding, strict);
}

/** What must be known about what was read, on standard error; `told`: findings stand in their places already. */
export function noteLog(end: LogPassEnd, told: boolean, session: Session): void {
  const { stoppedAt, commands, findings, notChecked } = end;
  if (end.told < commands) session.note(`${count(end.told)} of ${counted(commands, 'command')}`);
  else session.note(counted(commands, 'command'));
  if (stoppedAt.reason !== 'end' && stoppedAt.openTransaction > 0) {
    session.warn(
      `this ends inside the transaction of command ${count(stoppedAt.openTransaction)}: replay leaves all of it out`,
    );
  }
  if (!told) for (const finding of findings) session.complain(findingLine(finding, session));
  noteNotChecked(notChecked, session);
}

function findingLine(finding: Finding, session: Session): string {
  const severity = severityInLog(finding, session.settings.strict);
  return findingText(finding, session, { style: session.errStyle, within: '', severity });
}
