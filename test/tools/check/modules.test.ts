import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MemorySource } from '../../../src/bytes/source.js';
import { checkFile } from '../../../src/tools/check/file.js';
import { moduleValue, string, uint } from '../../rdb/modules/values.js';
import { testdata } from '../../support/corpus.js';
import { redis } from '../../support/rdb-builder.js';
import { readTarGz } from '../../support/tar.js';
import { testContext } from '../context.js';

async function check(bytes: Buffer, quick = false) {
  const options = { form: 'rdb', last: true, quick, dialect: null } as const;
  const source = new MemorySource(bytes, 'dump.rdb');
  const { file, notChecked } = await checkFile(source, options, testContext({ memoryBytes: 1e9 }));
  return {
    findings: file.findings.map(({ code, where, detail }) => ({ code, key: where.key, ...detail })),
    notes: notChecked.map(({ what }) => what),
  };
}

const file = redis(11)
  .database(0)
  .key(7, 'sound', moduleValue('ReJSON-RL', 3, string('{}')))
  .key(7, 'odd', moduleValue('ReJSON-RL', 3, uint(1)))
  .key(7, 'unknown', moduleValue('hellotype', 0, uint(1)))
  .key(7, 'of tomorrow', moduleValue('TSDB-TYPE', 77, uint(1)))
  .end();

test('a value that its module does not write is a warning; what is not known is a note', async () => {
  expect(await check(file)).toEqual({
    findings: [{ code: 'rdb/odd-module-value', key: 'odd', module: 'ReJSON-RL' }],
    notes: ['values of 2 module keys'],
  });
});

test('--quick walks past them', async () => {
  const { findings, notes } = await check(file, true);
  expect(findings).toEqual([]);
  expect(notes).toContain('values and names of keys');
});

test.each(['json', 'redisbloom', 'redistimeseries'])(
  'files of %s are sound, and nothing is left out',
  async (family) => {
    for (const [path, bytes] of readTarGz(readFileSync(testdata('modules', `${family}.tar.gz`)))) {
      if (path.endsWith('.rdb')) expect(await check(bytes), path).toEqual({ findings: [], notes: [] });
    }
  },
);
