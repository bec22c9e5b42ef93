import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OutputError } from '../../src/errors.js';
import type { ConvertForm } from '../../src/tools/convert/forms.js';
import { splitOf } from '../../src/tools/convert/split.js';
import { convert } from '../../src/tools/library.js';
import { runCli } from '../cli/memory-io.js';
import { corpusBytes } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { temporaryDirectory } from '../support/temporary.js';
import { CountedDisk, type Fault } from './counted-disk.js';

const room = temporaryDirectory('convert-faults');
let places = 0;

function place(): string {
  const directory = join(room, String(++places));
  mkdirSync(directory);
  return directory;
}

const SOURCE = join(place(), 'small.rdb');
writeFileSync(SOURCE, corpusBytes('redis-7.0.15', 'small.rdb'));

/** Names of outputs, and what is written under them. */
const OUTPUTS: readonly (readonly [name: string, form: ConvertForm])[] = [
  ['out.rdb', 'rdb'],
  ['out', 'aofdir'],
  ['out.aof', 'aof'],
  ['out.resp', 'resp'],
  ['out.ndjson.gz', 'ndjson'],
  ['out.json.lz4', 'json'],
  ['out.csv', 'csv'],
  ['out.parquet', 'parquet'],
];
const FAULTS: readonly Fault[] = THOROUGH ? ['ENOSPC', 'short', 'EIO'] : ['ENOSPC'];
/** In a short run each form leaves out other steps: commands.test.ts fails the calls that they are made of. */
const STRIDE = THOROUGH ? 1 : 3;
/** Renaming has come off by then, and nothing takes the old content back. */
const AFTER_RENAME = new Set(['syncDirectory']);

/** Fails one step after the other until none is left to fail; `check` sees what each left. */
async function failEachStep(
  fault: Fault,
  write: (directory: string, disk: CountedDisk['disk']) => Promise<unknown>,
  check: (directory: string, failed: string) => void,
  first = 1,
  stride = 1,
): Promise<number> {
  for (let nth = first; ; nth += stride) {
    const directory = place();
    const counted = new CountedDisk(nth, fault);
    const outcome = await write(directory, counted.disk).then(
      () => null,
      (error: unknown) => error,
    );
    if (counted.failed === '') {
      expect(outcome).toBe(null);
      return nth - 1;
    }
    // A file that cannot be tidied away is no reason to fail.
    if (outcome === null) continue;
    expect(outcome, counted.failed).toBeInstanceOf(OutputError);
    check(directory, counted.failed);
  }
}

describe.each(FAULTS)('a disk that fails with %s at any step', (fault) => {
  test.each(OUTPUTS)('leaves no %s', async (name, form) => {
    const steps = await failEachStep(
      fault,
      (directory, disk) => convert(SOURCE, join(directory, name), { form, disk }),
      (directory, failed) => {
        // A directory that was renamed is whole; that its name lasts is what could not be made sure of.
        const whole = form === 'aofdir' && AFTER_RENAME.has(failed) && existsSync(join(directory, name));
        expect([failed, readdirSync(directory)]).toEqual([failed, whole ? [name] : []]);
        if (whole) expect(readdirSync(join(directory, name, 'appendonlydir')).length).toBe(3);
      },
      1 + (OUTPUTS.findIndex(([each]) => each === name) % STRIDE),
      STRIDE,
    );
    expect(steps).toBeGreaterThan(5);
  });

  test('leaves what stood there', async () => {
    const before = 'what stood there';
    await failEachStep(
      fault,
      (directory, disk) => {
        writeFileSync(join(directory, 'out.ndjson'), before);
        return convert(SOURCE, join(directory, 'out.ndjson'), { force: true, disk });
      },
      (directory, failed) => {
        expect([failed, readdirSync(directory)]).toEqual([failed, ['out.ndjson']]);
        if (AFTER_RENAME.has(failed)) return;
        expect(readFileSync(join(directory, 'out.ndjson'), 'utf8')).toBe(before);
      },
    );
  });

  test('shows none of several outputs before all of them are written', async () => {
    await failEachStep(
      fault,
      (directory, disk) =>
        convert(SOURCE, join(directory, 'out.rdb'), { split: splitOf('slots:0-8191,8192-16383'), disk }),
      (directory, failed) => {
        const left = readdirSync(directory);
        expect(left.filter((name) => !/^out\.\d+-\d+\.rdb$/.test(name))).toEqual([]);
        if (failed === 'create' || failed === 'write') expect(left).toEqual([]);
      },
    );
  });
});

describe('a line in the middle that is none', () => {
  const line = (i: number): string => `{"key":"k${i}","type":"string","value":"${'x'.repeat(2000)}"}`;
  const path = join(place(), 'broken.ndjson');
  const good = Array.from({ length: 300 }, (_, i) => line(i));
  const head = '{"rekindle":1,"origin":[["redis-ver","7.2.4"]]}';
  writeFileSync(path, [head, ...good.slice(0, 200), '{"key":"k","type":"str', ...good.slice(200)].join('\n'));

  test.each(OUTPUTS)('is named, and no %s is left', async (name, form) => {
    const directory = place();
    const kept = name === 'out' ? null : join(directory, name);
    if (kept !== null) writeFileSync(kept, 'kept');
    const ran = await runCli(['convert', path, join(directory, name), '--to', form, '--force']);
    expect(ran.exit).toBe(1);
    expect(ran.stderr).toMatch(/ndjson\/bad-json[\s\S]*line 202,/);
    expect(readdirSync(directory)).toEqual(kept === null ? [] : [name]);
    if (kept !== null) expect(readFileSync(kept, 'utf8')).toBe('kept');
  });

  test('is none of those that another source gave', async () => {
    const directory = place();
    const ran = await runCli([
      'convert',
      SOURCE,
      path,
      join(directory, 'all.rdb'),
      '--on-duplicate',
      'first',
    ]);
    expect(ran).toMatchObject({ exit: 1, stderr: expect.stringContaining('line 202') });
    expect(existsSync(join(directory, 'all.rdb'))).toBe(false);
  });
});
