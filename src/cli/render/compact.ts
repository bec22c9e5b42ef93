import type { CompactReport, LogSize } from '../../tools/compact.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { problemJson } from './findings.js';
import type { Json } from './json.js';
import { noteLogFindings } from './log-findings.js';
import { LOSS_WORDS } from './losses.js';
import { notCheckedJson, noteNotChecked } from './not-checked.js';
import { count, counted, size } from './numbers.js';

/** The two sizes side by side, as people read them. */
export function printCompact(report: CompactReport, session: Session): void {
  const { outStyle: style } = session;
  const { before, after, output, target } = report;
  const row = (name: string, text: string) => session.print(`${style.bold(name.padEnd(7))} ${text}\n`);
  row('before', sizeText(before));
  row('after', sizeText(after));
  const same = before.digest === after.digest;
  row(
    'digest',
    `${after.digest}  ${same ? style.green('equal') : style.yellow('another: see what was lost')}`,
  );
  if (output.published) row('output', `${printable(output.path)}: for ${target}`);
  else row('output', style.red('nothing was written: --strict allows no loss'));
}

function sizeText({ bytes, files, commands, keys }: LogSize): string {
  return `${size(bytes)} in ${counted(files, 'file')}, ${counted(commands, 'command')}, ${counted(keys, 'key')}`;
}

/** What must be known about the result, on standard error. */
export function noteCompact(report: CompactReport, session: Session): void {
  const { as, output, target } = report;
  session.note(`digest in the form of ${printable(as.name)} (${as.because})`);
  noteLogFindings(report.findings, session);
  if (output.lostCount > 0) {
    session.warn(`${target} has no place for ${counted(output.lostCount, 'thing')}:`);
    for (const { database, key, what } of output.lost.slice(0, 10)) {
      const of = key === null ? '' : `${session.shown(key)} in database ${database ?? 0}: `;
      session.note(`  ${of}${LOSS_WORDS[what]}`);
    }
    if (output.lostCount > 10) session.note(`  and ${count(output.lostCount - 10)} more (--json lists them)`);
  }
  noteNotChecked(report.notChecked, session);
  if (output.backupPath !== null) session.note(`what stood there is now ${printable(output.backupPath)}`);
}

/** The JSON fields of cli.md, and more. */
export function compactJson(report: CompactReport, session: Session): Readonly<Record<string, Json>> {
  const { before, after, output } = report;
  const { strict } = session.settings;
  return {
    before: { ...before },
    after: { ...after },
    equal: before.digest === after.digest,
    as: report.as.name,
    because: report.as.because,
    output: output.published ? output.path : null,
    outputForm: output.form,
    outputFor: report.target,
    lost: output.lost.map(({ database, key, what }) => ({
      db: database,
      key: key === null ? null : session.json(key),
      what,
    })),
    problems: report.findings.map((finding) => ({
      file: finding.where.file,
      ...problemJson(finding, session, { severity: strict ? 'error' : 'warning' }),
    })),
    notChecked: notCheckedJson(report.notChecked),
  };
}
