import { checkAof as checkLog } from '../../tools/checkers/check-aof.js';
import { parseLong } from '../../tools/checkers/strict-scan.js';
import type { CommandDefinition } from '../catalog.js';
import { CheckerLines } from '../render/checker-lines.js';
import type { Session } from '../session.js';

/** The arguments are read as the original reads its own, so that usage errors exit with 1 as they do there. */
export const checkAof: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[--fix [--yes] | --truncate-to-timestamp TIMESTAMP] FILE')
      .argument('[arguments...]', 'a manifest or an AOF, and the options below')
      .allowUnknownOption()
      .addHelpText('after', HELP)
      .action((words: string[]) => launch((session) => run(words, session)));
  },
};

const HELP = `
As redis-check-aof of Redis 7.0: the same lines, the same exit codes. Inputs are only read, unless a file is cut;
then a backup that was read back stands beside it first, as NAME.bak-TIMESTAMP.

  --fix                               cut the last file where its damage begins, once you agree
  --yes                               agree beforehand
  --truncate-to-timestamp TIMESTAMP   cut the last file before its first annotation later than these unix seconds

Examples:
  rekindle check-aof appendonlydir/appendonly.aof.manifest
  rekindle check-aof --fix --yes appendonlydir/appendonly.aof.manifest
  rekindle check-aof --truncate-to-timestamp 1772366400 appendonlydir/appendonly.aof.manifest

Exit codes: 0 valid or fixed, 1 anything else.`;

const USAGE =
  'Usage: rekindle check-aof [--fix [--yes]|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>';

interface Request {
  readonly path: string;
  readonly fix: boolean;
  readonly yes: boolean;
  readonly timestamp: string | null;
}

async function run(words: readonly string[], session: Session): Promise<number> {
  const request = requestOf(words);
  const lines = new CheckerLines(session, request?.yes === true);
  if (request === null) {
    lines.line(USAGE);
    return lines.close(1);
  }
  const { path, fix, timestamp } = request;
  const time = timestamp === null ? 0n : secondsOf(timestamp);
  if (time === null) {
    lines.line('Invalid timestamp, aborting...');
    return lines.close(1);
  }
  const options = { fix, toTimestamp: time, dialect: session.settings.dialect };
  return lines.closeAfter(checkLog(path, options, lines, session.context));
}

/** Null when this is no use that is known. Options may stand in any order. */
function requestOf(words: readonly string[]): Request | null {
  const paths: string[] = [];
  let fix = false;
  let yes = false;
  let timestamp: string | null = null;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--fix') fix = true;
    else if (word === '--yes') yes = true;
    else if (word === '--truncate-to-timestamp' && i + 1 < words.length) timestamp = words[++i]!;
    else if (word.startsWith('--')) return null;
    else paths.push(word);
  }
  const [path] = paths;
  return path === undefined || paths.length > 1 || (fix && timestamp !== null)
    ? null
    : { path, fix, yes, timestamp };
}

function secondsOf(text: string): bigint | null {
  const { value, stop, overflow } = parseLong(text, 0);
  return overflow || stop !== text.length ? null : value;
}
