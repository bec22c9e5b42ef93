import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_CUT } from '../../../src/aof/cut.js';
import { readLog } from '../../../src/aof/log.js';
import { openAofSet } from '../../../src/aof/set.js';
import { COMMANDS } from '../../../src/keyspace/commands/table.js';
import { RdbSink } from '../../../src/rdb/handler.js';
import { CommandSpans } from '../../../src/resp/command.js';
import { type DigestReport, digest } from '../../../src/tools/digest.js';
import { EVERY_KEY } from '../../../src/tools/filter.js';
import { ANY_KEYS, reachOf } from '../../../src/tools/replay/parts/reach.js';
import { PLAIN_REPLAY, type ReplayOptions, type ReplayReport, replay } from '../../../src/tools/replay.js';
import { openSource } from '../../../src/tools/source.js';
import { aofCases, CORPUS_SERVERS } from '../../support/corpus.js';
import { THOROUGH } from '../../support/effort.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { testContext } from '../context.js';

/** What must not depend on how many parts there are. */
function told({ output: _output, ...report }: ReplayReport): unknown {
  const { file, ...place } = report.stoppedAt;
  return { ...report, stoppedAt: { ...place, file: file?.name } };
}

async function replayed(
  path: string,
  options: Partial<ReplayOptions>,
  context = testContext(),
): Promise<ReplayReport> {
  const source = await openSource(path, { prefer: null, stdin: null as never, signal: context.signal });
  return replay(source, { ...PLAIN_REPLAY, onUnknown: 'skip', ...options }, context);
}

async function digestOf(path: string, like: DigestReport): Promise<string> {
  const [, product, version] = /^(\w+)-(.*)$/.exec(like.chosen.name)!;
  const source = await openSource(path, { prefer: null, stdin: null as never, signal: testContext().signal });
  const as = { product: product!, version: version! };
  const options = { as, conditions: EVERY_KEY, dialect: null, keys: null };
  const found = await digest(source as Parameters<typeof digest>[0], options, testContext());
  return found.digest;
}

/** A copy of a log without the commands that may reach any key; the log itself when it has none. */
async function partable(path: string): Promise<string> {
  const set = await openAofSet(path);
  const dropped: { file: string; start: number; end: number }[] = [];
  const handler = {
    ...{ rdb: new RdbSink(), full: false, drain: () => Promise.resolve(), fileStart: () => {} },
    apply: (command: CommandSpans, { file, offset, length }: { file: { path: string } } & Span) => {
      if (reachOf(command) === ANY_KEYS)
        dropped.push({ file: file.path, start: offset, end: offset + length });
    },
  };
  await readLog(set, handler, NO_CUT, { rdb: { verifyChecksum: false, deep: false } });
  if (dropped.length === 0) return path;
  const copy = join(temporaryDirectory('partable'), basename(path));
  cpSync(path, copy, { recursive: true });
  for (const file of new Set(dropped.map((each) => each.file))) {
    const bytes = readFileSync(file);
    const kept: Buffer[] = [];
    let at = 0;
    for (const { start, end } of dropped.filter((each) => each.file === file)) {
      kept.push(bytes.subarray(at, start));
      at = end;
    }
    writeFileSync(copy + file.slice(path.length), Buffer.concat([...kept, bytes.subarray(at)]));
  }
  return copy;
}

interface Span {
  readonly offset: number;
  readonly length: number;
}

/** One log of each server with one number of parts; all of both with more time. */
const COUNTS = [2, 3, 7];
const countsFor = (i: number): number[] => (THOROUGH ? COUNTS : [COUNTS[i % COUNTS.length]!]);
const LOGS = CORPUS_SERVERS.flatMap((server) => {
  const cases = aofCases(server);
  return THOROUGH ? cases : cases.slice(-1);
});

describe('logs part by part', () => {
  it.each(LOGS.map((each, i) => [each.title, each.path, i] as const))('%s', async (_title, path, i) => {
    const log = await partable(path);
    const whole = await replayed(log, {});
    for (const parts of countsFor(i)) {
      const form = i % 2 === 0 ? 'rdb' : 'resp';
      const out = join(temporaryDirectory('parts'), `out.${form}`);
      const output = { path: out, form, force: false, refuseLoss: false, target: null } as const;
      const parted = await replayed(log, { parts, output });
      expect(told(parted)).toEqual(told(whole));
      expect(parted.output!.published).toBe(true);
      if (parted.output!.lostCount === 0)
        expect(await digestOf(out, whole.digest!)).toBe(whole.digest!.digest);
    }
  });
});

it('lets go of what was read before a part, and before each of the others', async () => {
  const log = await partable(LOGS[0]!.path);
  const steps: string[] = [];
  const context = testContext({
    progress: ({ phase = '' }) => phase !== steps.at(-1) && steps.push(phase),
    reclaim: () => steps.push('reclaim'),
  });
  await replayed(log, { parts: 2 }, context);
  expect(steps.filter((step, i) => step !== steps[i - 1])).toEqual([
    ...['looking how to part', 'reclaim'],
    ...['replaying part 1 of 2', 'reclaim', 'replaying part 2 of 2', 'reclaim'],
  ]);
});

describe('a log that no part is small enough of', () => {
  // Memory is looked at every four megabytes.
  const large = Array<string>(6).fill(`SET big ${'v'.repeat(1 << 20)}`);
  const names = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const each = names.map((name) => `SET ${name} ${'v'.repeat(60_000)}`);

  /** Too much is held whenever a part has been read, until it is let go of. */
  async function refusal(log: string): Promise<unknown> {
    const path = join(temporaryDirectory('tight'), 'appendonly.aof');
    writeFileSync(path, log);
    let reclaims = 0;
    const context = testContext({
      memoryBytes: 1000,
      heldBytes: () => (reclaims > 0 ? 2000 : 300),
      progress: ({ phase, done }) => {
        if (phase?.startsWith('replaying part') === true && done > 0) reclaims = 2;
      },
      reclaim: () => {
        reclaims--;
      },
    });
    return replayed(path, { parts: 1 }, context).then(
      () => null,
      (error: Error) => error.message,
    );
  }

  it.each([
    ['one key', large, /: a single key, or a few, are most of one part$/],
    // Two small keys that belong together are not why.
    ['one key beside others', ['SET a 1', 'RENAME a b', ...large], /: a single key, or a few/],
    [
      'keys together',
      [...each, `SINTERSTORE ${names.join(' ')}`],
      /SINTERSTORE \(the first at offset \d+ of app/,
    ],
  ])('is refused for %s', async (_name, commands, why) => {
    const message = await refusal(resp(...commands));
    expect(message).toMatch(/outgrows --memory \(1000 bytes, of which 300 were held before/);
    expect(message).toMatch(why);
  });
});

describe('what a command reaches', () => {
  it('is known of every command that the engine executes', () => {
    const args = ['1', '1', '1', '1', '1', '1'];
    const any = COMMANDS.filter(({ name }) => reachOf(CommandSpans.of(name, ...args)) === ANY_KEYS);
    expect(any.map(({ name }) => name)).toEqual(['EVAL', 'EVALSHA']);
  });
});
