import type { ConvertReport } from '../../tools/convert.js';
import type { Told } from '../../tools/tell-source.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import type { Json } from './json.js';
import { noteLogFindings } from './log-findings.js';
import { LOSS_WORDS } from './losses.js';
import { count, counted, leftOut, size } from './numbers.js';

const LISTED = 10;

/** What was written, for people: on standard error where the output itself goes to standard output. */
export function printConvert(report: ConvertReport, session: Session): void {
  const { outputs, published, target, form } = report;
  if (!published) {
    const piped = outputs.some(({ path }) => path === '-');
    session.complain(
      piped
        ? 'what went to standard output is not all of it, and --strict allows no loss: do not use it'
        : 'nothing was written: --strict allows no loss',
    );
    return;
  }
  const what = target === null ? form : `${form} for ${target}`;
  for (const { path, keys, bytes } of outputs) {
    const line = `${path === '-' ? 'standard output' : printable(path)}: ${what}, ${counted(keys, 'key')}, ${size(bytes)}`;
    if (path === '-') session.note(line);
    else session.print(`${line}\n`);
  }
}

/** What must be known about the result, on standard error. */
export function noteConvert(report: ConvertReport, session: Session): void {
  const { lost, lostCount, target, duplicates, unrouted } = report;
  if (lostCount > 0) {
    session.warn(`${target ?? report.form} has no place for ${counted(lostCount, 'thing')}:`);
    for (const { database, key, what } of lost.slice(0, LISTED)) {
      const of = key === null ? '' : `${session.shown(key)} in database ${database ?? 0}: `;
      session.note(`  ${of}${LOSS_WORDS[what]}`);
    }
    if (lostCount > LISTED) session.note(`  and ${count(lostCount - LISTED)} more (--json lists them)`);
  }
  if (duplicates > 0)
    session.note(`${counted(duplicates, 'key')} left out: another of the same name is kept`);
  if (unrouted > 0) session.warn(`${counted(unrouted, 'key')} in slots that no output of --split takes`);
  for (const path of report.unmatched) session.warn(`no key of ${printable(path)} matches`);
  noteTold(report.told, session);
  for (const { backupPath } of report.outputs) {
    if (backupPath !== null) session.note(`what stood there is now ${printable(backupPath)}`);
  }
}

/** What executing the logs among the sources left to say. */
export function noteTold(told: readonly (Told | null)[], session: Session): void {
  for (const each of told) {
    if (each === null) continue;
    const { skipped, findings, dropped } = each;
    noteLogFindings(findings, session);
    if (skipped.length > 0) {
      session.warn(`${leftOut(skipped.length)}; the dataset lacks what they did`);
    }
    if (dropped === null) continue;
    if (dropped.metadata > 0)
      session.warn(`what modules attached to keys is not kept (keys: ${dropped.metadata})`);
    if (dropped.moduleAux > 0) {
      session.warn(`what modules keep beside their keys is not kept (records: ${dropped.moduleAux})`);
    }
  }
}

/** The JSON fields of cli.md, and more. */
export function convertJson(report: ConvertReport, session: Session): Readonly<Record<string, Json>> {
  const { keys, bytes, form, target, published, outputs, lost, lostCount, duplicates, unrouted } = report;
  return {
    ok: published,
    keys,
    bytes,
    form,
    for: target,
    outputs: outputs.map((output) => ({ path: output.path, keys: output.keys, bytes: output.bytes })),
    lost: lost.map(({ database, key, what }) => ({
      db: database,
      key: key === null ? null : session.json(key),
      what,
    })),
    lostCount,
    duplicates,
    unrouted,
    skipped: report.told.reduce((sum, { skipped }) => sum + skipped.length, 0),
    notChecked: [],
  };
}
