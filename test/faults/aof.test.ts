import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../src/aof/manifest.js';
import { FINDINGS } from '../../src/model/finding.js';
import { corruptCases } from '../support/corpus.js';
import { checked, errorsOf, flawsOf, flips, prefixes, readsOn } from './damage.js';

function intact(server: string, name: string, file = ''): Buffer {
  return readFileSync(join(corruptCases(server).find((one) => one.name === name)!.path, file));
}

const LOGS: readonly (readonly [string, Buffer])[] = [
  ['Redis 2.8', intact('redis-2.8.24', 'aof-intact')],
  ['Redis 7.0', intact('redis-7.0.15', 'aof-intact', 'appendonlydir/appendonly.aof.3.incr.aof')],
  ['Redis 5.0 behind an RDB', intact('redis-5.0.14', 'preamble-aof-intact')],
];

describe.each(LOGS)('a log of %s', (_name, whole) => {
  test('is intact', async () => {
    expect((await checked(whole, 'aof')).findings).toEqual([]);
  });

  test('cut anywhere ends in a torn tail, and what is valid of it is valid', async () => {
    const { log, ends } = recordsOf(whole);
    for (const cut of prefixes(whole)) {
      const file = await checked(cut, 'aof', readsOn(cut.length));
      same([cut.length, ...flawsOf(file, cut)], [cut.length]);
      const errors = errorsOf(file);
      const safe = ends.safe.findLast((end) => end <= cut.length) ?? log;
      if (cut.length < log) {
        same([cut.length, errors.length], [cut.length, cut.length === 0 ? 0 : 1]);
      } else if (cut.length > safe && cut[safe] === HASH) {
        // Servers load an annotation without its end; only the next append makes a flaw of it.
        same([cut.length, ...file.findings.map(({ code }) => code)], [cut.length, 'aof/torn-annotation']);
      } else {
        const expected = safe < cut.length ? 1 : 0;
        const known = errors.every((code) => code === 'aof/torn-tail' || code === 'aof/open-transaction');
        same([cut.length, file.validBytes, errors.length, known], [cut.length, safe, expected, true]);
      }
    }
  });

  test('with any byte changed is valid at most up to there', async () => {
    const { log, ends } = recordsOf(whole);
    for (const { at, damaged } of flips(whole)) {
      const file = await checked(damaged, 'aof', readsOn(at));
      same([at, ...flawsOf(file, damaged)], [at]);
      const errors = errorsOf(file);
      // An open transaction shows at the end alone, and an RDB with a wrong length swallows what follows it.
      if (at < log || errors.length === 0 || errors.some((code) => /transaction|multi/.test(code))) continue;
      // Servers take a line whose end is lost together with the next one, and then as many bytes as it says behind that.
      const own = ends.records.findIndex((end) => end > at);
      const end = ends.records[own]!;
      const reach = end + (end - (ends.records[own - 1] ?? log)) + CRLF_BYTES;
      same([at, file.validBytes <= reach], [at, true]);
    }
  });
});

describe('a manifest', () => {
  const whole = intact('redis-7.0.15', 'aof-intact', 'appendonlydir/appendonly.aof.manifest');

  test('cut or changed anywhere is read, and problems are those of the table', () => {
    for (const damaged of [
      ...prefixes(whole),
      ...[...flips(whole)].map(({ damaged }) => Buffer.from(damaged)),
    ]) {
      const { problems, base, increments } = parseManifest(Buffer.from(damaged));
      for (const { code, offset, line } of problems) {
        expect(FINDINGS[code]).toBeDefined();
        expect(offset >= 0 && offset <= damaged.length && line >= 0).toBe(true);
      }
      for (const entry of [base, ...increments]) expect(entry?.name ?? 'appendonly').not.toMatch(/\//);
    }
  });

  test('of 16 MB without a line feed is refused at its first line', () => {
    const { problems } = parseManifest(Buffer.alloc(16 << 20, 'file a seq 1 type b '));
    expect(problems[0]?.code).toBe('manifest/line-too-long');
  });
});

/** An expectation for loops of thousands: worded only where it is not met. */
function same(actual: readonly unknown[], expected: readonly unknown[]): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

interface Ends {
  /** Where a log may be cut: behind a record or annotation, outside transactions. */
  readonly safe: readonly number[];
  readonly records: readonly number[];
}

/** Where the log begins behind its preamble, and where its records end: read the plain way, from well-formed bytes. */
function recordsOf(bytes: Buffer): { log: number; ends: Ends } {
  const log = bytes.latin1Slice(0, 5) === 'REDIS' ? bytes.indexOf('*2\r\n$6\r\nSELECT') : 0;
  const safe: number[] = [];
  const records: number[] = [];
  let open = false;
  for (let at = log; at < bytes.length; ) {
    const start = at;
    let line = lineAt(bytes, at);
    at += line.length + 2;
    if (line.startsWith('*')) {
      let command = '';
      for (let left = Number(line.slice(1)); left > 0; left--) {
        line = lineAt(bytes, at);
        at += line.length + 2;
        const length = Number(line.slice(1));
        if (command === '') command = bytes.latin1Slice(at, at + length).toUpperCase();
        at += length + 2;
      }
      if (command === 'MULTI') open = true;
      if (command === 'EXEC') open = false;
    }
    records.push(at);
    if (!open) safe.push(at);
    if (at <= start) throw new Error('the log does not advance');
  }
  return { log, ends: { safe, records } };
}

function lineAt(bytes: Buffer, at: number): string {
  const feed = bytes.indexOf('\n', at);
  return bytes.latin1Slice(at, bytes[feed - 1] === 13 ? feed - 1 : feed);
}

const HASH = 35;
const CRLF_BYTES = 2;
