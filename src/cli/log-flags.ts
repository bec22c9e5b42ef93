import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { CommandPattern } from '../resp/pattern.js';
import type { LogConditions } from '../tools/log/filter.js';
import type { TimeRequest } from '../tools/log/since.js';
import { conditionsOf, type FilterFlags, gather } from './filter-flags.js';
import { parseCount, parseInstant, parseSpanBack } from './values.js';

/** Which commands of a log are meant. */
export interface LogFilterFlags extends Pick<FilterFlags, 'db' | 'match' | 'notMatch' | 'regex' | 'slot'> {
  readonly command?: readonly string[];
  readonly since?: string;
  readonly fromOffset?: string;
  readonly fromCommand?: string;
}

export function logFilterOptions(command: Command): Command {
  return command
    .optionsGroup('Filters (all must hold; each may be repeated):')
    .option('--command <patterns>', "commands that match any: SET,DEL or 'XGROUP CREATE' or 'H*'", gather)
    .option('--db <n>', 'commands on this database; repeated: on any of them', gather)
    .option('--match <glob>', 'commands with a key that matches, as KEYS does; repeated: every one', gather)
    .option('--not-match <glob>', 'commands with a key that does not match; repeated: none', gather)
    .option(
      '--regex <re>',
      'commands with a key in which the expression is found; repeated: every one',
      gather,
    )
    .option('--slot <n[-m]>', 'commands with a key of these cluster slots; repeated: of any of them', gather)
    .optionsGroup('Where to begin (the latest wins; default: the first command):')
    .option('--since <time>', 'from the first #TS annotation on that is not older: as --until-time takes it')
    .option('--from-offset <[file:]bytes>', 'the first command that begins at or behind BYTES in FILE')
    .option('--from-command <n>', 'the N-th command over all files');
}

/** @throws UsageError for a value that is none; `sinceSeconds` is still to be settled */
export function logConditionsOf(flags: LogFilterFlags): LogConditions {
  const { command, fromOffset, fromCommand } = flags;
  const keys = conditionsOf(flags);
  return {
    commands: (command ?? []).flatMap(patternsOf),
    databases: keys.databases,
    keys,
    sinceSeconds: null,
    fromOffset: fromOffset === undefined ? null : placeOf(fromOffset, '--from-offset'),
    fromCommand: fromCommand === undefined ? null : parseCount(fromCommand, '--from-command', 1),
  };
}

/** Commas separate; none can be in a name. */
function patternsOf(list: string): CommandPattern[] {
  return list.split(',').map((text) => new CommandPattern(text));
}

/** A time, or a span back from the last annotation; null when the option is not given. */
export function timeRequestOf(text: string | undefined, option: string): TimeRequest | null {
  if (text === undefined) return null;
  const backMs = parseSpanBack(text);
  return backMs === null ? { seconds: parseInstant(text, option) / 1000 } : { backMs };
}

/** `[FILE:]BYTES`, the bytes in decimal or, as messages show them too, in hexadecimal with 0x. */
export function placeOf(text: string, option: string): { file: string | null; bytes: number } {
  const [, file, number = ''] = /^(?:(.+):)?([^:]*)$/s.exec(text) ?? [];
  const bytes = /^(\d+|0x[0-9a-f]+)$/i.test(number) ? Number(number) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `${option}: '${text}' is not [FILE:]BYTES`,
      'give 4096 or appendonly.aof.2.incr.aof:4096',
    );
  }
  return { file: file ?? null, bytes };
}
