import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { SLOTS } from '../kernels/crc16.js';
import type { ValueKind } from '../model/kind.js';
import type { KeyConditions } from '../tools/filter.js';
import { parseCount, parseSize, parseWord } from './values.js';

/** Options of every command past which keys stream. */
export interface FilterFlags {
  readonly db?: readonly string[];
  readonly type?: readonly string[];
  readonly match?: readonly string[];
  readonly notMatch?: readonly string[];
  readonly regex?: readonly string[];
  readonly slot?: readonly string[];
  readonly expired?: string;
  readonly minSize?: string;
}

/** Types that --type names. */
export const KINDS: readonly ValueKind[] = [
  ...(['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'] as const),
  ...(['array', 'gcra', 'cron'] as const),
];

export function filterOptions(command: Command): Command {
  return command
    .optionsGroup('Filters (all must hold; each may be repeated):')
    .option('--db <n>', 'keys of this database; repeated: of any of them', gather)
    .option('--type <type>', `keys of this type: ${KINDS.join(', ')}; repeated: of any of them`, gather)
    .option('--match <glob>', 'keys that match, as KEYS does; repeated: that match every one', gather)
    .option('--not-match <glob>', 'keys that do not match; repeated: that match none', gather)
    .option('--regex <re>', 'keys in which the expression is found; repeated: every one', gather)
    .option('--slot <n[-m]>', 'keys of these cluster slots; repeated: of any of them', gather)
    .option('--expired <what>', 'keys past their TTL at --now: keep (default), drop, or only those')
    .option('--min-size <bytes>', 'keys whose value has at least this many bytes of content');
}

export const gather = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

/** @throws UsageError for a value that is none */
export function conditionsOf(flags: FilterFlags): KeyConditions {
  return {
    databases: (flags.db ?? []).map((text) => parseCount(text, '--db')),
    kinds: (flags.type ?? []).map((text) => parseWord(text, '--type', KINDS)),
    match: (flags.match ?? []).map(bytesOf),
    notMatch: (flags.notMatch ?? []).map(bytesOf),
    regex: (flags.regex ?? []).map(expressionOf),
    slots: (flags.slot ?? []).map(slotsOf),
    expired: parseWord(flags.expired ?? 'keep', '--expired', ['keep', 'drop', 'only']),
    minSizeBytes: flags.minSize === undefined ? 0 : parseSize(flags.minSize, '--min-size'),
  };
}

/** Whether any filter chooses among the keys. */
export function isFiltered({
  db,
  type,
  match,
  notMatch,
  regex,
  slot,
  expired,
  minSize,
}: FilterFlags): boolean {
  return [db, type, match, notMatch, regex, slot, expired, minSize].some((each) => each !== undefined);
}

/** An argument as the bytes the shell passed, one character each. */
export const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function expressionOf(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UsageError(`--regex: '${text}' is not a regular expression`, (error as Error).message);
  }
}

function slotsOf(text: string): readonly [number, number] {
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === '' || Number(first) > Number(last) || Number(last) >= SLOTS) {
    throw new UsageError(
      `--slot: '${text}' is no slot or range of slots`,
      `slots are 0 to ${SLOTS - 1}: 42 or 0-8191`,
    );
  }
  return [Number(first), Number(last)];
}
