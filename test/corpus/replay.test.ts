import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { aofCases, CORPUS_SERVERS } from '../support/corpus.js';
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

describe.each(CORPUS_SERVERS.filter((server) => aofCases(server).length > 0))('%s', (server) => {
  for (const { name, title, path, truth } of aofCases(server)) {
    test(`${name} to its end`, async () => {
      const { digest, keys } = await replay(path, server);
      expect(digest).toBe(truth.digest);
      expect(keys).toBe(sizeOf(truth.dbsize));
    });

    for (const checkpoint of truth.checkpoints ?? []) {
      const { file, offset, inside_multi: insideMulti } = checkpoint;
      if (LOADED_WHILE_TIME_PASSED.has(`${title}@${offset}`)) continue;
      if (insideMulti && HALF_TRANSACTIONS.has(server)) continue;
      test(`${name} until offset ${offset}${insideMulti ? ', inside a transaction' : ''}`, async () => {
        const replayed = await replay(path, server, '--until-offset', `${file}:${offset}`);
        expect(replayed.digest).toBe(checkpoint.digest);
        expect(replayed.keys).toBe(sizeOf(checkpoint.dbsize));
        expect(replayed.stoppedAt.file.endsWith(file)).toBe(true);
        if (insideMulti) expect(replayed.stoppedAt.offset).toBeLessThan(offset);
        else expect(replayed.stoppedAt.offset).toBe(offset);
      });
    }

    for (const cut of truth.truncate_to_timestamp ?? []) {
      if (cut.digest === undefined) continue; // the official tool refused: it cuts the last file only
      test(`${name} until second ${cut.timestamp}`, async () => {
        const { digest } = await replay(path, server, '--until-time', String(cut.timestamp));
        expect(digest).toBe(cut.digest);
      });
    }
  }
});
