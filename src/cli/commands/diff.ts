import { UsageError } from '../../errors.js';
import {
  type DiffListener,
  type DiffOptions,
  type DiffReport,
  diff as diffSources,
} from '../../tools/diff.js';
import { targetNamed } from '../../tools/target-choice.js';
import type { CommandDefinition } from '../catalog.js';
import { conditionsOf, type FilterFlags, filterOptions } from '../filter-flags.js';
import { liveSourceOptions } from '../live-flags.js';
import { DifferencePrinter, noteDiff, noteMemory, printSummary } from '../render/diff.js';
import { printable } from '../render/escape.js';
import type { Session } from '../session.js';
import { openNamedDataset, preferOption, type SourceFlags } from '../source-flags.js';
import { parseCount, parseWord } from '../values.js';

interface DiffFlags extends SourceFlags, FilterFlags {
  readonly summary?: boolean;
  readonly values?: boolean;
  readonly ttlTolerance?: string;
  readonly patch?: string;
  readonly for?: string;
  readonly onUnknown?: string;
}

export const diff: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] A B')
      .argument(
        '<a>',
        'the first side: a file, a directory, a live server (redis://…), or - for standard input',
      )
      .argument('<b>', 'the second side')
      .option('--summary', 'print the numbers alone')
      .option('--values', 'show what changed inside lists, sets, sorted sets, hashes and streams')
      .option('--ttl-tolerance <ms>', 'TTLs that differ by no more are the same (default: 0)')
      .option('--patch <file>', 'write the commands that turn A into B, for redis-cli --pipe')
      .option('--for <server>', 'the server that the patch is for (default: who wrote A)')
      .option(
        '--on-unknown <what>',
        'at a command of a log the engine does not know: stop (default) or skip',
      );
    liveSourceOptions(filterOptions(preferOption(command)))
      .addHelpText('after', HELP)
      .action((a: string, b: string, flags: DiffFlags) => launch((session) => run(a, b, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle diff yesterday.rdb today.rdb --summary
  rekindle diff dump.rdb appendonlydir                    does the log lead to what the snapshot holds?
  rekindle diff a.rdb b.rdb --values --match 'user:*'
  rekindle diff dump.rdb redis://localhost:6379 --summary    is the backup what the server holds?
  rekindle diff old.rdb new.rdb --patch old-to-new.resp && redis-cli --pipe < old-to-new.resp

Encodings, formats and versions do not matter, meaning does. Exit code 0: equal; 1: different.
Takes 18 bytes of memory for each key of either side and at most 48 for each that may differ; what is
above --memory goes to a temporary file (TMPDIR).`;

async function run(a: string, b: string, flags: DiffFlags, session: Session): Promise<number> {
  if (a === '-' && b === '-')
    throw new UsageError('only one side can be standard input', 'give the other a path');
  const printer = new DifferencePrinter(flags.summary === true, session);
  const options = optionsOf(flags, printer, session);
  noteMemory(session);
  const before = await openNamedDataset(a, flags, session, { again: true });
  const after = await openNamedDataset(b, flags, session, { again: true });
  const report = await diffSources(before, after, options, session.context).finally(() => printer.flush());
  printSummary(report, session);
  noteDiff(report, session);
  for (const [i, { path }] of [before, after].entries()) {
    if (report.unmatched[i] === true) session.warn(`no key of ${printable(path)} matches`);
  }
  return isEqual(report) ? 0 : 1;
}

function isEqual({ added, removed, changed, libraries }: DiffReport): boolean {
  return added + removed + changed + libraries === 0;
}

function optionsOf(flags: DiffFlags, listener: DiffListener, session: Session): DiffOptions {
  const { settings } = session;
  if (flags.for !== undefined && flags.patch === undefined) {
    throw new UsageError('--for says which server a patch is for', 'add --patch FILE, or leave it out');
  }
  if (flags.summary === true && flags.values === true) {
    throw new UsageError('--summary prints no values', 'give one of --summary and --values');
  }
  return {
    conditions: conditionsOf(flags),
    toleranceMs: flags.ttlTolerance === undefined ? 0 : parseCount(flags.ttlTolerance, '--ttl-tolerance'),
    values: flags.values === true,
    patch:
      flags.patch === undefined
        ? null
        : {
            path: flags.patch,
            force: settings.force,
            target: flags.for === undefined ? null : targetNamed(flags.for, '--for'),
          },
    dialect: settings.dialect,
    onUnknown: parseWord(flags.onUnknown ?? 'stop', '--on-unknown', ['stop', 'skip']),
    listener,
  };
}
