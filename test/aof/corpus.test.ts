import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAofSet } from '../../src/aof/set.js';
import {
  aofCases,
  CORPUS_SERVERS,
  CORRUPT_SERVERS,
  type CorruptTruth,
  corruptCases,
} from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { record } from '../support/log.js';

const SERVERS = CORPUS_SERVERS.filter((server) => aofCases(server).length > 0);

describe.each(SERVERS)('logs of %s', (server) => {
  test.each(aofCases(server).map((each) => [each.title, each] as const))('%s', async (_, { path, truth }) => {
    const { name, commands, by_command, timestamps } = truth.last_file;
    const set = await openAofSet(path);
    expect(set.findings).toEqual([]);
    const { recorder, end } = await record(set);
    expect(end.stoppedAt.reason).toBe('end');
    expect(end.findings).toEqual([]);
    expect(end.stoppedAt.file?.name).toBe(name);
    expect(end.stoppedAt.offset).toBe(end.stoppedAt.file?.size);
    expect(recorder.counts.get(name)).toBe(commands);
    expect(Object.fromEntries(recorder.names.get(name)!)).toEqual(by_command);
    expect(end.annotations).toBeGreaterThanOrEqual(timestamps);
  });

  const withCheckpoints = aofCases(server).filter(({ truth }) => truth.checkpoints !== undefined);
  test.each(withCheckpoints.map((each) => [each.title, each] as const))(
    'checkpoints of %s',
    async (_, { path, truth }) => {
      const set = await openAofSet(path);
      // Each reads the log from its beginning: in a plain run every second point, every sixth of a long one, others for the next server.
      const every = THOROUGH ? 1 : truth.keys.length < 1000 ? 2 : 6;
      const first = SERVERS.indexOf(server) % every;
      for (const point of truth.checkpoints!.filter((_, i) => i % every === first)) {
        const { recorder, end } = await record(set, { offset: { file: point.file, bytes: point.offset } });
        const { offset, reason, timeMs } = end.stoppedAt;
        expect(reason).toBe('offset');
        if (point.inside_multi) {
          // The records of the transaction so far are left out, its MULTI among them.
          expect(offset).toBeLessThan(point.offset);
          expect(recorder.counts.get(point.file)).toBeLessThan(point.records_before);
        } else {
          expect(offset).toBe(point.offset);
          expect(recorder.counts.get(point.file)).toBe(point.records_before);
          if (point.timestamp !== null) expect(timeMs).toBe(point.timestamp * 1000);
        }
      }
    },
  );

  const withTimes = aofCases(server).filter(({ truth }) => truth.truncate_to_timestamp !== undefined);
  test.each(withTimes.map((each) => [each.title, each] as const))(
    'times of %s',
    async (_, { path, truth }) => {
      const set = await openAofSet(path);
      const turn = SERVERS.indexOf(server);
      const cuts = truth.truncate_to_timestamp!.filter((_, i) => THOROUGH || (i + turn) % 2 === 0);
      for (const { timestamp, digest, files_after, output } of cuts) {
        const { end } = await record(set, { seconds: timestamp });
        const { file, offset } = end.stoppedAt;
        // Without a digest the tool refused to cut: nothing of its last file, or an earlier file, would have remained.
        if (digest === undefined) expect(output).toMatch(/nothing before|is not the last file/);
        else
          expect([file?.name, offset]).toEqual([
            truth.last_file.name,
            files_after![truth.last_file.name]!.size,
          ]);
      }
    },
  );
});

/** Where servers and we differ on whether a damaged log is loaded, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'aof-bad-arity': 'the server crashes or refuses; the framing is sound',
  'aof-bad-command': 'the framing is sound',
  'aof-bad-command-in-multi': 'the framing is sound',
  'aof-empty-command': 'the framing is sound',
  'aof-discard-in-multi': 'the server crashes; the framing is sound',
  'aof-len-huge': 'some servers crash on the length; the others cut the tail, as we do',
  'manifest-absent': 'the server starts empty; we refuse to call that the log',
};

/** Where the server leaves an open MULTI, or the half of a transaction, and we cut before it. */
const CUT_EARLIER = ['aof-trunc-in-multi', 'aof-trunc-in-multi-mid-cmd', 'aof-trunc-after-multi'];

const cutOffset = (truth: CorruptTruth) => /at offset (\d+)/.exec(truth.load.log.join('\n'))?.[1];

test.each(CORRUPT_SERVERS)('damaged logs are loaded or refused as %s did', async (server) => {
  const cases = corruptCases(server).filter(({ name }) => /^(aof|manifest|preamble)-/.test(name));
  expect(cases.length).toBeGreaterThan(50);
  // Servers agree on most of them: in a plain run each is taken of every third server.
  const turn = CORRUPT_SERVERS.indexOf(server);
  for (const { name, title, path, truth } of cases.filter((_, i) => THOROUGH || (i + turn) % 3 === 0)) {
    const outcome = await openAofSet(path)
      .then(record)
      .catch((error: { code?: string }) => {
        expect(error.code, title).toMatch(/^(aof|rdb|manifest|set)\//);
        return null;
      });
    if (name in DIFFERENT) continue;
    expect(outcome !== null, title).toBe(truth.load.started);
    const cut = cutOffset(truth);
    if (outcome === null || cut === undefined) continue;
    const { offset, reason } = outcome.end.stoppedAt;
    expect(reason, title).toBe('torn-tail');
    if (CUT_EARLIER.includes(name)) expect(offset, title).toBeLessThanOrEqual(Number(cut));
    else expect(offset, title).toBe(Number(cut));
  }
});

test('nothing in a set is written to', async () => {
  const [first] = aofCases('redis-7.0.15');
  const directory = join(first!.path, 'appendonlydir');
  const before = readdirSync(directory);
  await record(await openAofSet(first!.path));
  expect(readdirSync(directory)).toEqual(before);
});
