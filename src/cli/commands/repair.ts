import { UsageError } from '../../errors.js';
import { shownSource } from '../../live/address.js';
import {
  applyRepair,
  chosenOf,
  planRepair,
  type RepairOptions,
  type RepairOutput,
} from '../../tools/repair.js';
import type { CommandDefinition } from '../catalog.js';
import { noteRepair, printPlan, printRepair, type RepairView, repairJson } from '../render/repair.js';
import type { Session } from '../session.js';
import { openNamed, preferOption, type SourceFlags } from '../source-flags.js';
import { parseSize, parseWord } from '../values.js';

interface RepairFlags extends SourceFlags {
  readonly out?: string;
  readonly inPlace?: boolean;
  readonly strategy?: string;
  readonly quarantine?: string;
  readonly maxLoss?: string;
  readonly partial?: boolean;
  readonly doubtful?: boolean;
  readonly link?: boolean;
  readonly yes?: boolean;
}

export const repair: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE')
      .argument('<source>', 'a file or a directory')
      .option(
        '--out <path>',
        'write the repaired dataset there: a file for a file, a data directory for a directory',
      )
      .option('--in-place', 'repair where it stands, once a verified backup stands beside each changed file')
      .option(
        '--strategy <way>',
        'for a log: truncate (default) or skip; without --out or --in-place, both are told',
      )
      .option('--quarantine <file>', 'keep every dropped byte in FILE, and where it was in FILE.json')
      .option('--max-loss <size>', 'repair only if no more bytes than this are lost: 0, 4096, 1mb')
      .option('--partial', 'keep the readable part of damaged large values')
      .option('--doubtful', 'keep whole records that may only be the content of a value')
      .option(
        '--link',
        'with --out: hard-link untouched files that no server changes instead of copying them',
      )
      .option('--yes', 'with --in-place: no server uses it, even where that cannot be seen');
    preferOption(command)
      .addHelpText('after', HELP)
      .action((source: string, flags: RepairFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle repair /var/lib/redis                                  what is wrong, and what each way out costs
  rekindle repair /var/lib/redis --out /var/lib/redis-new         a whole data directory; the source stays as it is
  rekindle repair /var/lib/redis --strategy skip --quarantine lost.bin --out fixed
  rekindle repair dump.rdb --out fixed.rdb                        every key that still reads
  rekindle repair appendonly.aof --in-place --max-loss 64kb       for unattended use

Strategies for a log:
  truncate  keep everything up to the first damage: a state that really existed
  skip      drop only what is damaged and keep what follows; later commands may have built on what is gone
An RDB has one way out: every key that still reads is written into a fresh file.

Exit codes: 0 repaired or nothing to repair, 1 there is something to repair and it was not done, 2 usage, 3 the source
can't be read, 4 the output failed or a server has the files open. A source is never changed but by --in-place.`;

async function run(path: string, flags: RepairFlags, session: Session): Promise<number> {
  const { settings, context } = session;
  const output = outputOf(flags);
  const strategy = parseWord(flags.strategy ?? 'truncate', '--strategy', ['truncate', 'skip']);
  const planOptions = {
    partial: flags.partial === true,
    doubtful: flags.doubtful === true,
    dialect: settings.dialect,
  };
  const maxLossBytes = flags.maxLoss === undefined ? null : parseSize(flags.maxLoss, '--max-loss');
  const source = await openNamed(path, flags, session, { again: true });
  const plan = await planRepair(source, planOptions, context);
  const view: RepairView = {
    path: shownSource(path),
    plan,
    chosen: chosenOf(plan, strategy),
    report: null,
    maxLossBytes,
  };
  if (output === null || (plan.intact && output.kind === 'in-place')) {
    show(view, session);
    return plan.intact ? 0 : 1;
  }
  const options: RepairOptions = {
    ...planOptions,
    strategy,
    maxLossBytes,
    output,
    quarantinePath: flags.quarantine ?? null,
    force: settings.force,
  };
  const report = await applyRepair(plan, options, context);
  show({ ...view, report }, session);
  return report.refusal === null ? 0 : 1;
}

function show(view: RepairView, session: Session): void {
  if (session.settings.json) session.report(repairJson(view, session));
  else if (view.report === null) printPlan(view, session);
  else printRepair(view, view.report, session);
  noteRepair(view, session);
}

function outputOf({ out, inPlace, link, yes, quarantine }: RepairFlags): RepairOutput | null {
  if (out !== undefined && inPlace === true) {
    throw new UsageError('--out and --in-place exclude each other', 'give one of the two');
  }
  if (out === '-')
    throw new UsageError('--out: the output is a file or a directory, not a pipe', 'give a path');
  if (link === true && out === undefined) {
    throw new UsageError('--link is about files of the output', 'add --out PATH');
  }
  if (yes === true && inPlace !== true) throw new UsageError('--yes is about --in-place', 'add --in-place');
  if (quarantine === '-') throw new UsageError('--quarantine: a file is needed, not a pipe', 'give a path');
  if (out !== undefined) return { kind: 'path', path: out, link: link === true };
  return inPlace === true ? { kind: 'in-place', trusted: yes === true } : null;
}
