import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink } from '../../src/rdb/handler.js';
import { DEFAULT_LIMITS } from '../../src/rdb/value-reader.js';
import type { RdbSurvey } from '../../src/salvage/rdb-report.js';
import { surveyRdb } from '../../src/salvage/rdb-survey.js';
import { writeSalvagedRdb } from '../../src/salvage/rdb-write.js';
import { THOROUGH } from '../support/effort.js';

interface Outcome {
  readonly untouched: number;
  readonly lost: readonly { readonly name: string }[];
  readonly invented: readonly string[];
  readonly survey: RdbSurvey;
}

interface Sweep {
  original(bytes: Buffer): Promise<object>;
  one(original: object, kind: string, seed: number): Promise<Outcome>;
}

const { RdbSweep, packedRdb, UNCHECKED } = (await import('../bench/salvage-rdb.mjs' as string)) as {
  RdbSweep: new (library: object) => Sweep;
  packedRdb(version: string): Buffer;
  UNCHECKED: string;
};

const sweep = new RdbSweep({
  pumpSource,
  MemorySource,
  MemoryTarget,
  RdbDecoder,
  RdbSink,
  DEFAULT_LIMITS,
  surveyRdb,
  writeSalvagedRdb,
});
const KINDS = [
  '1 byte',
  '64 bytes',
  'zeroed 4 KB page',
  '64 KB lost',
  'duplicated block',
  'three places',
  UNCHECKED,
];

/** `npm run salvage-bench` does this for six files and two hundred places each. */
describe.each(THOROUGH ? ['2.8.24', '6.2.16', '7.4.1'] : ['7.4.1'])('10,000 keys of Redis %s', (version) => {
  const original = sweep.original(packedRdb(version));

  test.each(KINDS)('come back after damage: %s', async (kind) => {
    let untouched = 0;
    let lost = 0;
    for (let seed = 1; seed <= (THOROUGH ? 10 : 1); seed++) {
      const outcome = await sweep.one(await original, kind, seed);
      expect([seed, ...outcome.invented]).toEqual([seed]);
      untouched += outcome.untouched;
      lost += outcome.lost.length;
    }
    expect(untouched).toBeGreaterThan(9000);
    expect(lost / untouched).toBeLessThanOrEqual(0.001);
  });
});
