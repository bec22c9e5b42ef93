import { UsageError } from '../../errors.js';
import { assertLog, type CompactOptions, compact as compactSource } from '../../tools/compact.js';
import { targetNamed } from '../../tools/target-choice.js';
import { formByName } from '../../tools/write-dataset.js';
import type { CommandDefinition } from '../catalog.js';
import { compactJson, noteCompact, printCompact } from '../render/compact.js';
import type { Session } from '../session.js';
import { openNamed, preferOption, type SourceFlags } from '../source-flags.js';
import { parseWord } from '../values.js';

interface CompactFlags extends SourceFlags {
  readonly out?: string;
  readonly for?: string;
  readonly preamble?: string;
}

export const compact: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE --out DIR')
      .argument('<source>', 'a log: a directory, a manifest or a file')
      .option('--out <path>', 'write the log there: a directory, or NAME.aof for servers before 7.0')
      .option('--for <server>', 'for which server: redis-7.0, … (default: who wrote the log)')
      .option('--preamble <yes|no>', 'the base as an RDB (yes, the default) or as commands');
    preferOption(command)
      .addHelpText('after', HELP)
      .action((source: string, flags: CompactFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle compact /var/lib/redis --out compacted                 what BGREWRITEAOF would leave, without a server
  rekindle compact appendonlydir --out appendonlydir.new --for valkey-8.1
  rekindle compact appendonly.aof --out smaller.aof --for redis-6.2 --preamble no

The source is never changed. What was written is read back, and shows only when its digest is that of the log. A
directory becomes a server's working directory with appendonlydir in it, or, when it is named appendonlydir, that
directory itself. Stop the server first: what it appends meanwhile is not in the result.`;

async function run(path: string, flags: CompactFlags, session: Session): Promise<number> {
  const { settings } = session;
  const options = optionsOf(flags, session);
  const source = await openNamed(path, flags, session);
  const report = await compactSource(source, options, session.context);
  if (settings.json) session.report(compactJson(report, session));
  else printCompact(report, session);
  noteCompact(report, session);
  if (!report.output.published) return 1;
  return settings.strict && report.findings.length > 0 ? 1 : 0;
}

function optionsOf(flags: CompactFlags, session: Session): CompactOptions {
  const { settings } = session;
  const { out } = flags;
  if (out === undefined || out === '-') {
    throw new UsageError('compact needs --out: a source is never changed', 'add --out DIR');
  }
  const form = formByName(out);
  assertLog(form);
  return {
    output: { path: out, form, force: settings.force, refuseLoss: settings.strict },
    target: flags.for === undefined ? null : targetNamed(flags.for, '--for'),
    preamble: parseWord(flags.preamble ?? 'yes', '--preamble', ['yes', 'no']) === 'yes',
    dialect: settings.dialect,
  };
}
