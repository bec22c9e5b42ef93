import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { ARCHIVED_SERVERS, CORPUS_SERVERS, corpusBytes, corpusPath } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { redis } from '../support/rdb-builder.js';
import { str } from '../support/rdb-bytes.js';
import { fileOf } from './originals.js';

// What rekindle promises its users, where no other test holds it to that.

interface Report {
  readonly ok: boolean;
  readonly files: readonly {
    readonly problems: readonly { readonly code: string; readonly severity: string }[];
  }[];
  readonly notChecked: readonly { readonly what: string; readonly why: string }[];
}

async function checked(path: string, ...options: string[]): Promise<Report> {
  return JSON.parse((await runCli(['check', path, '--json', ...options])).stdout) as Report;
}

describe('any change of one bit in a file with a checksum is reported', () => {
  // The trailer came with version 5; 2.4 wrote none.
  const servers = CORPUS_SERVERS.filter((server) => server !== 'redis-2.4');

  it.each(servers)('in an RDB of %s, by a full check and by a quick one', async (server) => {
    const bytes = Buffer.from(corpusBytes(server, 'small.rdb'));
    const path = fileOf(bytes, 'dump.rdb');
    for (const seed of seeds(`one bit of ${server}`)) {
      const random = new Random(seed);
      for (let round = 0; round < (THOROUGH ? 500 : 8); round++) {
        const [at, bit] = [random.below(bytes.length), 1 << random.below(8)];
        bytes[at]! ^= bit;
        writeFileSync(path, bytes);
        const options = round % 2 === 0 ? [] : ['--quick'];
        const report = await checked(path, ...options);
        const worst = report.files.flatMap((file) => file.problems.map(({ severity }) => severity));
        expect(worst, `seed ${seed}: byte ${at}, bit ${bit} ${options}`).toContain('error');
        bytes[at]! ^= bit;
      }
    }
    writeFileSync(path, bytes);
    const whole = await checked(path);
    expect(whole.ok).toBe(true);
    expect(whole.notChecked.map(({ what }) => what)).not.toContain('checksum');
  });

  it('and where there is none, that is said', async () => {
    const bytes = redis(10).key(0, 'key', str('value')).endUnchecked();
    const path = fileOf(bytes, 'dump.rdb');
    const whole = await checked(path);
    expect(whole.ok).toBe(true);
    expect(whole.notChecked.map(({ what }) => what)).toContain('checksum');
    bytes[bytes.indexOf('value')]! ^= 1;
    writeFileSync(path, bytes);
    expect(await checked(path)).toEqual({ ...whole, durationMs: expect.any(Number) });
  });
});

describe('every report lists what was not checked', () => {
  const rdb = corpusPath('redis-7.0.15', 'small.rdb');
  const log = corpusPath('redis-7.0.15', 'workload');

  it.each([
    ['check', rdb],
    ['check', log],
    ['check', '--quick', rdb],
    ['info', rdb],
    ['digest', rdb],
    ['replay', log],
  ])('%s %s', async (...words) => {
    const { stdout } = await runCli([...words, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, notChecked: expect.any(Array) });
  });

  it('and a quick check says that no value was looked at', async () => {
    expect((await checked(rdb, '--quick')).notChecked.map(({ what }) => what).join()).toContain('values');
  });
});

describe('no single byte makes a check fail in another way than with a report', () => {
  it.each(seeds('any byte'))('seed %i', async (seed) => {
    const random = new Random(seed);
    for (let round = 0; round < (THOROUGH ? 400 : 5); round++) {
      const bytes = Buffer.from(corpusBytes(random.pick(ARCHIVED_SERVERS), 'types.rdb'));
      const [at, value] = [random.below(bytes.length), random.below(256)];
      bytes[at] = value;
      const path = fileOf(random.once(4) ? bytes.subarray(0, random.below(bytes.length)) : bytes, 'dump.rdb');
      for (const words of [['check'], ['check-rdb'], ['digest'], ['info']]) {
        const { exit, stderr } = await runCli([...words, path]);
        expect([0, 1, 3], `${words} seed ${seed} byte ${at} = ${value}: ${stderr}`).toContain(exit);
        expect(stderr).not.toContain('internal error');
      }
    }
  });
});
