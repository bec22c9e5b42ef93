import { InputError } from '../../errors.js';
import { BEHIND_DAMAGE } from '../../tools/check/damage.js';
import { type CheckOptions, type CheckReport, check as checkSource } from '../../tools/check.js';
import { DamageError } from '../../tools/report.js';
import { atHand, type Source } from '../../tools/source.js';
import type { CommandDefinition } from '../catalog.js';
import { liveSourceOptions } from '../live-flags.js';
import {
  type Checked,
  checkJson,
  printReport,
  printUnread,
  printVerdict,
  verdictOf,
} from '../render/check.js';
import { noteNotChecked } from '../render/not-checked.js';
import type { Session } from '../session.js';
import { liveNotChecked, openNamed, preferOption, type SourceFlags } from '../source-flags.js';

interface CheckFlags extends SourceFlags {
  readonly quick?: boolean;
}

export const check: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE…')
      .argument('<source...>', 'files, directories, live servers (redis://…), or - for standard input')
      .option('--quick', 'structure and checksum alone: packed values are not opened');
    liveSourceOptions(preferOption(command))
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
  rekindle check redis://localhost:6379      a fresh snapshot of a running server

Exit codes: 0 intact, 1 damaged, 3 a source can't be read.`;

async function run(paths: readonly string[], flags: CheckFlags, session: Session): Promise<number> {
  const { settings, io } = session;
  const startedAt = io.now();
  const reports: CheckReport[] = [];
  const unread: InputError[] = [];
  for (const [i, path] of paths.entries()) {
    session.nextInput(i + 1, paths.length);
    try {
      reports.push(await checkOne(path, flags, session));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unread.push(error);
      if (!settings.json) printUnread(error, session);
    }
  }
  const checked: Checked = { reports, unread, durationMs: io.now() - startedAt };
  const verdict = verdictOf(checked, settings.strict);
  if (settings.json) {
    session.report(checkJson(checked, verdict, session));
  } else {
    printVerdict(checked, verdict, session);
    const notChecked = reports.flatMap((report) => report.notChecked);
    noteNotChecked(notChecked, session);
  }
  return verdict.exitCode;
}

async function checkOne(path: string, flags: CheckFlags, session: Session): Promise<CheckReport> {
  const { settings } = session;
  const source = await openNamed(path, flags, session, { readsOn: true, again: true });
  const options = { quick: flags.quick === true, dialect: settings.dialect };
  const checked = await checkOn(source, options, session);
  const notChecked = [...checked.notChecked, ...liveNotChecked(source)];
  const report = { ...checked, notChecked };
  if (!settings.json) printReport(report, session);
  return report;
}

/** Where a packed file is damaged inside, reading on behind the damage takes all of it at hand: it is read once more. */
async function checkOn(source: Source, options: CheckOptions, session: Session): Promise<CheckReport> {
  const report = await checkSource(source, options, session.context);
  const stopped = report.notChecked.some(({ what }) => what === BEHIND_DAMAGE);
  const unpacks = report.files.every(({ findings }) => findings.every(({ code }) => !/^packed/.test(code)));
  if (source.packings === undefined || !stopped || !unpacks) return report;
  try {
    return await checkSource(await atHand(source, session.io.signal), options, session.context);
  } catch (error) {
    if (error instanceof DamageError || error instanceof InputError) return report;
    throw error;
  }
}
