import { InputError } from '../../errors.js';
import { type CheckReport, check as checkSource } from '../../tools/check.js';
import type { CheckedFile } from '../../tools/report.js';
import { openSource } from '../../tools/source.js';
import type { CommandDefinition } from '../catalog.js';
import { printable } from '../render/escape.js';
import { findingText, problemJson, severityOf } from '../render/findings.js';
import type { Json } from '../render/json.js';
import { noteNotChecked } from '../render/not-checked.js';
import { count, counted, duration, size } from '../render/numbers.js';
import type { Session } from '../session.js';
import { preferOption, type SourceFlags, sourceOptionsOf } from '../source-flags.js';

interface CheckFlags extends SourceFlags {
  readonly quick?: boolean;
}

export const check: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE…')
      .argument('<source...>', 'files, directories, or - for standard input')
      .option('--quick', 'structure and checksum alone: packed values are not opened');
    preferOption(command)
      .addHelpText('after', HELP)
      .action((sources: string[], flags: CheckFlags) => launch((session) => run(sources, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle check /var/lib/redis              the dataset of a data directory
  rekindle check dump.rdb --quick            structure and checksum only
  rekindle check backups/*.rdb --json        many files, one report
  zcat dump.rdb.gz | rekindle check -        standard input

Exit codes: 0 intact, 1 damaged, 3 a source can't be read.`;

async function run(paths: readonly string[], flags: CheckFlags, session: Session): Promise<number> {
  const options = { quick: flags.quick === true, dialect: session.settings.dialect };
  const startedAt = session.io.now();
  const reports: CheckReport[] = [];
  const failures: InputError[] = [];
  for (const path of paths) {
    try {
      const source = await openSource(path, sourceOptionsOf(flags, session));
      if (source.choice !== '') session.note(printable(source.choice));
      const report = await checkSource(source, options, session.context);
      reports.push(report);
      if (!session.settings.json) printReport(report, session);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failures.push(error);
      if (!session.settings.json) printFailure(error, session);
    }
  }
  const durationMs = session.io.now() - startedAt;
  const verdict = verdictOf(reports, failures, session.settings.strict);
  if (session.settings.json) session.report(json(reports, failures, durationMs, session));
  else {
    printVerdict(reports, verdict, durationMs, session);
    noteNotChecked(
      reports.flatMap((report) => report.notChecked),
      session,
    );
  }
  return verdict.exitCode;
}

interface Verdict {
  readonly errors: number;
  readonly warnings: number;
  readonly exitCode: number;
}

function verdictOf(
  reports: readonly CheckReport[],
  failures: readonly InputError[],
  strict: boolean,
): Verdict {
  let errors = 0;
  let warnings = 0;
  for (const finding of reports.flatMap((report) => report.files).flatMap((file) => file.findings)) {
    if (severityOf(finding, strict) === 'error') errors++;
    else warnings++;
  }
  return { errors, warnings, exitCode: failures.length > 0 ? 3 : errors > 0 ? 1 : 0 };
}

function printReport(report: CheckReport, session: Session): void {
  const { settings, outStyle: style } = session;
  for (const file of report.files) {
    const damaged = file.findings.some((finding) => severityOf(finding, settings.strict) === 'error');
    if (settings.quiet && file.findings.length === 0) continue;
    const verdict = damaged ? style.red('damaged') : style.green('intact ');
    session.print(`${verdict}  ${style.bold(printable(file.path))}  ${facts(file).join(', ')}\n`);
    for (const finding of file.findings) {
      session.print(`${indent(findingText(finding, style, settings.conceal, settings.strict))}\n`);
    }
  }
}

function facts(file: CheckedFile): string[] {
  const list: string[] = [];
  if (file.format === 'rdb')
    list.push(`RDB ${file.version ?? '?'}${file.dialect === null ? '' : ` (${file.dialect})`}`);
  else list.push(file.format === 'aof' ? 'AOF' : 'manifest');
  if (file.format === 'aof' && file.version !== null)
    list.push(`preamble RDB ${file.version} (${file.dialect ?? '?'})`);
  if (file.keys !== null) list.push(counted(file.keys, 'key'));
  if (file.commands !== null) list.push(counted(file.commands, 'command'));
  const { bytes, validBytes } = file;
  if (validBytes < bytes) list.push(`${count(validBytes)} of ${counted(bytes, 'byte')} valid`);
  else list.push(size(bytes));
  return list;
}

function printFailure(error: InputError, session: Session): void {
  session.complain(`rekindle: ${printable(`${error.path}: ${error.message}`)}`);
  if (error.hint !== '') session.complain(`  try: ${printable(error.hint)}`);
}

function printVerdict(
  reports: readonly CheckReport[],
  verdict: Verdict,
  durationMs: number,
  session: Session,
): void {
  const files = reports.flatMap((report) => report.files);
  if (session.settings.quiet || files.length === 0) return;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const { outStyle: style } = session;
  const problems = [
    ...(verdict.errors > 0 ? [counted(verdict.errors, 'error')] : []),
    ...(verdict.warnings > 0 ? [counted(verdict.warnings, 'warning')] : []),
  ];
  const word = verdict.errors > 0 ? style.red('damaged') : style.green('intact');
  const found = problems.length > 0 ? `, ${problems.join(', ')}` : '';
  session.print(
    `${word}: ${counted(files.length, 'file')}, ${size(bytes)} in ${duration(durationMs)}${found}\n`,
  );
}

function json(
  reports: readonly CheckReport[],
  failures: readonly InputError[],
  durationMs: number,
  session: Session,
): Record<string, Json> {
  const { conceal, strict } = session.settings;
  const files: Json[] = reports
    .flatMap((report) => report.files)
    .map(({ findings, ...file }) => ({
      ...file,
      problems: findings.map((finding) => problemJson(finding, conceal, strict)),
    }));
  for (const { code, path, message, hint } of failures) {
    const problem = { code, severity: 'error', offset: null, line: null, message, hint };
    files.push({ ...UNREAD, path, problems: [problem] });
  }
  const ok = verdictOf(reports, failures, strict).exitCode === 0;
  return {
    ok,
    files,
    durationMs,
    notChecked: reports
      .flatMap((report) => report.notChecked)
      .map(({ path, what, why }) => ({ path, what, why })),
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
};

const indent = (text: string): string => text.replace(/^/gm, '  ');
