import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { StreamSource } from '../../src/bytes/stream-source.js';
import { packingOf, UnpackedSource } from '../../src/bytes/unpack.js';
import type { FormatError } from '../../src/errors.js';
import { lz4Frame, vcs, zstdFrame } from '../support/pack.js';
import { processorMs } from '../support/processor.js';
import { checkedSource, errorsOf, flawsOf } from './damage.js';

// Lengths and counts that promise more than any file holds. None may be believed before the bytes are there: each answer
// comes at once and takes no memory to speak of.

const LENGTHS: readonly (readonly [string, string])[] = [
  ['2^29', '80 20000000'],
  ['2^31 - 1', '80 7fffffff'],
  ['2^32 - 1', '80 ffffffff'],
  ['2^40', '81 0000010000000000'],
  ['2^63', '81 8000000000000000'],
  ['2^64 - 1', '81 ffffffffffffffff'],
];

const KEY = '01 6b';

/** What follows a type number and the key's name; `N` stands for the hostile length. */
const PLACES: readonly (readonly [string, string])[] = [
  ['a key name', '00 N'],
  ['a string', `00 ${KEY} N`],
  ['the packed size of LZF', `00 ${KEY} c3 N 05 61626364`],
  ['the unpacked size of LZF', `00 ${KEY} c3 04 N 61626364`],
  ['a list', `01 ${KEY} N`],
  ['a set', `02 ${KEY} N`],
  ['a sorted set', `05 ${KEY} N`],
  ['a hash', `04 ${KEY} N`],
  ['a module value', `07 ${KEY} 81 1234567812345678 05 N`],
  ['a zipmap', `09 ${KEY} N`],
  ['an intset', `0b ${KEY} N`],
  ['the nodes of a quicklist', `12 ${KEY} N`],
  ['a node of a quicklist', `12 ${KEY} 01 02 N`],
  ['the nodes of a stream', `13 ${KEY} N`],
  ['a hash as a listpack', `10 ${KEY} N`],
  ['groups of a stream', `13 ${KEY} 00 00 01 01 01 01 00 00 00 N`],
  ['a library', 'f5 N'],
  ['an auxiliary field', 'fa N'],
  ['its value', 'fa 01 61 N'],
  ['module auxiliary data', 'f7 81 1234567812345678 02 02 05 N'],
];

/** Packed structures that claim other sizes inside than they have; the outer length is right. */
const PACKED: readonly (readonly [string, string])[] = [
  ['a listpack of 4 GB', `10 ${KEY} 07 ffffffff 0200 ff`],
  ['a listpack of 65534 entries', `10 ${KEY} 07 07000000 feff ff`],
  ['a listpack entry of 4 GB', `10 ${KEY} 0c 0c000000 0100 f0 ffffffff ff`],
  ['a ziplist of 4 GB', `0a ${KEY} 0b ffffffff 0a000000 0000 ff`],
  ['a ziplist with its tail beyond the end', `0a ${KEY} 0b 0b000000 ffffffff 0000 ff`],
  ['an intset of 2^32 - 1 numbers', `0b ${KEY} 08 02000000 ffffffff`],
  ['a zipmap entry of 4 GB', `09 ${KEY} 07 01 fe ffffffff ff`],
];

describe('an RDB that promises', () => {
  for (const [place, bytes] of PLACES) {
    test.each(LENGTHS)(`in ${place} a length of %s is refused at once`, (_name, length) =>
      refused(rdb(bytes.replace('N', length))),
    );
  }

  test.each(PACKED)('%s is refused at once', (_name, bytes) => refused(rdb(bytes)));

  test('half a gigabyte packed into ten bytes is refused before it is unpacked', () =>
    // One reference repeats at most 264 bytes: so few bytes cannot hold that much.
    refused(rdb(`00 ${KEY} c3 0a 80 20000000 00 61 e0ff00 e0ff00 e0ff00`)));
});

describe('a log that promises', () => {
  test.each([
    ['2^31 arguments', '*2147483648\r\n$3\r\nSET\r\n'],
    ['2^63 arguments', '*9223372036854775807\r\n$3\r\nSET\r\n'],
    ['2^64 arguments', '*18446744073709551616\r\n$3\r\nSET\r\n'],
    ['less than no arguments', '*-3\r\n$3\r\nSET\r\n'],
    ['a million arguments and holds one', '*1048576\r\n$3\r\nSET\r\n'],
    ['an argument of 512 MB', '*1\r\n$536870912\r\nSET\r\n'],
    ['an argument of 2^63 bytes', '*1\r\n$9223372036854775807\r\nSET\r\n'],
    ['an argument of less than no bytes', '*1\r\n$-5\r\nSET\r\n'],
    ['a count of a million digits', `*${'9'.repeat(1_000_000)}\r\n`],
    ['a length of a million digits', `*1\r\n$${'9'.repeat(1_000_000)}\r\nSET\r\n`],
    ['a count that never ends', `*${'0'.repeat(1_000_000)}`],
    ['an annotation that never ends', `#TS:${'1'.repeat(1_000_000)}`],
  ])('%s is refused at once', async (_name, text) => {
    const before = '*1\r\n$4\r\nPING\r\n';
    await refused(Buffer.from(before + text), 'aof');
  });
});

/** An LZ4 frame of one block that is none, its size as given. */
function lz4Block(block: readonly number[], claimed = block.length): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(claimed);
  return Buffer.concat([lz4Frame(Buffer.alloc(0)).subarray(0, 7), size, Buffer.from(block), Buffer.alloc(4)]);
}

const PLAIN = rdb('00 01 6b 01 76 ff');
const FRAME = lz4Frame(PLAIN);
const EXPANDING = [0x1f, 65, 1, 0, ...Array<number>(1000).fill(255), 0, 0];
const ZSTD = Buffer.from('28b52ffd', 'hex');
const zstdSized = (size: string) =>
  Buffer.concat([ZSTD, Buffer.from(`e0${size}`, 'hex'), Buffer.alloc(1000)]);
const KIB = Buffer.alloc(1000);

describe('packed bytes that promise', () => {
  test.each<[string, Buffer, string, string, number]>([
    ['a block of LZ4 of 2 GB', lz4Block([], 0x7fffffff), 'corrupt', 'block-size', 7],
    ['literals that are not there', lz4Block([0xf0, 255, 255, 0]), 'corrupt', 'input-ends', 15],
    ['a block that expands beyond its frame', lz4Block(EXPANDING), 'corrupt', 'output-too-long', 0],
    ['a match before anything', lz4Block([0x14, 65, 255, 255, 0]), 'corrupt', 'match-before-start', 13],
    ['4 GB in a frame of zstd', zstdSized('0000000001000000'), 'unsupported', 'window', 0],
    [
      'a block of zstd beyond its window',
      Buffer.concat([ZSTD, Buffer.from('0000fdffff', 'hex'), KIB]),
      'corrupt',
      'block-size',
      6,
    ],
    ['a zstd bomb of more than it says', zstdBomb(100), 'corrupt', 'content-size', 0],
    ['VCS of another version', vcs(PLAIN, {}, [2, 1, 0, 1]), 'unsupported', 'version', 3],
    ['VCS of another codec', vcs(PLAIN, {}, [1, 2, 0, 1]), 'unsupported', 'codec', 4],
    ['VCS with its reserved byte set', vcs(PLAIN, {}, [1, 1, 1, 1]), 'unsupported', 'reserved-byte', 5],
    ['VCS of another kind', vcs(PLAIN, {}, [1, 1, 0, 0]), 'unsupported', 'stream-kind', 6],
    ['nothing behind VCS', Buffer.concat([vcs(PLAIN), FRAME]), 'trailing-bytes', '', vcs(PLAIN).length],
  ])('%s is refused at once, with place and reason', async (_name, bytes, code, reason, at) => {
    const memory = process.memoryUsage().arrayBuffers;
    const startedAt = processorMs();
    const source = new UnpackedSource(new MemorySource(bytes), packingOf(bytes)!);
    const error = await readAll(source).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: `packed/${code}` });
    const { detail } = error as FormatError;
    if (reason !== '') expect(detail['reason']).toBe(reason);
    if (at > 0) expect(detail['packedOffset']).toBe(at);
    // The LZ4 kernel has eight MiB of its own, of which it touches what it needs.
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(16 << 20);
    expect(processorMs() - startedAt).toBeLessThan(500);
  });
});

/** A frame of many blocks of one repeated byte that claims to hold nothing like that. */
function zstdBomb(blocks: number): Buffer {
  const many = zstdFrame(Array.from({ length: blocks }, () => ({ byte: 0, count: 131072 })));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(200_000);
  return Buffer.concat([ZSTD, Buffer.from([0x80, 56]), size, many.subarray(6)]);
}

async function readAll(source: ByteSource): Promise<void> {
  const reader = await source.open();
  try {
    const into = Buffer.alloc(1 << 16);
    while ((await reader.read(into)) > 0);
  } finally {
    await reader.close();
  }
}

function rdb(hex: string): Buffer {
  // What follows is there, but not as much as promised.
  return Buffer.from(`524544495330303130 ${hex} ${'00'.repeat(40)}`.replaceAll(' ', ''), 'hex');
}

async function refused(bytes: Buffer, form: 'rdb' | 'aof' = 'rdb'): Promise<void> {
  // Through a pipe there is no size that a length could be held against before the end comes.
  const pipe = new StreamSource(Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]));
  await refusedFrom(new MemorySource(bytes, 'dump.rdb'), bytes, form);
  await refusedFrom(pipe, bytes, form);
}

async function refusedFrom(source: ByteSource, bytes: Buffer, form: 'rdb' | 'aof'): Promise<void> {
  const memory = process.memoryUsage().arrayBuffers;
  const startedAt = processorMs();
  const file = await checkedSource(source, form);
  expect(errorsOf(file)).toHaveLength(1);
  if (source.size !== null) expect(flawsOf(file, bytes)).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(8 << 20);
  expect(processorMs() - startedAt).toBeLessThan(500);
}
