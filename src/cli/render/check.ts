import type { InputError } from '../../errors.js';
import { type Verdict as ServerVerdict, worstVerdict } from '../../model/verdict.js';
import type { CheckReport } from '../../tools/check.js';
import type { CheckedFile } from '../../tools/report.js';
import type { Session } from '../session.js';
import { inputHint, inputMessage } from '../suggest.js';
import { printable } from './escape.js';
import { findingText, problemJson, severityOf } from './findings.js';
import type { Json } from './json.js';
import { notCheckedJson } from './not-checked.js';
import { count, counted, duration, size } from './numbers.js';

/** Everything that one run of the command has looked at. */
export interface Checked {
  readonly reports: readonly CheckReport[];
  readonly unread: readonly InputError[];
  readonly durationMs: number;
}

export interface Verdict {
  readonly errors: number;
  readonly warnings: number;
  readonly exitCode: number;
}

/** What all files together come to. */
export function verdictOf({ reports, unread }: Checked, strict: boolean): Verdict {
  let errors = 0;
  let warnings = 0;
  for (const finding of filesOf(reports).flatMap((file) => file.findings)) {
    if (severityOf(finding, strict) === 'error') errors++;
    else warnings++;
  }
  return { errors, warnings, exitCode: unread.length > 0 ? 3 : errors > 0 ? 1 : 0 };
}

const filesOf = (reports: readonly CheckReport[]): CheckedFile[] => reports.flatMap((report) => report.files);

function isDamaged(file: CheckedFile, strict: boolean): boolean {
  return file.findings.some((finding) => severityOf(finding, strict) === 'error');
}

/** What was found in each file of a source. */
export function printReport(report: CheckReport, session: Session): void {
  const { settings, outStyle: style } = session;
  for (const file of report.files) {
    const damaged = isDamaged(file, settings.strict);
    if (settings.quiet && file.findings.length === 0) continue;
    const verdict = damaged ? style.red('damaged') : style.green('intact ');
    session.print(`${verdict}  ${style.bold(printable(file.path))}  ${facts(file).join(', ')}\n`);
    for (const finding of file.findings) {
      session.print(`${indent(findingText(finding, session, { within: file.path }))}\n`);
    }
    for (const line of whatReads(file)) session.print(`  ${line}\n`);
  }
}

/** How far what still reads can be trusted. */
function whatReads({ unprovenKeys, doubtful }: CheckedFile): string[] {
  const lines: string[] = [];
  if (unprovenKeys > 0) {
    const are = unprovenKeys === 1 ? 'is' : 'are';
    lines.push(
      `${counted(unprovenKeys, 'key')} ${are} whole but not proven: no checksum vouches for the bytes inside`,
    );
  }
  if (doubtful > 0)
    lines.push(`${counted(doubtful, 'record')} more may be the content of a value: not counted`);
  return lines;
}

function facts(file: CheckedFile): string[] {
  const list: string[] = [];
  list.push(...formatFacts(file));
  if (file.keys !== null) list.push(counted(file.keys, 'key'));
  if (file.commands !== null) list.push(counted(file.commands, 'command'));
  const { bytes, validBytes, damagedBytes } = file;
  if (validBytes < bytes) list.push(`valid up to ${count(validBytes)} of ${counted(bytes, 'byte')}`);
  else list.push(size(bytes));
  if (damagedBytes > 0) list.push(`${counted(damagedBytes, 'byte')} damaged`);
  return list;
}

function formatFacts({ format, version, dialect, findings }: CheckedFile): string[] {
  const rdb = version === null ? 'RDB' : `RDB ${version} (${dialect ?? '?'})`;
  if (format === 'rdb') return [rdb];
  if (format === 'aof') return version === null ? ['AOF'] : ['AOF', `preamble ${rdb}`];
  return [findings.some((finding) => finding.code === 'set/no-manifest') ? 'no manifest' : 'manifest'];
}

/** Why a source could not be read at all. */
export function printUnread(error: InputError, session: Session): void {
  const message = inputMessage(error, session.settings.conceal !== null);
  session.complain(`rekindle: ${printable(`${error.path}: ${message}`)}`);
  const hint = inputHint(error);
  if (hint !== '') session.complain(`  try: ${printable(hint)}`);
}

/** One line for all of it. */
export function printVerdict({ reports, durationMs }: Checked, verdict: Verdict, session: Session): void {
  const files = filesOf(reports);
  if (session.settings.quiet || files.length === 0) return;
  const { outStyle: style, settings } = session;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const damaged = files.filter((file) => isDamaged(file, settings.strict)).length;
  const problems = [
    ...(verdict.errors > 0 ? [counted(verdict.errors, 'error')] : []),
    ...(verdict.warnings > 0 ? [counted(verdict.warnings, 'warning')] : []),
  ];
  const word = damaged > 0 ? style.red('damaged') : style.green('intact');
  const which = damaged > 0 && files.length > 1 ? `${count(damaged)} of ` : '';
  const found = problems.length > 0 ? `, ${problems.join(', ')}` : '';
  const work = `${size(bytes)} in ${duration(durationMs)}`;
  session.print(`${word}: ${which}${counted(files.length, 'file')}, ${work}${found}\n`);
  const words = damaged > 0 ? BY_SERVERS[byServers(files)] : '';
  if (words !== '') session.print(`${words}\n`);
}

const byServers = (files: readonly CheckedFile[]): ServerVerdict =>
  worstVerdict(files.flatMap(({ findings }) => findings.map(({ code }) => code)));

/** What becomes of it when a server with its usual settings starts on it. */
const BY_SERVERS: Readonly<Record<ServerVerdict, string>> = {
  intact: 'a server loads this as it stands',
  loss: 'a server starts on this, and leaves something out',
  refused: 'a server refuses to start on this, or crashes',
};

/** The JSON fields of cli.md, and more. */
export function checkJson(
  { reports, unread, durationMs }: Checked,
  verdict: Verdict,
  session: Session,
): Readonly<Record<string, Json>> {
  const { conceal } = session.settings;
  const files: Json[] = reports.flatMap(({ files }) =>
    files.map(({ findings, ...file }) => ({
      ...file,
      verdict: byServers([{ ...file, findings }]),
      problems: findings.map((each) => problemJson(each, session)),
    })),
  );
  for (const error of unread) {
    const { code, path, hint } = error;
    const message = inputMessage(error, conceal !== null);
    const problem = { code, severity: 'error', offset: null, line: null, message, hint };
    files.push({ ...UNREAD, path, problems: [problem] });
  }
  const notChecked = reports.flatMap((report) => report.notChecked);
  const worst = unread.length > 0 ? null : byServers(filesOf(reports));
  return {
    ok: verdict.exitCode === 0,
    verdict: worst,
    files,
    durationMs,
    notChecked: notCheckedJson(notChecked),
  };
}

const UNREAD = {
  path: '',
  format: null,
  dialect: null,
  version: null,
  bytes: null,
  validBytes: null,
  keys: null,
  commands: null,
  verdict: null,
};

const indent = (text: string): string => text.replace(/^/gm, '  ');
