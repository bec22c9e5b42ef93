import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cut, NO_CUT } from '../../src/aof/cut.js';
import { singleFileSet } from '../../src/aof/set.js';
import { MemorySource } from '../../src/bytes/source.js';
import { Walk } from '../../src/keyspace/walk.js';
import { DigestHandler } from '../../src/model/digest.js';
import { FINDINGS } from '../../src/model/finding.js';
import { rebuild } from '../../src/tools/rebuild.js';
import { DamageError } from '../../src/tools/report.js';
import { corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { flips, still } from './damage.js';

const intact = corruptCases('redis-7.0.15').find(({ name }) => name === 'aof-intact')!;
const whole = readFileSync(join(intact.path, 'appendonlydir/appendonly.aof.3.incr.aof'));

describe('replay of a small log', () => {
  test('cut anywhere is replay of the whole up to there', async () => {
    for (let length = 0; length <= whole.length; length += THOROUGH ? 1 : 7) {
      const torn = await digestOf(whole.subarray(0, length), NO_CUT);
      const cut = await digestOf(whole, { ...NO_CUT, offset: { file: null, bytes: length } });
      expect([length, torn]).toEqual([length, cut]);
    }
  });

  test('with any byte changed ends in a dataset or a finding', async () => {
    let [datasets, findings] = [0, 0];
    for (const { at, damaged } of flips(whole)) {
      try {
        expect(await digestOf(damaged, NO_CUT)).toMatch(/^[0-9a-f]{40}$/);
        datasets++;
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        const { code, where } = error.finding;
        const isInside = where.offset >= 0 && where.offset <= whole.length;
        if (!(code in FINDINGS) || !isInside) expect.fail(`byte ${at}: ${code} at ${where.offset}`);
        findings++;
      }
    }
    expect(Math.min(datasets, findings)).toBeGreaterThan((datasets + findings) / 10);
  });
});

async function digestOf(bytes: Buffer, cut: Cut): Promise<string> {
  const set = await singleFileSet(new MemorySource(bytes, 'appendonly.aof'));
  const { keyspace } = await rebuild(set, { cut, as: null, onUnknown: 'stop', dialect: null }, still);
  const digest = new DigestHandler({
    scoreText: '17g',
    fieldTtls: false,
    skipsExpiredFields: false,
    nowMs: null,
    onKey: null,
  });
  new Walk(keyspace, digest).run();
  return digest.result();
}
