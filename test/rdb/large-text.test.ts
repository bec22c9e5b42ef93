import { describe, expect, it } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import type { FormatError } from '../../src/errors.js';
import { lzfCompress } from '../../src/kernels/lzf.js';
import { sha1Hex } from '../../src/kernels/sha1.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { type Depth, FRAGMENTS, ITEMS, type ItemHandler, type KeyHead } from '../../src/model/handler.js';
import { ValueHasher } from '../../src/model/value-hash.js';
import { NdjsonDecoder } from '../../src/ndjson/decoder.js';
import { NdjsonWriter } from '../../src/ndjson/writer.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink } from '../../src/rdb/handler.js';
import { RdbWriter } from '../../src/rdb/writer.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { RdbRelay } from '../../src/tools/relay.js';
import { inEveryWay } from '../support/chop.js';
import { Recorder } from '../support/recorder.js';

const HEAD = Buffer.from('REDIS0010\xfe\x00', 'latin1');
const TARGET = RDB_TARGETS.get('redis-7.0')!;
const WHOLE_MAX = 100;
/** Words with characters of two to four bytes, and one byte that is no UTF-8 in some. */
const PROSE = Buffer.from('cart: größe 日本語 🙂 user-17 cart: größe session '.repeat(40));
const BINARY = Buffer.from(PROSE.map((byte, at) => (at % 257 === 256 ? 0xff : byte)));

function length64(length: number): Buffer {
  const bytes = Buffer.alloc(9, 0x81);
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

const short = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

/** A string as it stands in a file, its length in the widest form. */
const plain = (text: Buffer): Buffer => Buffer.concat([length64(text.length), text]);

function packed(text: Buffer): Buffer {
  const into = Buffer.alloc(text.length);
  const size = lzfCompress(text, 0, text.length, into, 0, text.length);
  return Buffer.concat([Buffer.from([0xc3]), length64(size), length64(text.length), into.subarray(0, size)]);
}

/** A small key, one with each value, a small key, and no checksum. */
function fileOf(...values: readonly Buffer[]): Buffer {
  const records = values.map((value, i) => Buffer.concat([Buffer.from([0]), short(`large${i}`), value]));
  const small = (name: string) => Buffer.concat([Buffer.from([0]), short(name), short('v')]);
  return Buffer.concat([HEAD, small('a'), ...records, small('b'), Buffer.from([0xff]), Buffer.alloc(8)]);
}

const FILE = fileOf(
  plain(PROSE),
  packed(PROSE),
  plain(BINARY),
  packed(BINARY),
  plain(Buffer.alloc(101, 120)),
);
const limits = { stringBytesMax: 0x7fffffff, wholeTextMax: WHOLE_MAX };
const options = { verifyChecksum: false, deep: true, limits };

/** What is told of each string: its parts, and the length told before them. */
class Texts extends RdbSink {
  readonly told: string[] = [];
  private parts: Buffer[] = [];
  private stop = false;

  constructor(private readonly pausing: boolean) {
    super();
  }

  override key(head: KeyHead): Depth {
    this.parts = [];
    return head.textBytes >= 0 ? FRAGMENTS : ITEMS;
  }

  override text(value: ByteSlice): void {
    this.parts.push(value.copy());
    this.stop = this.pausing;
  }

  override get full(): boolean {
    const { stop } = this;
    this.stop = false;
    return stop;
  }

  override keyEnd(head: KeyHead): void {
    this.told.push(`${head.key.latin1()} ${head.textBytes} ${sha1Hex(Buffer.concat(this.parts))}`);
  }
}

const decoded = (bytes: Buffer) =>
  inEveryWay(bytes, (pausing) => {
    const texts = new Texts(pausing);
    return { machine: new RdbDecoder(texts, options), outcome: () => texts.told };
  });

/** The error that a file ends with. Where in a fragment it was noticed depends on the fragments. */
async function errorOf(bytes: Buffer): Promise<FormatError> {
  const decoder = new RdbDecoder(new Texts(false), options);
  return pumpSource(new MemorySource(bytes), decoder, { chunkBytes: 64 }).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

/** Tells the file to a listener as one that takes fragments sees it, or whole. */
async function tell(handler: ItemHandler, inFragments: boolean, chunkBytes = 64): Promise<void> {
  const relay = new (class extends RdbRelay {
    override key(head: KeyHead): Depth {
      if (!inFragments) head.textBytes = -1;
      return super.key(head);
    }
  })(handler);
  await pumpSource(new MemorySource(FILE), new RdbDecoder(relay, options), { chunkBytes });
}

describe('a text that is too large to be put together', () => {
  it('is told in fragments with its length before, however it comes', () => {
    const { outcome, error } = decoded(FILE);
    const hashes = [PROSE, PROSE, BINARY, BINARY].map((text) => sha1Hex(text));
    expect(error).toBeNull();
    expect(outcome).toEqual([
      `a -1 ${sha1Hex(Buffer.from('v'))}`,
      ...hashes.map((text, i) => `large${i} ${PROSE.length} ${text}`),
      `large4 101 ${sha1Hex(Buffer.alloc(101, 120))}`,
      `b -1 ${sha1Hex(Buffer.from('v'))}`,
    ]);
  });

  it.each([
    ['claims more than the file holds', length64(1e12), 'rdb/truncated'],
    [
      'claims more than its bytes can unpack to',
      Buffer.concat([Buffer.from([0xc3, 10]), length64(5e9)]),
      'rdb/bad-lzf',
    ],
  ])('is refused where it %s', async (_what, head, code) => {
    const error = await errorOf(fileOf(Buffer.concat([head, PROSE])));
    expect(error.code).toBe(code);
    expect(error.trail).toEqual(['string']);
  });

  it('is refused where it unpacks to another length, or reaches before its start', async () => {
    const good = packed(PROSE);
    const longer = Buffer.from(good);
    longer.writeBigUInt64BE(BigInt(PROSE.length + 1), 11);
    const shorter = Buffer.from(good);
    shorter.writeBigUInt64BE(BigInt(PROSE.length - 1), 11);
    const reaching = Buffer.from(good);
    reaching[19] = 0x3f;
    for (const bad of [longer, shorter, reaching])
      expect((await errorOf(fileOf(bad))).code).toBe('rdb/bad-lzf');
  });

  it('has the digest and the hash of the same text told whole', async () => {
    const results = [];
    for (const inFragments of [true, false]) {
      const values: unknown[] = [];
      const onKey = (head: KeyHead, value: string | null) => values.push([head.key.latin1(), value]);
      const digest = new DigestHandler({ ...digestFamilyOf('redis', '7.0.15'), nowMs: null, onKey });
      await tell(digest, inFragments);
      results.push([digest.result(), values]);
    }
    expect(results[0]).toEqual(results[1]);
    const hashes: string[][] = [];
    for (const chunkBytes of [64, 1000, 1 << 20]) {
      const hasher = new ValueHasher(1, 2);
      const told: string[] = [];
      class Hashes extends RdbRelay {
        override keyEnd(head: KeyHead): void {
          super.keyEnd(head);
          told.push(`${hasher.value.a} ${hasher.value.b}`);
        }
      }
      await tell(new Hashes(hasher), true, chunkBytes);
      hashes.push(told);
    }
    expect(hashes[1]).toEqual(hashes[0]);
    expect(hashes[2]).toEqual(hashes[0]);
    expect(hashes[0]![1]).toBe(hashes[0]![2]);
    expect(new Set(hashes[0]).size).toBe(4); // two small ones, two texts twice, and the x'es
  });

  it('is written as an RDB and as commands that hold what they hold of it whole', async () => {
    const write = async (inFragments: boolean) => {
      const commands = new MemoryTarget();
      const emitter = new CommandEmitter(commands, { target: TARGET, onLoss: () => {} });
      await tell(emitter, inFragments);
      emitter.finish();
      const rdb = new MemoryTarget();
      const noLoss = () => expect.unreachable();
      const fixed = { target: TARGET, compress: false, checksum: true, copyValues: false, onLoss: noLoss };
      const writer = new RdbWriter(rdb, { ...fixed, nowSeconds: 0, aofBase: false });
      await tell(writer, inFragments);
      writer.finish();
      return [commands.bytes().toString('latin1'), rdb.bytes().toString('latin1')];
    };
    expect(await write(true)).toEqual(await write(false));
  });
});

describe('NDJSON of a text in fragments', () => {
  async function lines(frame: 'lines' | 'document', chunkBytes: number): Promise<Buffer> {
    const target = new MemoryTarget();
    const writer = new NdjsonWriter(target, { frame, lineBytes: 200 });
    await tell(writer, true, chunkBytes);
    writer.finish();
    return target.bytes();
  }

  it('stands on lines that do not depend on the fragments, each of whole characters', async () => {
    const text = (await lines('lines', 64)).toString();
    expect((await lines('lines', 1 << 16)).toString()).toBe(text);
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const first = rows.filter((row) => row.key === 'large0');
    expect(first[0]).toMatchObject({ type: 'string', bytes: PROSE.length, more: true });
    expect(first.map((row) => row.value).join('')).toBe(PROSE.toString());
    expect(first.at(-1)).not.toHaveProperty('more');
    const binary = rows.filter((row) => row.key === 'large2');
    expect(binary.some((row) => typeof row.value === 'string')).toBe(true);
    expect(binary.some((row) => typeof row.value === 'object')).toBe(true);
  });

  it('is read back, whole or as it comes', async () => {
    const ndjson = await lines('lines', 64);
    const whole = new Recorder();
    await pumpSource(new MemorySource(ndjson), new NdjsonDecoder(whole));
    const texts = new Texts(false);
    await pumpSource(new MemorySource(ndjson), new NdjsonDecoder(texts), { drain: async () => {} });
    expect(texts.told).toEqual(decoded(FILE).outcome);
    const values = whole.keys.map(({ value }) => sha1Hex(Buffer.from(String(value), 'base64')));
    expect(texts.told.map((line) => line.split(' ')[2])).toEqual(values);
  });

  it('is one string of base64 in a document', async () => {
    const { records } = JSON.parse((await lines('document', 64)).toString());
    expect(records.map((each: { value: unknown }) => each.value)).toEqual([
      'v',
      ...[PROSE, PROSE, BINARY, BINARY, Buffer.alloc(101, 120)].map((text) => ({
        base64: text.toString('base64'),
      })),
      'v',
    ]);
  });

  it('is refused when its lines come to another length than the first says', async () => {
    const line = (more: object) => JSON.stringify({ key: 'k', type: 'string', ...more });
    const read = (...rows: string[]) => {
      const bytes = Buffer.from(['{"rekindle":1}', ...rows].join('\n'));
      return pumpSource(new MemorySource(bytes), new NdjsonDecoder(new Texts(false)));
    };
    const first = line({ bytes: 4, value: 'ab', more: true });
    await read(first, line({ part: 2, value: 'cd' }));
    for (const rest of [line({ part: 2, value: 'c' }), line({ part: 2, value: 'cde' })]) {
      await expect(read(first, rest)).rejects.toMatchObject({
        code: 'ndjson/bad-line',
        detail: { line: 3, field: 'value', form: 'texts of 4 bytes together, as "bytes" says' },
      });
    }
  });
});

/** A file of 5 GB that nobody wrote: a string of whatever stands in the reader's memory. */
function invented(bytes: number): ByteSource {
  const front = Buffer.concat([HEAD, Buffer.from([0]), short('huge'), length64(bytes)]);
  const back = Buffer.concat([
    Buffer.from([0]),
    short('b'),
    short('v'),
    Buffer.from([0xff]),
    Buffer.alloc(8),
  ]);
  const size = front.length + bytes + back.length;
  return {
    label: 'invented',
    size,
    async open() {
      let at = 0;
      return {
        async read(into) {
          const start = at;
          at = Math.min(size, at + into.length);
          for (const [part, from] of [
            [front, 0],
            [back, size - back.length],
          ] as const) {
            const first = Math.max(start, from);
            const stop = Math.min(at, from + part.length);
            if (first < stop) into.set(part.subarray(first - from, stop - from), first - start);
          }
          return at - start;
        },
        async close() {},
      };
    },
  };
}

it('passes through at 5 GB, and so does what stands behind it', async () => {
  const size = 5_000_000_000;
  let told = 0;
  const keys: string[] = [];
  class Sizes extends RdbSink {
    override key(head: KeyHead): Depth {
      keys.push(`${head.key.latin1()} ${head.textBytes}`);
      return FRAGMENTS;
    }
    override text(value: ByteSlice): void {
      told += value.length;
    }
  }
  const decoder = new RdbDecoder(new Sizes(), { verifyChecksum: false, deep: true });
  await pumpSource(invented(size), decoder);
  expect(keys).toEqual([`huge ${size}`, 'b -1']);
  expect(told).toBe(size + 1);
});
