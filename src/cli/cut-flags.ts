import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { CommandPattern } from '../resp/pattern.js';
import type { CutRequest } from '../tools/replay.js';
import { parseCount, parseInstant, parseSpanBack } from './values.js';

/** The points in time of cli.md. */
export interface CutFlags {
  readonly untilOffset?: string;
  readonly untilTime?: string;
  readonly untilCommand?: string;
  readonly before?: readonly string[];
}

export function cutOptions(command: Command): Command {
  return command
    .optionsGroup('Points in time (the earliest wins; default: the last complete command):')
    .option(
      '--until-offset <[file:]bytes>',
      'the last command that ends at or before BYTES in FILE (default: the last file)',
    )
    .option(
      '--until-time <time>',
      'before the first #TS annotation later: unix seconds, ISO 8601, or -15m from the last one',
    )
    .option('--until-command <n>', 'the N-th command over all files, SELECT, MULTI and EXEC counted')
    .option(
      '--before <pattern>',
      "before the first command that matches: FLUSHALL, 'DEL user:*'; may be repeated",
      gather,
    )
    .optionsGroup('Options:');
}

const gather = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

/** @throws UsageError for a value that is none */
export function cutOf(flags: CutFlags): CutRequest {
  const { untilOffset, untilTime, untilCommand, before } = flags;
  const backMs = untilTime === undefined ? null : parseSpanBack(untilTime);
  return {
    offset: untilOffset === undefined ? null : offsetOf(untilOffset),
    seconds:
      untilTime === undefined || backMs !== null ? null : parseInstant(untilTime, '--until-time') / 1000,
    backMs,
    commands: untilCommand === undefined ? null : parseCount(untilCommand, '--until-command'),
    before: (before ?? []).map((text) => new CommandPattern(text)),
  };
}

/** `[FILE:]BYTES`, the bytes in decimal or, as messages show them too, in hexadecimal with 0x. */
function offsetOf(text: string): CutRequest['offset'] {
  const [, file, number = ''] = /^(?:(.+):)?([^:]*)$/s.exec(text) ?? [];
  const bytes = /^(\d+|0x[0-9a-f]+)$/i.test(number) ? Number(number) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `--until-offset: '${text}' is not [FILE:]BYTES`,
      'give 4096 or appendonly.aof.2.incr.aof:4096',
    );
  }
  return { file: file ?? null, bytes };
}
