import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { type SampleKey, tell } from '../property/sample.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { mutated, smallDataset } from '../support/mutations.js';
import { Random } from '../support/random.js';
import { memoryWriter } from '../support/rdb.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('mutations');
const KINDS = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'array'] as const;
const MUTATIONS = 1000;
let places = 0;

function written(keys: readonly SampleKey[], random: Random, server: string): string {
  const { writer, written } = memoryWriter(server, { compress: random.once(2) });
  tell(keys, writer, random);
  writer.finish();
  const path = place('side.rdb');
  writeFileSync(path, written().bytes);
  return path;
}

function place(name: string): string {
  mkdirSync(join(room, String(++places)));
  return join(room, String(places), name);
}

/** What is told, as `op db name value ttl`. */
async function diff(...args: string[]): Promise<{ told: string[]; summary: Record<string, unknown> }> {
  const { exit, stdout, stderr } = await runCli(['diff', ...args, '--json']);
  expect(exit, stderr).toBeLessThan(2);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const told = lines.slice(0, -1).map(({ op, db, key, value, ttl }) => {
    const name = typeof key === 'string' ? Buffer.from(key) : Buffer.from(key.base64, 'base64');
    return line(op, db, name, op === 'changed' && value, op === 'changed' && ttl !== null);
  });
  return { told: told.sort(), summary: lines.at(-1).summary };
}

const line = (op: string, db: number, name: Buffer, value: boolean, ttl: boolean): string =>
  `${op} ${db} ${name.toString('base64')} ${value} ${ttl}`;

/** The dataset with so many keys changed, and what is to be told of it. */
function change(keys: readonly SampleKey[], random: Random): { after: SampleKey[]; expected: string[] } {
  const chosen = new Set<number>();
  while (chosen.size < MUTATIONS) chosen.add(random.below(keys.length));
  const after: SampleKey[] = [];
  const expected: string[] = [];
  for (const [i, key] of keys.entries()) {
    const { db, key: name, expiresAtMs } = key;
    const what = chosen.has(i) ? random.below(12) : -1;
    if (what === 0) {
      expected.push(line('removed', db, name, false, false));
      continue;
    }
    const later = expiresAtMs < 0 ? 4102444800000 : random.once(2) ? -1 : expiresAtMs + 1;
    const timed = what === 2 || what === 3;
    const valued = what >= 3;
    after.push({
      ...key,
      expiresAtMs: timed ? later : expiresAtMs,
      value: valued ? mutated(key.value, random) : key.value,
    });
    if (what === 1) {
      const fresh = Buffer.concat([name, Buffer.from([0])]);
      after.push({ ...key, key: fresh });
      expected.push(line('added', db, fresh, false, false));
    }
    if (timed || valued) expected.push(line('changed', db, name, valued, timed));
  }
  return { after, expected: expected.sort() };
}

describe('a thousand changes', () => {
  test.each(seeds('mutations').slice(THOROUGH ? 0 : 1, 20))(
    'are found, each and nothing else, and patched (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      const keys = smallDataset(KINDS, 2500, random);
      const { after, expected } = change(keys, random);
      const shuffled = [...after].sort((a, b) => a.db - b.db || (random.once(2) ? 1 : -1));
      const [a, b] = [written(keys, random, 'redis-8.8'), written(shuffled, random, 'redis-8.8')];
      const patch = place('patch.resp');
      const { told, summary } = await diff(a, b, '--patch', patch);
      expect(told).toEqual(expected);
      const apart = expected.filter((each) => !each.startsWith('added')).length;
      expect(summary).toMatchObject({ same: keys.length - apart, lost: [] });
      const log = place('patched.aof');
      expect((await runCli(['convert', a, log, '--to', 'resp'])).exit).toBe(0);
      writeFileSync(log, Buffer.concat([readFileSync(log), readFileSync(patch)]));
      expect((await diff(log, b)).told).toEqual([]);
    },
  );
});
