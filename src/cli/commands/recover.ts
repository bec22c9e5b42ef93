import { localDisk } from '../../bytes/disk.js';
import { UsageError } from '../../errors.js';
import { gatherEvidence, writeEvidence } from '../../tools/evidence.js';
import { refuseInside } from '../../tools/recover/carry-out.js';
import { type RecoverOptions, type RecoverReport, recover as recoverDirectory } from '../../tools/recover.js';
import type { CommandDefinition } from '../catalog.js';
import { evidenceFields } from '../render/evidence.js';
import { type Json, jsonReport } from '../render/json.js';
import { noteNotChecked } from '../render/not-checked.js';
import { printRecover } from '../render/recover.js';
import { recoverJson } from '../render/recover-json.js';
import type { Session } from '../session.js';
import { parseCount, parseSize, parseWord } from '../values.js';

interface RecoverFlags {
  readonly out?: string;
  readonly config?: string;
  readonly evidence?: string;
  readonly way?: string;
  readonly strategy?: string;
  readonly executeMax?: string;
}

export const recover: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] DIR')
      .argument('<directory>', 'the data directory of a server that is not running')
      .option(
        '--out <path>',
        'carry the plan out: a directory that a server starts from, checked before it shows',
      )
      .option('--way <number>', 'carry out this way of those listed (default: 1, the best)')
      .option('--strategy <name>', 'truncate: a state that was (default); skip: everything that reads')
      .option('--config <file>', 'the redis.conf of the server (default: the one in the directory)')
      .option('--evidence <file>', 'write inputs with SHA-256, options and results there, as JSON')
      .option(
        '--execute-max <size>',
        'execute logs of so many bytes in all to count their keys (default: 1GB)',
      )
      .addHelpText('after', HELP)
      .action((directory: string, flags: RecoverFlags) =>
        launch((session) => run(directory, flags, session)),
      );
  },
};

const HELP = `
Examples:
  rekindle recover /var/lib/redis --config /etc/redis/redis.conf     what is there, what Redis would do, what to do
  rekindle recover /var/lib/redis --out /var/lib/redis-recovered     carry the best way out
  rekindle recover /var/lib/redis --way 2 --out /var/lib/redis-recovered
  rekindle recover /var/lib/redis --out restored --evidence incident.json

The directory is never changed: everything is weighed where it stands, and a plan is carried out into a new directory, read
back, and only then shown under its name. The plan is a state that stood in the server at some moment. Where files are damaged,
\`--strategy skip\` takes everything that reads instead, and leaves out damaged places alone.

Exit codes: 0 Redis by itself loads the best there is, or the plan was carried out; 1 there is something to do, or nothing
can be brought back; 3 the directory can't be read; 4 the output failed, and nothing is left of it.`;

const EXECUTE_MAX = 1e9;

async function run(directory: string, flags: RecoverFlags, session: Session): Promise<number> {
  const { settings, context } = session;
  if (directory === '-')
    throw new UsageError('recover wants a directory, not a pipe', 'give the data directory');
  const options = optionsOf(flags, session);
  const { evidence } = flags;
  if (evidence !== undefined) await refuseInside(evidence, directory, '--evidence');
  session.sources.add(directory);
  const report = await recoverDirectory(directory, options, context);
  if (settings.json) session.report(recoverJson(report, session));
  else printRecover(report, session);
  for (const { pid, name, path } of report.users) {
    session.warn(
      `${name} (process ${pid}) uses ${path}: stop it, and run this again, before you act on this report`,
    );
  }
  noteNotChecked(report.notChecked, session);
  if (evidence !== undefined) {
    const inputs = await gatherEvidence(report.survey.files, context);
    const results = recoverJson(report, session) as Json;
    const text = jsonReport(evidenceFields(inputs, { ...flags, directory }, results, session));
    await writeEvidence(evidence, text, settings.force, localDisk);
    session.note(`evidence is in ${evidence}`);
  }
  return exitCodeOf(report);
}

function optionsOf(flags: RecoverFlags, session: Session): RecoverOptions {
  const { out, way, strategy, config, executeMax } = flags;
  const { settings } = session;
  if (out === '-') throw new UsageError('--out: the output is a directory, not a pipe', 'give a path');
  return {
    config: config ?? null,
    dialect: settings.dialect,
    way: way === undefined ? null : parseCount(way, '--way', 1),
    strategy: parseWord(strategy ?? 'truncate', '--strategy', ['truncate', 'skip']),
    measureBytes: executeMax === undefined ? EXECUTE_MAX : parseSize(executeMax, '--execute-max'),
    output: out === undefined ? null : { path: out, force: settings.force },
  };
}

function exitCodeOf({ verdict, output }: RecoverReport): number {
  return output !== null || verdict === 'ready' ? 0 : 1;
}
