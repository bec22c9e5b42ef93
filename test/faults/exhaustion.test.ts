import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../src/aof/manifest.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { FormatError } from '../../src/errors.js';
import { FINDINGS } from '../../src/model/finding.js';
import { KeyHead } from '../../src/model/handler.js';
import { NdjsonDecoder } from '../../src/ndjson/decoder.js';
import { NdjsonWriter } from '../../src/ndjson/writer.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { PayloadDecoder } from '../../src/rdb/payload.js';
import { checkFile } from '../../src/tools/check/file.js';
import { RdbRelay } from '../../src/tools/relay.js';
import type { CheckedFile } from '../../src/tools/report.js';
import { feed } from '../fuzz/feed.js';
import { Fingerprint } from '../fuzz/fingerprint.js';
import { command, RDB, withChecksum } from '../fuzz/grammars.js';
import { unpackText } from '../fuzz/works.js';
import { THOROUGH } from '../support/effort.js';
import { gzip, lz4Frame, vcs, zstdFrame } from '../support/pack.js';
import { flawsOf, still } from './damage.js';
import { changes, smallFiles } from './exhaustion.js';

// test/faults/rdb.test.ts and aof.test.ts go through whole files at fewer places and look behind the damage; here every byte of
// one value of each type is changed to everything else, and what holds is that it shows.

const FILES = smallFiles();
/** One change in so many, where there is little time. */
const SHARE = 3001;

async function checked(bytes: Buffer, quick: boolean, form: 'rdb' | 'aof'): Promise<CheckedFile> {
  const source = new MemorySource(bytes, form === 'rdb' ? 'dump.rdb' : 'appendonly.aof');
  const options = { form, last: true, quick, dialect: null, goOn: false };
  return (await checkFile(source, options, still)).file;
}

test('there is a file for every type that servers write', () => {
  const types = new Set(FILES.map(({ title }) => Number(title.split(' ').at(-1))));
  expect([...types].sort((a, b) => a - b)).toEqual(TYPES);
  expect(FILES.length).toBeGreaterThan(100);
});

/** Every number that some dialect gives a meaning, but those of modules before 4.0. */
const TYPES = [
  ...[
    0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    30,
  ],
  ...[31, 32, 33],
];

describe.each(FILES)('$title', ({ title, bytes }) => {
  const summed = !/^REDIS000[1-4]/.test(title);

  test('with any byte changed is reported, or has no checksum', async () => {
    for (const { at, changed } of changes(bytes, SHARE)) {
      for (const quick of [true, false]) {
        const file = await checked(changed, quick, 'rdb');
        const flaws = flawsOf(file, changed);
        if (summed && file.findings.length === 0) flaws.push('not reported');
        if (flaws.length > 0) expect.fail(`byte ${at} is ${changed[at]}${quick ? ', quick' : ''}: ${flaws}`);
      }
    }
  });

  test('cut anywhere is truncated', async () => {
    for (let end = 0; end < bytes.length; end += THOROUGH ? 1 : 31) {
      const file = await checked(bytes.subarray(0, end), end % 2 === 0, 'rdb');
      const errors = file.findings.filter(({ code }) => FINDINGS[code] === 'error');
      if (errors.length !== 1) expect.fail(`cut at ${end}: ${JSON.stringify(file.findings)}`);
    }
  });

  test('as a DUMP payload with any byte changed is refused', () => {
    const payload = payloadOf(bytes);
    for (const { at, changed } of changes(payload, SHARE)) {
      if (outcomeOf(changed) === 'read') expect.fail(`byte ${at} is ${changed[at]}`);
    }
    for (let end = 0; end < payload.length; end += THOROUGH ? 1 : 31) outcomeOf(payload.subarray(0, end));
  });
});

/** Some value, sum and version: the changed ones are never the right ones. */
function payloadOf(file: Buffer): Buffer {
  const record = RDB.split(file)![1]!;
  return withChecksum(Buffer.concat([record, Buffer.of(11, 0), Buffer.alloc(8)]));
}

function outcomeOf(payload: Buffer): string {
  const head = new KeyHead();
  const decoder = new PayloadDecoder({ product: 'redis', deep: true });
  try {
    decoder.value(payload, 0, payload.length, head, new Fingerprint());
    return 'read';
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
}

const LOG = Buffer.concat([
  ...['SELECT 0', 'SET a 1'].map((line) => command(line.split(' '))),
  Buffer.from('#TS:1772366400\r\n'),
  ...['MULTI', 'RPUSH l a b', 'EXEC', 'PEXPIREAT a 1772366400000', 'DEL a'].map((line) =>
    command(line.split(' ')),
  ),
]);

test.each([
  ['a log', LOG],
  ['a log behind an RDB', Buffer.concat([FILES[0]!.bytes, LOG.subarray(0, 60)])],
])('%s with any byte changed, or cut anywhere, gets an answer', async (_name, log) => {
  const share = SHARE / 30;
  for (const { at, changed } of changes(log, Math.round(share))) {
    const flaws = flawsOf(await checked(changed, at % 2 === 0, 'aof'), changed);
    if (flaws.length > 0) expect.fail(`byte ${at} is ${changed[at]}: ${flaws}`);
  }
  for (let end = 0; end < log.length; end += THOROUGH ? 1 : 5) {
    const cut = log.subarray(0, end);
    const flaws = flawsOf(await checked(cut, end % 2 === 0, 'aof'), cut);
    if (flaws.length > 0) expect.fail(`cut at ${end}: ${flaws}`);
  }
});

const MANIFEST = Buffer.from(
  'file appendonly.aof.2.base.rdb seq 2 type b\nfile "appendonly.aof.1.incr.aof" seq 1 type h\nfile a.incr.aof seq 3 type i startoffset 5 endoffset 9\n',
);

test('a manifest with any byte changed, or cut anywhere, is read, and names no path', () => {
  const look = (bytes: Buffer): void => {
    const { base, increments, history, problems } = parseManifest(Buffer.from(bytes));
    for (const entry of [base, ...increments, ...history]) {
      if (entry !== null && /[/\\\0]/.test(entry.name)) expect.fail(entry.name);
    }
    for (const { code } of problems) if (!(code in FINDINGS)) expect.fail(code);
  };
  for (const { changed } of changes(MANIFEST, 11)) look(changed);
  for (let end = 0; end <= MANIFEST.length; end++) look(MANIFEST.subarray(0, end));
});

function linesOf(bytes: Buffer): Buffer {
  const target = new MemoryTarget();
  const writer = new NdjsonWriter(target, { frame: 'lines' });
  feed(new RdbDecoder(new RdbRelay(writer), { verifyChecksum: true, deep: true }), bytes);
  writer.finish();
  return Buffer.from(target.bytes());
}

test('NDJSON of each type with any byte changed, or cut anywhere, reads or is refused', () => {
  const kinds = new Map(FILES.map((file) => [file.title.split(' ').at(-1)!, file] as const));
  for (const { bytes, title } of kinds.values()) {
    const lines = linesOf(bytes);
    const look = (changed: Buffer): void => {
      try {
        feed(new NdjsonDecoder(new Fingerprint()), changed);
      } catch (error) {
        if (!(error instanceof FormatError)) throw new Error(`NDJSON of ${title}`, { cause: error });
      }
    };
    for (const { changed } of changes(lines, 499)) look(changed);
    for (let end = 0; end < lines.length; end += THOROUGH ? 1 : 31) look(lines.subarray(0, end));
  }
});

const PLAIN = Buffer.from('REDIS0011 and some more and some more and some more and some more of it');

test.each([
  ['gzip', gzip(PLAIN)],
  ['zstd', zstdFrame([PLAIN, { byte: 65, count: 100 }], { checksum: true })],
  ['lz4', lz4Frame(PLAIN, { blockChecksums: true, contentChecksum: true })],
  ['vcs', vcs(PLAIN, { contentChecksum: true })],
] as const)(
  '%s with any byte changed is refused or the same, and is refused cut anywhere',
  async (packing, whole) => {
    const plain = await unpackText(whole, packing);
    for (const { at, changed } of changes(whole, 257)) {
      const told = await unpackText(changed, packing);
      if (told !== plain && !/ packed\//.test(told)) expect.fail(`byte ${at} is ${changed[at]}: ${told}`);
    }
    for (let end = 1; end < whole.length; end += THOROUGH ? 1 : 7) {
      const told = await unpackText(whole.subarray(0, end), packing);
      if (!/ packed\//.test(told)) expect.fail(`cut at ${end}: ${told}`);
    }
  },
);
