import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_CUT } from '../../../src/aof/cut.js';
import type { Progress } from '../../../src/tools/context.js';
import { PLAIN_REPLAY, type ReplayReport, replay } from '../../../src/tools/replay.js';
import { openSource } from '../../../src/tools/source.js';
import { seeds, THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { testContext } from '../context.js';

const COMMANDS = 400;

function record(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

/** Any command about keys of few kinds, so that many are refused for the kind of what they meet. */
function randomCommand(random: Random): string[] {
  // Pairs of keys that belong together, and some that belong to nobody.
  const at = random.below(40);
  const a = `a${at}`;
  const b = `b${at}`;
  const any = (): string => `c${random.below(60)}`;
  const choices: string[][] = [
    ['SET', any(), '1'],
    ['INCR', any()],
    ['SADD', a, 'x', any()],
    ['SADD', b, 'y', any()],
    ['LPUSH', any(), 'e', 'f'],
    ['HSET', any(), 'f', '1'],
    ['ZADD', b, '1', 'm'],
    ['RENAME', a, b],
    ['RENAMENX', b, a],
    ['COPY', a, b, 'DB', '1', 'REPLACE'],
    ['MOVE', any(), '1'],
    ['SMOVE', a, b, 'x'],
    ['SUNIONSTORE', a, b],
    ['ZUNIONSTORE', b, '1', a],
    ['BITOP', 'OR', a, b, a],
    ['PFMERGE', a, b],
    ['SORT', a, 'BY', 'nosort', 'STORE', b],
    ['MSETNX', a, '1', b, '2'],
    ['MSET', any(), '3', any(), 'x', any(), '4'],
    ['DEL', any(), any(), a, any()],
    ['UNLINK', any(), any()],
    ['MSET', any(), '1', any()],
    ['SELECT', String(random.below(3))],
    ['SELECT', 'x'],
    ['SWAPDB', '0', '1'],
    ['PEXPIREAT', any(), '1893456000000'],
    ['NOSUCH', any()],
    ['FUNCTION', 'FLUSH'],
  ];
  if (random.below(150) === 0) return ['FLUSHDB'];
  return choices[random.below(choices.length)]!;
}

function logOf(seed: number): string {
  const random = new Random(seed);
  const parts: string[] = [];
  for (let i = 0; i < COMMANDS; i++) {
    const command = record(randomCommand(random));
    parts.push(random.below(12) === 0 ? record(['MULTI']) + command + record(['EXEC']) : command);
  }
  const path = join(temporaryDirectory('random'), 'appendonly.aof');
  writeFileSync(path, parts.join(''));
  return path;
}

async function replayed(
  path: string,
  commands: number,
  parts: number,
  told: Progress[],
): Promise<ReplayReport> {
  const context = testContext({}, told);
  const source = await openSource(path, { prefer: null, stdin: null, signal: context.signal });
  const cut = { ...NO_CUT, backMs: null, commands };
  return replay(source, { ...PLAIN_REPLAY, cut, onUnknown: 'skip', ...(parts > 1 && { parts }) }, context);
}

function plain(report: ReplayReport): unknown {
  return { ...report, stoppedAt: { ...report.stoppedAt, file: report.stoppedAt.file?.name } };
}

describe('commands about several keys, part by part', () => {
  it.each(seeds('parts'))('come to the same at any point (seed %s)', async (seed) => {
    const path = logOf(seed);
    const told: Progress[] = [];
    for (let commands = COMMANDS; commands > 0; commands -= THOROUGH ? 1 : 97) {
      const parted = await replayed(path, commands, 2 + (commands % 4), told);
      expect(plain(parted), `until ${commands}`).toEqual(plain(await replayed(path, commands, 1, [])));
    }
    expect(new Set(told.map(({ phase }) => phase))).toContain('replaying part 2 of 2');
  });
});
