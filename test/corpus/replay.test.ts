import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import type { LogContext } from '../../src/aof/log.js';
import { openAofSet } from '../../src/aof/set.js';
import type { Engine } from '../../src/keyspace/engine.js';
import type { Keyspace } from '../../src/keyspace/keyspace.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import type { CommandSpans } from '../../src/resp/command.js';
import { serverNamed } from '../../src/tools/family.js';
import { rebuild } from '../../src/tools/rebuild.js';
import { runCli } from '../cli/memory-io.js';
import { aofCases, type Checkpoint, CORPUS_NOW, CORPUS_SERVERS } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { digestName, sizeOf } from '../support/verdict.js';

/**
 * Logs of 2.8 hold relative TTLs, and time passed while the server loaded these cuts: its digests lack keys of less
 * than two seconds that the log still holds.
 */
const LOADED_WHILE_TIME_PASSED = new Set([
  'redis-2.8.24/workload-norewrite@2954',
  'redis-2.8.24/workload-norewrite@34053',
  'redis-2.8.24/workload-plain@29781',
  'redis-2.8.24/workload-plain@60318',
  'redis-2.8.24/workload-plain@61341',
]);

/** These keep the half of a transaction that a cut leaves; rekindle applies it whole or not at all. */
const HALF_TRANSACTIONS = new Set(['redis-2.8.24', 'redis-3.2.13']);

interface Replayed {
  readonly digest: string;
  readonly keys: number;
  readonly stoppedAt: { readonly file: string; readonly offset: number; readonly reason: string };
}

async function replay(path: string, server: string, ...until: string[]): Promise<Replayed> {
  const ran = await runCli(['replay', path, '--json', '--as', digestName(server), ...until]);
  expect(ran).toMatchObject({ exit: 0 });
  return JSON.parse(ran.stdout) as Replayed;
}

const MULTI = '*1\r\n$5\r\nMULTI\r\n';

/** Where the transactions begin that points of a log stand in: `file:offset`. Only there is the state before worth its time. */
function beginnings(path: string, points: readonly Checkpoint[]): Set<string> {
  const single = statSync(path).isFile();
  return new Set(
    points
      .filter(({ inside_multi: insideMulti }) => insideMulti)
      .map(({ file, offset }) => {
        const bytes = readFileSync(single ? path : join(path, 'appendonlydir', file));
        return `${file}:${bytes.lastIndexOf(MULTI, offset)}`;
      }),
  );
}

/** Offset, digest and number of keys at each of some points of a log, in one pass over it. */
async function passing(
  path: string,
  server: string,
  points: readonly Checkpoint[],
): Promise<(string | number)[][]> {
  const as = serverNamed(digestName(server), 'as');
  const left = [...points].sort((a, b) => a.offset - b.offset);
  const open = beginnings(path, points);
  const seen = new Map<Checkpoint, (string | number)[]>();
  const stateOf = (keyspace: Keyspace): (string | number)[] => {
    const digest = new DigestHandler({
      ...digestFamilyOf(as.product, as.version),
      nowMs: NOW_MS,
      onKey: null,
    });
    keyspace.walk(digest).run();
    return [digest.result(), keyspace.size];
  };
  // What was before the transaction at hand: a log that ends inside it has nothing of it.
  let before: (string | number)[] | null = null;
  const watch = {
    satisfied: false,
    take: (_command: CommandSpans, context: LogContext, { keyspace }: Engine): boolean => {
      const { file, offset, length, inTransaction } = context;
      if (!inTransaction) before = null;
      else if (open.has(`${file.name}:${offset}`)) before = stateOf(keyspace);
      while (left.length > 0 && left[0]!.file === file.name && left[0]!.offset < offset + length) {
        const point = left.shift()!;
        seen.set(point, [point.offset, ...(before ?? stateOf(keyspace))]);
      }
      return false;
    },
  };
  const options = { cut: NO_CUT, as, onUnknown: 'stop', dialect: null, watch } as const;
  const { keyspace } = await rebuild(await openAofSet(path), options, context);
  for (const point of left) seen.set(point, [point.offset, ...stateOf(keyspace)]);
  return points.map((point) => seen.get(point)!);
}

const NOW_MS = CORPUS_NOW * 1000;

const context = {
  nowMs: NOW_MS,
  clock: () => 0,
  signal: new AbortController().signal,
  progress: () => {},
  memoryBytes: 2 ** 40,
  heldBytes: () => 0,
};

const SERVERS = CORPUS_SERVERS.filter((server) => aofCases(server).length > 0);

describe.each(SERVERS)('%s', (server) => {
  for (const [i, { name, title, path, truth }] of aofCases(server).entries()) {
    // Every point and time costs a pass over a log or a whole dataset: in a plain run a third of them, others for each log.
    const isTurn = (k: number): boolean => THOROUGH || (k + i + SERVERS.indexOf(server)) % 3 === 0;

    test(`${name} to its end`, async () => {
      const { digest, keys } = await replay(path, server);
      expect(digest).toBe(truth.digest);
      expect(keys).toBe(sizeOf(truth.dbsize));
    });

    const checkpoints = (truth.checkpoints ?? []).filter(
      ({ offset, inside_multi: insideMulti }) =>
        !LOADED_WHILE_TIME_PASSED.has(`${title}@${offset}`) &&
        !(insideMulti && HALF_TRANSACTIONS.has(server)),
    );
    const passed = checkpoints.filter((_, k) => isTurn(k));
    if (passed.length > 0) {
      test(`${name} at ${passed.length} points on its way`, async () => {
        const told = passed.map(({ offset, digest, dbsize }) => [offset, digest, sizeOf(dbsize)]);
        expect(await passing(path, server, passed)).toEqual(told);
      });
    }

    // To cut there says the same as to pass by; once in each way, as every cut reads the log from its beginning.
    for (const wanted of THOROUGH ? [true, false] : [isTurn(0)]) {
      const checkpoint = checkpoints.find(({ inside_multi: insideMulti }) => insideMulti === wanted);
      if (checkpoint === undefined) continue;
      const { file, offset } = checkpoint;
      test(`${name} until offset ${offset}${wanted ? ', inside a transaction' : ''}`, async () => {
        const replayed = await replay(path, server, '--until-offset', `${file}:${offset}`);
        expect(replayed.digest).toBe(checkpoint.digest);
        expect(replayed.keys).toBe(sizeOf(checkpoint.dbsize));
        expect(replayed.stoppedAt.file.endsWith(file)).toBe(true);
        if (wanted) expect(replayed.stoppedAt.offset).toBeLessThan(offset);
        else expect(replayed.stoppedAt.offset).toBe(offset);
      });
    }

    for (const [k, cut] of (truth.truncate_to_timestamp ?? []).entries()) {
      if (!isTurn(k)) continue;
      if (cut.digest === undefined) continue; // the official tool refused: it cuts the last file only
      test(`${name} until second ${cut.timestamp}`, async () => {
        const { digest } = await replay(path, server, '--until-time', String(cut.timestamp));
        expect(digest).toBe(cut.digest);
      });
    }
  }
});
