import type { StopReason } from '../../aof/cut.js';
import type { PassedOver } from '../../tools/rebuild.js';
import type { Proof, ServerDifference } from '../../tools/replay/prove.js';
import type { Undone } from '../../tools/replay/undo.js';
import type { ReplayOptions, ReplayOutput, ReplayReport, UndoReport } from '../../tools/replay.js';
import { logDirectoryOf, type OutputForm } from '../../tools/write-dataset.js';
import type { Session } from '../session.js';
import { printable, quotedBytes } from './escape.js';
import { noteLogFindings } from './log-findings.js';
import { noteNotChecked } from './not-checked.js';
import { count, counted, instant, leftOut, offset, size } from './numbers.js';
import { noteLosses, noteSent, sentText } from './sent.js';
import type { Style } from './style.js';

const REASONS: Readonly<Record<StopReason, string>> = {
  end: 'nothing was left',
  offset: 'the offset asked for',
  time: 'the next annotation is later',
  command: 'the number of commands asked for',
  pattern: 'the next command matches --before',
  'torn-tail': 'what follows is not complete',
};

const UNMATCHED = 'no command matches --before: this is everything up to the end of the log';

/** Why nothing was undone, in a sentence; null when something was, or nothing was to be. */
export function unmatchedText({ matched, undo }: ReplayReport): string | null {
  if (matched) return null;
  if (undo === null) return UNMATCHED;
  if (undo.idle === 0) return 'no command matches --undo: there is nothing to bring back';
  return `${counted(undo.idle, 'command')} match --undo, and none of them removed a key`;
}

/** The result, as people read it. */
export function printReplay(report: ReplayReport, options: ReplayOptions, session: Session): void {
  const { stoppedAt, digest, output } = report;
  const { outStyle: style } = session;
  const row = (name: string, text: string) => session.print(`${style.bold(name.padEnd(9))} ${text}\n`);
  const { file, command, reason, timeMs } = stoppedAt;
  const where =
    file === null ? 'an empty log' : `${printable(file.name)} at offset ${offset(stoppedAt.offset)}`;
  const time = timeMs < 0 ? '' : `, ${instant(timeMs)}`;
  const { command: undone } = report.undo ?? { command: null };
  const why = undone === null ? REASONS[reason] : 'the command to be undone is next';
  row('stopped', `${where}, command ${count(command)}${time}: ${why}`);
  if (undone !== null) row('undone', undoneText(undone, session));
  row(report.keys === null ? 'copied' : 'applied', counted(report.applied, 'command'));
  if (report.skipped.length > 0) row('skipped', style.yellow(counted(report.skipped.length, 'command')));
  if (report.keys !== null) row('keys', keysText(report));
  if (options.expectDigest !== null) row('expected', options.expectDigest);
  const verdict =
    options.expectDigest === null
      ? ''
      : report.asExpected
        ? style.green('  equal')
        : style.red('  different');
  if (digest !== null) row('digest', `${digest.digest}${verdict}`);
  if (report.proof !== null) row('server', proofText(report.proof, style));
  if (output?.published === true) row('output', outputText(output));
  else if (options.output !== null) row('output', style.red(refusal(report)));
  if (report.sent?.refused === false) row('target', sentText(report.sent));
  else if (options.send !== null) row('target', style.red(refusal(report)));
}

function keysText({ keys, allKeys, databases, undo }: ReplayReport): string {
  const of = keys === allKeys ? '' : undo === null ? ` of ${count(allKeys ?? 0)}` : ' removed';
  return `${count(keys ?? 0)}${of} in ${counted(databases, 'database')}`;
}

function undoneText(
  { file, offset: at, bytes, words, wordsLeft, ...rest }: Undone,
  session: Session,
): string {
  const text = words.map((word, i) => (i === 0 ? printable(word) : session.shown(word))).join(' ');
  const more = wordsLeft === 0 ? '' : ` and ${count(wordsLeft)} more`;
  const where = `${printable(file.name)} at offset ${offset(at)}, command ${count(rest.number)}`;
  const inside = rest.inTransaction ? ', in a transaction' : '';
  return `${text}${more}: ${where}, database ${rest.database}${inside}, ${size(bytes)}`;
}

function proofText(proof: Proof, style: Style): string {
  const verdict = proof.equal ? style.green('equal') : style.red('different');
  const past = proof.past === 0 ? '' : `, ${count(proof.past)} past their TTL by the digest of all alone`;
  return `${proof.server} loaded the same cut: ${verdict} (${counted(proof.compared, 'key')} one by one${past})`;
}

const FORM_WORDS: Readonly<Record<OutputForm, string>> = {
  rdb: 'RDB',
  aof: 'AOF',
  resp: 'commands',
  aofdir: 'append-only directory',
};

function outputText(output: ReplayOutput): string {
  const whom = output.target === '' ? ', copied' : ` for ${output.target}`;
  return `${printable(output.path)}: ${FORM_WORDS[output.form]}${whom}, ${size(output.bytes)}`;
}

function refusal({ output, sent, asExpected, matched, undo }: ReplayReport): string {
  if (output !== null || sent !== null) return 'nothing was written: --strict allows no loss';
  if (!asExpected) return 'nothing was written: the digest is another';
  if (matched) return 'nothing was written: the server came to something else';
  return `nothing was written: no command matches ${undo === null ? '--before' : '--undo'}`;
}

/** What must be known about the result, on standard error. */
export function noteReplay(report: ReplayReport, options: ReplayOptions, session: Session): void {
  const { digest, output, skipped, refused, sent, proof } = report;
  if (digest !== null) {
    session.note(`digest in the form of ${printable(digest.chosen.name)} (${digest.chosen.because})`);
  }
  const unmatched = unmatchedText(report);
  if (unmatched !== null) {
    session.warn(unmatched);
    const source = session.sources.of(report.stoppedAt.file?.path ?? '') || 'SOURCE';
    session.note(
      report.undo === null
        ? '  try: leave --before out if that is what you want; names match in any case, arguments as globs'
        : `  try: names match in any case, arguments as globs; \`rekindle log --dangerous ${source}\` lists what removed keys`,
    );
  }
  if (report.undo?.command != null) noteUndo(report.undo, session);
  if (proof?.equal === false) noteDifferences(proof, session);
  for (const caution of report.cautions) session.warn(caution);
  noteLogFindings(report.findings, session);
  if (skipped.length > 0) {
    session.warn(`${leftOut(skipped.length)}; the dataset lacks what they did`);
  }
  for (const each of skipped.slice(0, 10)) session.note(`  ${passedOverText(each)}`);
  if (skipped.length > 10) session.note(`  and ${count(skipped.length - 10)} more (--json lists all)`);
  if (report.refusedCount > 0) {
    session.detail(
      `${counted(report.refusedCount, 'command')} failed, as they do when a server loads this log`,
    );
    for (const each of refused) session.detail(`  ${passedOverText(each)}`);
  }
  if (output !== null) noteLosses(output, output.target, session);
  if (sent !== null) noteSent(sent, options.conditions.expired, session);
  noteNotChecked(digest?.notChecked ?? [], session);
  if (output?.published === true) noteOutput(output, session);
}

function passedOverText({ file, offset: at, command, reason }: PassedOver): string {
  return `${printable(file)} at offset ${offset(at)}: ${quotedBytes(command)}: ${printable(reason)}`;
}

function noteUndo({ idle, later }: UndoReport, session: Session): void {
  if (idle > 0) session.note(`${counted(idle, 'command')} before it match, too, and removed nothing`);
  if (later === 0) return;
  session.warn(`${counted(later, 'command')} behind it match, too, and are not undone`);
  session.note(
    '  try: a point in time (--until-offset, --until-time, --until-command) says from where on to look',
  );
}

const DIFFERENCE_WORDS: Readonly<Record<ServerDifference['what'], string>> = {
  'missing-there': 'the server does not have it',
  'missing-here': 'only the server has it',
  value: 'its value differs',
  expiry: 'its TTL differs',
};

function noteDifferences(proof: Proof, session: Session): void {
  const { theirs, ours, differences, differenceCount } = proof;
  session.warn(
    differenceCount === 0
      ? `each key is the same, and the digest of all is not: the server has ${theirs}, we have ${ours}`
      : `${counted(differenceCount, 'key')} differ:`,
  );
  for (const { database, key, what } of differences.slice(0, 10)) {
    session.note(`  ${session.shown(key)} in database ${database}: ${DIFFERENCE_WORDS[what]}`);
  }
  if (differenceCount > 10) session.note(`  and ${count(differenceCount - 10)} more (--json lists them)`);
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
