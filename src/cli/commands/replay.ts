import { UsageError } from '../../errors.js';
import { serverNamed } from '../../tools/family.js';
import { type ReplayOptions, type ReplayReport, replay as replaySource } from '../../tools/replay.js';
import { openSource } from '../../tools/source.js';
import { targetNamed } from '../../tools/target-choice.js';
import { formByName } from '../../tools/write-dataset.js';
import type { CommandDefinition } from '../catalog.js';
import { type CutFlags, cutOf, cutOptions } from '../cut-flags.js';
import { noteReplay, printReplay, replayJson } from '../render/replay.js';
import type { Session } from '../session.js';
import { preferOption, type SourceFlags, sourceOptionsOf, tellSource } from '../source-flags.js';
import { parseWord } from '../values.js';

interface ReplayFlags extends SourceFlags, CutFlags {
  readonly out?: string;
  readonly to?: string;
  readonly for?: string;
  readonly as?: string;
  readonly onUnknown?: string;
  readonly digest: boolean;
  readonly expectDigest?: string;
}

export const replay: CommandDefinition = {
  define(command, launch) {
    command.usage('[options] SOURCE').argument('<source>', 'a file, a directory, or - for standard input');
    cutOptions(command)
      .option('--out <path>', 'write the dataset there: NAME.rdb, NAME.aof or a directory')
      .option('--to <form>', 'what to write: rdb, aofdir, aof (default: by the ending of --out)')
      .option('--for <server>', 'write what that server loads: redis-7.0, … (default: who wrote the log)')
      .option('--as <server>', 'print the digest as that server does (default: who wrote the log)')
      .option('--no-digest', 'skip the digest, which takes a fifth of the time of a large replay')
      .option('--expect-digest <hex>', 'write nothing and exit 1 unless the digest is this one')
      .option('--on-unknown <what>', 'at a command the engine does not know: stop (default) or skip');
    preferOption(command)
      .addHelpText('after', HELP)
      .action((source: string, flags: ReplayFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle replay /var/lib/redis                                  what the log leads to, as a digest
  rekindle replay /var/lib/redis --before FLUSHALL --out restored.rdb
  rekindle replay appendonlydir --until-time -15m --out restored
  rekindle replay appendonly.aof --until-offset 4096 --for redis-6.2 --out restored.rdb

A transaction is applied whole or not at all. The source is never changed; the output appears complete or not at all.
A directory given to --out becomes a server's working directory with appendonlydir in it, or, when it is named
appendonlydir, that directory itself.`;

async function run(path: string, flags: ReplayFlags, session: Session): Promise<number> {
  const { settings } = session;
  const options = optionsOf(flags, session);
  const source = await openSource(path, sourceOptionsOf(flags, session));
  tellSource(source, session);
  const report = await replaySource(source, options, session.context);
  if (settings.json) session.report(replayJson(report, options, session));
  else printReplay(report, options, session);
  noteReplay(report, session);
  return exitCodeOf(report, settings.strict);
}

function optionsOf(flags: ReplayFlags, session: Session): ReplayOptions {
  const { settings } = session;
  if (flags.out === undefined && (flags.to ?? flags.for) !== undefined) {
    throw new UsageError('--to and --for say how to write, but not where', 'add --out PATH');
  }
  if (!flags.digest && flags.expectDigest !== undefined) {
    throw new UsageError('--expect-digest needs the digest that --no-digest skips', 'give one of the two');
  }
  return {
    cut: cutOf(flags),
    as: flags.as === undefined ? null : serverNamed(flags.as, '--as'),
    onUnknown: parseWord(flags.onUnknown ?? 'stop', '--on-unknown', ['stop', 'skip']),
    dialect: settings.dialect,
    output: outputOf(flags, session),
    digest: flags.digest,
    expectDigest: flags.expectDigest === undefined ? null : digestOf(flags.expectDigest),
  };
}

function outputOf(flags: ReplayFlags, session: Session): ReplayOptions['output'] {
  const { out, to } = flags;
  if (out === undefined) return null;
  if (out === '-')
    throw new UsageError('--out: the output is a file or a directory, not a pipe', 'give a path');
  return {
    path: out,
    form: to === undefined ? formByName(out) : parseWord(to, '--to', ['rdb', 'aofdir', 'aof']),
    target: flags.for === undefined ? null : targetNamed(flags.for, '--for'),
    force: session.settings.force,
    refuseLoss: session.settings.strict,
  };
}

function digestOf(text: string): string {
  if (/^[0-9a-f]{40}$/i.test(text)) return text.toLowerCase();
  throw new UsageError(
    `--expect-digest: '${text}' is not a digest`,
    'give the 40 hex digits that DEBUG DIGEST prints',
  );
}

function exitCodeOf(report: ReplayReport, strict: boolean): number {
  if (!report.asExpected || !report.matched) return 1;
  if (report.output !== null && !report.output.published) return 1;
  return strict && report.findings.length > 0 ? 1 : 0;
}
