import type { StopReason } from '../../aof/cut.js';
import type { PassedOver } from '../../tools/rebuild.js';
import type { ReplayOptions, ReplayOutput, ReplayReport } from '../../tools/replay.js';
import { logDirectoryOf } from '../../tools/write-dataset.js';
import type { Session } from '../session.js';
import { printable, quotedBytes } from './escape.js';
import { problemJson } from './findings.js';
import { type Json, jsonBytes } from './json.js';
import { noteLogFindings } from './log-findings.js';
import { LOSS_WORDS } from './losses.js';
import { notCheckedJson, noteNotChecked } from './not-checked.js';
import { count, counted, instant, offset, size } from './numbers.js';

const REASONS: Readonly<Record<StopReason, string>> = {
  end: 'nothing was left',
  offset: 'the offset asked for',
  time: 'the next annotation is later',
  command: 'the number of commands asked for',
  pattern: 'the next command matches --before',
  'torn-tail': 'what follows is not complete',
};

const UNMATCHED = 'no command matches --before: this is everything up to the end of the log';

/** The result, as people read it. */
export function printReplay(report: ReplayReport, options: ReplayOptions, session: Session): void {
  const { stoppedAt, digest, output } = report;
  const { outStyle: style } = session;
  const row = (name: string, text: string) => session.print(`${style.bold(name.padEnd(9))} ${text}\n`);
  const { file, command, reason, timeMs } = stoppedAt;
  const where =
    file === null ? 'an empty log' : `${printable(file.name)} at offset ${offset(stoppedAt.offset)}`;
  const time = timeMs < 0 ? '' : `, ${instant(timeMs)}`;
  row('stopped', `${where}, command ${count(command)}${time}: ${REASONS[reason]}`);
  row('applied', counted(report.applied, 'command'));
  if (report.skipped.length > 0) row('skipped', style.yellow(counted(report.skipped.length, 'command')));
  row('keys', `${count(report.keys)} in ${counted(report.databases, 'database')}`);
  if (options.expectDigest !== null) row('expected', options.expectDigest);
  const verdict =
    options.expectDigest === null
      ? ''
      : report.asExpected
        ? style.green('  equal')
        : style.red('  different');
  if (digest !== null) row('digest', `${digest.digest}${verdict}`);
  if (output?.published === true) row('output', outputText(output));
  else if (options.output !== null) row('output', style.red(refusal(report)));
}

function outputText(output: ReplayOutput): string {
  const what = output.form === 'rdb' ? 'RDB' : output.form === 'aof' ? 'AOF' : 'append-only directory';
  return `${printable(output.path)}: ${what} for ${output.target}, ${size(output.bytes)}`;
}

function refusal({ output, asExpected }: ReplayReport): string {
  if (output !== null) return 'nothing was written: --strict allows no loss';
  return `nothing was written: ${asExpected ? 'no command matches --before' : 'the digest is another'}`;
}

/** What must be known about the result, on standard error. */
export function noteReplay(report: ReplayReport, session: Session): void {
  const { digest, output, skipped, refused } = report;
  if (digest !== null) {
    session.note(`digest in the form of ${printable(digest.chosen.name)} (${digest.chosen.because})`);
  }
  if (!report.matched) {
    session.warn(UNMATCHED);
    session.note(
      '  try: leave --before out if that is what you want; names match in any case, arguments as globs',
    );
  }
  for (const caution of report.cautions) session.warn(caution);
  noteLogFindings(report.findings, session);
  if (skipped.length > 0) {
    session.warn(
      `${counted(skipped.length, 'command')} unknown to the engine were left out; the dataset lacks what they did`,
    );
  }
  for (const each of skipped.slice(0, 10)) session.note(`  ${passedOverText(each)}`);
  if (skipped.length > 10) session.note(`  and ${count(skipped.length - 10)} more (--json lists all)`);
  if (report.refusedCount > 0) {
    session.detail(
      `${counted(report.refusedCount, 'command')} failed, as they do when a server loads this log`,
    );
    for (const each of refused) session.detail(`  ${passedOverText(each)}`);
  }
  noteLosses(output, session);
  noteNotChecked(digest?.notChecked ?? [], session);
  if (output?.published === true) noteOutput(output, session);
}

function passedOverText({ file, offset: at, command, reason }: PassedOver): string {
  return `${printable(file)} at offset ${offset(at)}: ${quotedBytes(command)}: ${printable(reason)}`;
}

function noteLosses(output: ReplayOutput | null, session: Session): void {
  if (output === null || output.lostCount === 0) return;
  session.warn(`${output.target} has no place for ${counted(output.lostCount, 'thing')}:`);
  for (const { database, key, what } of output.lost.slice(0, 10)) {
    const of = key === null ? '' : `${session.shown(key)} in database ${database ?? 0}: `;
    session.note(`  ${of}${LOSS_WORDS[what]}`);
  }
  if (output.lostCount > 10) session.note(`  and ${count(output.lostCount - 10)} more (--json lists them)`);
}

function noteOutput(output: ReplayOutput, session: Session): void {
  if (output.backupPath !== null) session.note(`what stood there is now ${printable(output.backupPath)}`);
  if (output.form !== 'aofdir') return;
  const inside = logDirectoryOf(output.path);
  session.note(
    inside === output.path
      ? 'start a server on it with --appendonly yes in the directory above'
      : `start a server on it: redis-server --dir ${printable(output.path)} --appendonly yes`,
  );
}

/** The JSON fields of cli.md, and more. */
export function replayJson(
  report: ReplayReport,
  options: ReplayOptions,
  session: Session,
): Readonly<Record<string, Json>> {
  const { stoppedAt, digest, output } = report;
  const { conceal, strict } = session.settings;
  const { file, timeMs, reason, command } = stoppedAt;
  return {
    stoppedAt: {
      file: file?.name ?? null,
      offset: stoppedAt.offset,
      command,
      time: timeMs < 0 ? null : timeMs / 1000,
      reason,
    },
    applied: report.applied,
    skipped: report.skipped.map(passedOverJson),
    refused: report.refusedCount,
    keys: report.keys,
    digest: digest?.digest ?? null,
    as: digest?.chosen.name ?? null,
    because: digest?.chosen.because ?? null,
    ...(options.expectDigest === null ? {} : { expectedDigest: options.expectDigest, ok: report.asExpected }),
    output: output?.published === true ? output.path : null,
    ...(output === null
      ? {}
      : { outputForm: output.form, outputFor: output.target, outputBytes: output.bytes }),
    lost: (output?.lost ?? []).map(({ database, key, what }) => ({
      db: database,
      key: key === null ? null : session.json(key),
      what,
    })),
    problems: report.findings.map((finding) => ({
      file: finding.where.file,
      ...problemJson(finding, conceal, strict ? 'error' : 'warning'),
    })),
    warnings: report.matched ? [...report.cautions] : [UNMATCHED, ...report.cautions],
    notChecked: notCheckedJson(digest?.notChecked ?? []),
  };
}

function passedOverJson({ file, offset: at, number, command, reason }: PassedOver): Json {
  return { file, offset: at, number, command: jsonBytes(command), reason };
}
