import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { CORRUPT_SERVERS, type CorpusCase, type CorruptTruth, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { alike } from '../support/same.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { digestName } from '../support/verdict.js';
import { commandsIn, isSubsequence, untouched } from './plain-log.js';

// Damaged files repaired in both ways: one in sixty, others for each server, or all with REKINDLE_FUZZ_RUNS.

type Strategy = 'truncate' | 'skip';
type Case = CorpusCase<CorruptTruth>;
type Files = Readonly<Record<string, Buffer>>;

interface Repaired {
  readonly exit: number;
  readonly out: string;
  readonly actions: readonly {
    readonly file: string;
    readonly kind: string;
    readonly from: number;
    readonly to: number;
  }[];
  readonly refusal: string | null;
}

/** Where there is nothing to save, and `repair` says so. */
const NOTHING_TO_SAVE: Readonly<Record<string, string>> = {
  'aof-lf-only': 'no line ends as lines of a log do',
  'rdb-empty-file': 'no byte',
  'rdb-trunc-at-4': 'half a header',
  'rdb-trunc-at-9': 'a header',
  'rdb-trunc-at-12': 'a header and the beginning of a field',
  'redis-7.0.15/rdb-trunc-10pct': 'cut inside its first key',
};

/** Where nothing that existed stands before the damage: keys of an RDB stand in no order of time. */
const NOTHING_BEFORE: Readonly<Record<string, string>> = {
  'preamble-bad-magic': 'the damage is the first byte',
  'preamble-bitflip': 'a damaged base',
  'preamble-no-crc': 'a damaged base',
  'preamble-truncated': 'a damaged base',
  'manifest-base-bad-magic': 'the damage is the first byte',
  'manifest-base-bitflip': 'a damaged base',
  'manifest-base-truncated': 'a damaged base',
  'manifest-base-empty': 'no base',
  'manifest-missing-base': 'no base',
};

/** Where the repaired file holds something else than the server did that was started on the damaged one. */
const OTHER_STATE: Readonly<Record<string, string>> = {
  'aof-bad-select': 'this server had 16 databases, the log one more',
  'manifest-absent': 'the server starts empty, the repaired set does not',
  'keydb-6.3.4/rdb-dup-key': 'which of the two values is right, nobody can tell',
  'redis-2.8.24/aof-discard-in-multi': 'the server drops the transaction and goes on',
  'redis-3.2.13/aof-discard-in-multi': 'the server drops the transaction and goes on',
  'redis-2.8.24/aof-trunc-in-multi': 'the server applies the half of a transaction that is there',
  'redis-3.2.13/aof-trunc-in-multi': 'the server applies the half of a transaction that is there',
  'redis-4.0.14/rdb-bitflip-4-crcfixed': 'the server keeps a member twice',
  'redis-6.2.16/rdb-bitflip-3-crcfixed': 'the server serves a damaged stream',
  'redis-7.4.1/aof-bad-arity':
    'the server executes a SET without its value, with what lies behind it in memory',
};

const HOME = temporaryDirectory('repaired');
let count = 0;

describe.each(CORRUPT_SERVERS.map((server, i) => [server, (i * 7) % 60] as const))(
  'damaged files of %s',
  (server, turn) => {
    const all = corruptCases(server);
    const cases = THOROUGH ? all : all.filter((_, i) => i % 60 === turn);
    const intactLog = tree(all.find(({ name }) => name === 'aof-intact')!.path);

    test('cut before the damage', { timeout: 900_000 }, async () => {
      for (const one of cases) {
        const repaired = await repair(one.path, 'truncate');
        if (repaired.exit !== 0) {
          expectNoWay(one, repaired, { ...NOTHING_TO_SAVE, ...NOTHING_BEFORE });
          continue;
        }
        await expectClean(one, repaired, 'truncate');
        await expectServersState(one, repaired);
      }
    });

    test('freed of the damage alone', { timeout: 900_000 }, async () => {
      for (const one of cases) {
        const repaired = await repair(one.path, 'skip');
        if (repaired.exit !== 0) {
          expectNoWay(one, repaired, NOTHING_TO_SAVE);
          continue;
        }
        await expectClean(one, repaired, 'skip');
        if (one.name.startsWith('aof-')) expectCommandsKept(one, intactLog, repaired);
      }
    });
  },
);

test('a file of 2.8 whose version is lost becomes one that 2.8 and all later servers load', async () => {
  const one = corruptCases('redis-2.8.24').find(({ name }) => name === 'rdb-version-9999')!;
  const { out } = await repair(one.path, 'truncate');
  expect(tree(out)['']!.latin1Slice(0, 9)).toBe('REDIS0006');
});

async function repair(path: string, strategy: Strategy): Promise<Repaired> {
  const out = join(HOME, `${count++}${extname(path)}`);
  const { exit, stdout } = await runCli(['repair', path, '--out', out, '--strategy', strategy, '--json']);
  const { actions, refusal } = JSON.parse(stdout) as Pick<Repaired, 'actions' | 'refusal'>;
  expect(existsSync(out), path).toBe(exit === 0);
  return { exit, out, actions, refusal };
}

/** Refused with a reason, and for a reason that is known here. */
function expectNoWay(
  { title, name }: Case,
  { exit, refusal }: Repaired,
  known: Readonly<Record<string, string>>,
): void {
  expect({ exit, refusal }, title).toEqual({ exit: 1, refusal: 'obstacle' });
  expect(known[title] ?? known[name], `${title}: why nothing can be done`).toBeDefined();
}

/** The result checks clean, and repairing it again changes no byte. */
async function expectClean(one: Case, repaired: Repaired, strategy: Strategy): Promise<void> {
  const { exit, stdout } = await runCli(['check', repaired.out, '--json']);
  expect(exit, `${one.title}: ${stdout}`).toBe(0);
  const again = await repair(repaired.out, strategy);
  expect(again, one.title).toMatchObject({ exit: 0, actions: [] });
  alike(tree(again.out), tree(repaired.out), one.title);
}

/** Where the server started, the result is what it had in memory after its own cut. */
async function expectServersState({ title, name, server, truth }: Case, { out }: Repaired): Promise<void> {
  const { digest } = truth.load;
  if (digest === undefined || name in OTHER_STATE || title in OTHER_STATE) return;
  const filter = truth.kind === 'rdb' ? ['--expired', 'drop'] : [];
  const ran = await runCli(['digest', out, '--json', '--as', digestName(server), ...filter]);
  expect(ran.exit, title).toBe(0);
  expect(JSON.parse(ran.stdout), title).toMatchObject({ digest });
}

/** Every command that the damage did not touch is kept, and what is kept are bytes of the damaged file. */
function expectCommandsKept(one: Case, intactLog: Files, { out, actions }: Repaired): void {
  const result = tree(out);
  for (const [name, bytes] of Object.entries(tree(one.path))) {
    if (!/\.aof$|^$/.test(name)) continue;
    const whole = intactLog[name]!;
    const kept = commandsIn(result[name]!);
    const required = untouched(whole, bytes);
    expect(isSubsequence(required, kept), `${one.title}: ${required.length} of ${kept.length}`).toBe(true);
    const dropped = actions.filter(({ file, from, to }) => file.endsWith(name) && to > from);
    expect(without(bytes, dropped).equals(result[name]!), `${one.title}: kept and dropped`).toBe(true);
  }
}

function without(bytes: Buffer, ranges: readonly { readonly from: number; readonly to: number }[]): Buffer {
  const starts = [0, ...ranges.map(({ to }) => to)];
  const ends = [...ranges.map(({ from }) => from), bytes.length];
  return Buffer.concat(starts.map((start, i) => bytes.subarray(start, ends[i])));
}
