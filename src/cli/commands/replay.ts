import { type ReplayReport, replay as replaySource } from '../../tools/replay.js';
import type { CommandDefinition } from '../catalog.js';
import { cutOptions } from '../cut-flags.js';
import { filterOptions } from '../filter-flags.js';
import { liveOptions } from '../live-flags.js';
import { noteReplay, printReplay } from '../render/replay.js';
import { replayJson } from '../render/replay-json.js';
import { type ReplayFlags, replayOptions, replayOptionsOf, targetOptions } from '../replay-flags.js';
import type { Session } from '../session.js';
import { openNamed, preferOption } from '../source-flags.js';

export const replay: CommandDefinition = {
  define(command, launch) {
    command.usage('[options] SOURCE').argument('<source>', 'a file, a directory, or - for standard input');
    replayOptions(cutOptions(command));
    preferOption(command);
    filterOptions(command);
    targetOptions(command);
    liveOptions(command)
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
  rekindle replay /var/lib/redis --undo FLUSHALL --target redis://localhost:6379
  rekindle replay /var/lib/redis --before 'DEL user:*' --match 'user:*' --target unix:///run/redis.sock --keep-existing
  rekindle replay /var/lib/redis --until-time -1h --no-execute --out cut
  rekindle replay /var/lib/redis --engine server                  proof: a real server loads the same

A transaction is applied whole or not at all. The source is never changed; an output appears complete or not at all.
A directory given to --out becomes a server's working directory with appendonlydir in it, or, when it is named
appendonlydir, that directory itself. With --undo a point in time says from where on the command is looked for; keys
that the target has again stay as they are, unless --replace. A dataset that needs more than --memory is replayed part by
part, with a temporary file as large as the output.`;

async function run(path: string, flags: ReplayFlags, session: Session): Promise<number> {
  const { settings } = session;
  const options = await replayOptionsOf(flags, session);
  const source = await openNamed(path, flags, session);
  const report = await replaySource(source, options, session.context);
  if (settings.json) session.report(replayJson(report, options, session));
  else printReplay(report, options, session);
  noteReplay(report, options, session);
  return exitCodeOf(report, settings.strict);
}

function exitCodeOf(report: ReplayReport, strict: boolean): number {
  const { asExpected, matched, output, sent, proof } = report;
  if (!asExpected || !matched || proof?.equal === false) return 1;
  if (output !== null && !output.published) return 1;
  if (sent !== null && (sent.refused || sent.surprises > 0)) return 1;
  const kept = sent !== null && sent.kept > 0;
  return strict && (report.findings.length > 0 || kept) ? 1 : 0;
}
