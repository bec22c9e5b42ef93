import { describe, expect, test } from 'vitest';
import { CommandPattern } from '../../../src/resp/pattern.js';
import { TimeMachine } from '../../../src/tools/explore/time-machine.js';
import { serverNamed } from '../../../src/tools/family.js';
import { openSource } from '../../../src/tools/library.js';
import { aofCases, type Checkpoint, CORPUS_SERVERS, corpusPath } from '../../support/corpus.js';
import { seeds, THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { digestName, sizeOf } from '../../support/verdict.js';
import { testContext } from '../context.js';

const SERVERS = CORPUS_SERVERS.filter((server) => THOROUGH || server === 'redis-7.0.15');

/** Small stretches, so that small logs have several snapshots. */
const SMALL = { as: null, dialect: null, snapshotBytes: 0, chunkBytes: 4096 };

async function open(path: string, heldBytes = () => 0, memoryBytes = Number.POSITIVE_INFINITY) {
  return TimeMachine.open(await openSource(path), SMALL, testContext({ heldBytes, memoryBytes }));
}

/** Logs without an RDB do not say who wrote them: the machine is told, as a user tells it by `--as`. */
async function openAs(server: string, path: string) {
  const as = serverNamed(digestName(server), '--as');
  return { as, machine: await TimeMachine.open(await openSource(path), { ...SMALL, as }, testContext()) };
}

/** Those that rekindle and the server agree on: see test/corpus/replay.test.ts. */
function checkpointsOf(server: string, all: readonly Checkpoint[]): Checkpoint[] {
  const halves = server === 'redis-2.8.24' || server === 'redis-3.2.13';
  return all.filter(({ inside_multi: inside }) => !(inside && halves));
}

function workloadsOf(server: string) {
  if (server === 'redis-2.8.24') return [];
  return aofCases(server).filter(
    ({ name, truth }) => (truth.checkpoints?.length ?? 0) > 0 && (THOROUGH || name === 'workload'),
  );
}

describe.each(SERVERS.filter((server) => workloadsOf(server).length > 0))('%s', (server) => {
  test.each(workloadsOf(server))(
    '$title, back and forth between its checkpoints',
    async ({ path, truth }) => {
      const { as, machine } = await openAs(server, path);
      const random = new Random(seeds('explore')[0]!);
      const checkpoints = checkpointsOf(server, truth.checkpoints!);
      for (let i = 0; i < checkpoints.length * (THOROUGH ? 4 : 1); i++) {
        const { file, offset, digest, dbsize } = random.pick(checkpoints);
        const index = machine.set.files.findIndex(({ name }) => name === file);
        const position = await machine.atOffset(index, offset);
        expect(await machine.seek(position)).toBe(position);
        expect(machine.keys).toBe(sizeOf(dbsize));
        const shown = await machine.digest(as);
        expect(shown.digest, `${file} at ${offset}`).toBe(digest);
      }
      expect(machine.snapshots.count).toBeGreaterThan(1);
    },
  );
});

describe('a time machine', () => {
  const workload = corpusPath('redis-7.0.15', 'workload');
  const seedApp = corpusPath('redis-7.0.15', 'seed-app');

  test('executes by the rules of the server it is told of, where the log does not say', async () => {
    const { path, truth } = aofCases('redis-3.2.13').find(({ name }) => name === 'workload-norewrite')!;
    const told = await openAs('redis-3.2.13', path);
    const untold = await open(path);
    // Where 3.2 has counted a HyperLogLog, in its own way, and has written the count into the value.
    const { offset, digest } = truth.checkpoints!.find((checkpoint) => checkpoint.offset === 15_652)!;
    for (const machine of [told.machine, untold]) await machine.seek(await machine.atOffset(0, offset));
    expect((await told.machine.digest(told.as)).digest).toBe(digest);
    expect((await untold.digest(told.as)).digest).not.toBe(digest);
  });

  test('gives up snapshots when memory is short, and is right without them', async () => {
    const free = await open(workload);
    await free.seek(free.length);
    const { digest } = await free.digest(null);
    const before = await free.seek(100);
    const early = await free.digest(null);
    const tight = await open(workload, () => 99, 100);
    await tight.seek(tight.length);
    expect(tight.snapshots.count).toBe(0);
    expect((await tight.digest(null)).digest).toBe(digest);
    expect(await tight.seek(100)).toBe(before);
    expect((await tight.digest(null)).digest).toBe(early.digest);
  });

  test('refuses a dataset beyond the memory', async () => {
    let held = 0;
    const machine = await open(workload, () => held, 100);
    held = 101;
    await expect(machine.seek(machine.length)).rejects.toThrow('outgrows --memory');
  });

  test('stands somewhere right when a walk is ended', async () => {
    const machine = await open(seedApp);
    const ender = new AbortController();
    const reached = await machine.seek(machine.length, {
      signal: ender.signal,
      progress: (share) => share > 0.3 && ender.abort(),
    });
    expect(reached).toBeGreaterThan(0);
    expect(reached).toBeLessThan(machine.length);
    const { digest } = await machine.digest(null);
    const other = await open(seedApp);
    expect(await other.seek(reached)).toBe(reached);
    expect((await other.digest(null)).digest).toBe(digest);
    await machine.seek(machine.length);
    await other.seek(other.length);
    expect((await machine.digest(null)).digest).toBe((await other.digest(null)).digest);
  });

  test('applies a transaction whole or not at all', async () => {
    const machine = await open(workload);
    const rows = await machine.rows(1, machine.length);
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
    const multi = rows.find(({ args }) => args[0]!.toString() === 'MULTI')!;
    expect(multi.inTransaction).toBe(true);
    expect(await machine.seek(multi.number)).toBe(multi.number - 1);
    expect(await machine.seek(multi.number + 1)).toBe(multi.number - 1);
  });

  test('finds commands in both directions, and those that lose much', async () => {
    const machine = await open(workload);
    const rows = await machine.rows(1, machine.length);
    const wanted = rows.filter(({ args }) => args[0]!.toString().toUpperCase() === 'FLUSHALL');
    const pattern = new CommandPattern('flushall');
    const { signal } = new AbortController();
    expect(wanted.length).toBeGreaterThan(0);
    expect(await machine.next(pattern, 0, signal)).toBe(wanted[0]!.number - 1);
    expect(await machine.previous(pattern, machine.length, signal)).toBe(wanted.at(-1)!.number - 1);
    expect(await machine.previous(pattern, wanted[0]!.number - 1, signal)).toBeNull();
    expect(await machine.next(pattern, machine.length, signal)).toBeNull();
    await machine.seek(wanted[0]!.number - 2);
    expect(machine.danger(1)).toBe(wanted[0]!.number - 1);
  });

  test('goes to a time by the rule of the official tool', async () => {
    const truth = aofCases('redis-7.0.15').find(({ name }) => name === 'workload')!.truth;
    const machine = await open(workload);
    for (const { timestamp, digest } of truth.truncate_to_timestamp!) {
      if (digest === undefined) continue;
      await machine.seek(await machine.atTime(timestamp * 1000));
      expect((await machine.digest(null)).digest).toBe(digest);
    }
  });
});
