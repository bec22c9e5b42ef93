import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { constants, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { StreamSource } from '../../src/bytes/stream-source.js';
import { type Packing, packingOf, UnpackedSource } from '../../src/bytes/unpack.js';
import { FormatError } from '../../src/errors.js';
import { xxh32 } from '../../src/kernels/xxhash.js';
import { corpusBytes, testdata } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { gzip, LZ4_VARIANTS, lz4Frame, skippable, vcs, zstdFrame } from '../support/pack.js';
import { Random } from '../support/random.js';

const RDB = corpusBytes('redis-7.0.15', 'small.rdb');
const packedFile = (name: string) => readFileSync(testdata('packed', name));
const RDB_ZSTD = packedFile('small.rdb.zst');
const LOG_SHA1 = '5315b59d4e18c81b56fe94ab265f4b59e12758ab';

/** Small files of every packing and what they hold. */
const SMALL: readonly (readonly [what: string, packed: Buffer, plain: Buffer])[] = [
  ['gzip', gzip(RDB), RDB],
  ['gzip with name, comment, extra field and header checksum', richGzip(RDB), RDB],
  ['gzip, two members and zeros', Buffer.concat([gzip(RDB), gzip(RDB), Buffer.alloc(9)]), twice(RDB)],
  ['gzip of nothing', gzip(Buffer.alloc(0)), Buffer.alloc(0)],
  ['zstd as zstd writes it', RDB_ZSTD, RDB],
  ['zstd, blocks by hand, checksum', zstdFrame([RDB, { byte: 7, count: 300 }], { checksum: true }), filled()],
  ['zstd, two frames, a skippable one around each', framesAround(RDB_ZSTD), twice(RDB)],
  ...LZ4_VARIANTS.map((options) => [`lz4 ${JSON.stringify(options)}`, lz4Frame(RDB, options), RDB] as const),
  ['lz4 after zstd', Buffer.concat([RDB_ZSTD, lz4Frame(RDB)]), twice(RDB)],
  ['lz4 of nothing', lz4Frame(Buffer.alloc(0), { contentChecksum: true }), Buffer.alloc(0)],
  ...LZ4_VARIANTS.map((options) => [`vcs ${JSON.stringify(options)}`, vcs(RDB, options), RDB] as const),
];

/** A reader that gives at most so many bytes at a time. */
function inPieces(bytes: Buffer, sizes: (at: number) => number): ByteSource {
  return {
    label: 'pieces',
    size: bytes.length,
    open: async (start = 0) => {
      let at = start;
      return {
        read: async (into) => {
          const part = bytes.subarray(at, at + Math.min(into.length, Math.max(1, sizes(at))));
          into.set(part);
          at += part.length;
          return part.length;
        },
        close: async () => {},
      };
    },
  };
}

interface Unpacked {
  readonly plain: Buffer;
  readonly error: FormatError | null;
}

async function unpack(source: ByteSource, packing: Packing, start = 0, room = 1 << 16): Promise<Unpacked> {
  const parts: Buffer[] = [];
  try {
    const reader = await new UnpackedSource(source, packing).open(start);
    try {
      for (;;) {
        const into = Buffer.alloc(room);
        const count = await reader.read(into);
        if (count === 0) return { plain: Buffer.concat(parts), error: null };
        parts.push(into.subarray(0, count));
      }
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (error instanceof FormatError) return { plain: Buffer.concat(parts), error };
    throw error;
  }
}

const packingIn = (packed: Buffer): Packing => packingOf(packed)!;

describe.each(SMALL)('%s', (_what, packed, plain) => {
  it('is unpacked whole, and in pieces of any size', async () => {
    const whole = await unpack(new MemorySource(packed), packingIn(packed));
    expect(whole.error).toBeNull();
    expect(whole.plain.equals(plain)).toBe(true);
    const bytewise = await unpack(
      inPieces(packed, () => 1),
      packingIn(packed),
      0,
      7,
    );
    expect(bytewise.plain.equals(plain)).toBe(true);
    const splits = Math.min(packed.length, THOROUGH ? 100 : 10);
    for (let i = 0; i < splits; i++) {
      const split = Math.floor((i * packed.length) / splits);
      const parts = inPieces(packed, (at) => (at < split ? split - at : packed.length));
      expect((await unpack(parts, packingIn(packed))).plain.equals(plain), `split at ${split}`).toBe(true);
    }
  });

  it('can be opened in its middle', async () => {
    for (const start of [0, 1, plain.length >> 1, plain.length, plain.length + 10]) {
      const { plain: rest } = await unpack(new MemorySource(packed), packingIn(packed), start);
      expect(rest.equals(plain.subarray(start))).toBe(true);
    }
  });

  it('is told to be cut, wherever it is', async () => {
    const step = Math.max(1, Math.floor(packed.length / (THOROUGH ? 160 : 20)));
    for (let end = 4; end < packed.length; end += step) {
      const cut = await unpack(new MemorySource(packed.subarray(0, end)), packingIn(packed));
      expect(plain.subarray(0, cut.plain.length).equals(cut.plain)).toBe(true);
      // Between members or frames a file may end.
      if (cut.error === null) expect([0, RDB.length, plain.length]).toContain(cut.plain.length);
      else {
        expect(['packed/truncated', 'packed/trailing-bytes']).toContain(cut.error.code);
        expect(cut.error.offset).toBe(cut.plain.length);
        expect(cut.error.detail['packedOffset']).toBeLessThanOrEqual(end);
      }
    }
  });
});

describe('a changed byte', () => {
  const guarded = SMALL.filter(
    ([what, , plain]) => plain.length > 0 && /^gzip|checksum|Checksum/.test(what) && !what.includes('zeros'),
  );

  it.each(guarded)('%s', async (_what, packed, plain) => {
    let noticed = 0;
    let tried = 0;
    for (
      let at = 0;
      at < packed.length;
      at += Math.max(1, Math.floor(packed.length / (THOROUGH ? 200 : 25)))
    ) {
      const changed = Buffer.from(packed);
      changed[at]! ^= 1 + (at % 255);
      const packing = packingOf(changed);
      if (packing === null) continue;
      const result = await unpack(new MemorySource(changed), packing);
      tried++;
      if (result.error !== null) noticed++;
      // Not noticed: something beside the content, such as the time and name in a gzip header.
      else expect(result.plain.equals(plain), `changed at ${at}`).toBe(true);
      if (result.error !== null) expect(result.error.code).toMatch(/^packed\//);
    }
    expect(noticed).toBeGreaterThan(tried * 0.7);
  });

  it('in a larger zstd or LZ4 file is noticed, too, and never more than read', async () => {
    const random = new Random(7);
    for (const name of ['log.aof.zst', 'log.aof.lz4']) {
      const packed = packedFile(name);
      for (let i = 0; i < (THOROUGH ? 40 : 4); i++) {
        const changed = Buffer.from(packed);
        changed[random.between(8, packed.length - 1)]! ^= random.between(1, 255);
        const { error } = await unpack(new MemorySource(changed), packingIn(packed));
        expect(error?.code, name).toMatch(/^packed\//);
      }
    }
  });
});

describe('larger files', () => {
  it.each(['log.aof.zst', 'log.aof.lz4'])('%s is unpacked to what was packed', async (name) => {
    const packed = packedFile(name);
    const source = new UnpackedSource(new MemorySource(packed), packingIn(packed));
    expect(source.size).toBeNull();
    const { plain } = await unpack(new MemorySource(packed), packingIn(packed));
    expect(createHash('sha1').update(plain).digest('hex')).toBe(LOG_SHA1);
  });

  it('tell their size once they have been read', async () => {
    const source = new UnpackedSource(new MemorySource(gzip(RDB)), 'gzip');
    const reader = await source.open();
    expect(source.size).toBeNull();
    while ((await reader.read(Buffer.alloc(500))) > 0);
    expect(source.size).toBe(RDB.length);
  });

  it('with blocks linked over more than the window', async () => {
    const random = new Random(3);
    const piece = random.bytes(40_000);
    const plain = Buffer.concat([piece, piece, Buffer.alloc(70_000, 1), piece, piece]);
    for (const blockBytes of [12_000, 65536]) {
      const packed = lz4Frame(plain, { linked: true, contentChecksum: true, blockBytes });
      expect(packed.length).toBeLessThan(140_000);
      expect((await unpack(new MemorySource(packed), 'lz4')).plain.equals(plain)).toBe(true);
    }
  });
});

describe('lies', () => {
  const refused = async (packed: Buffer, code: string, detail: object, packing = packingIn(packed)) => {
    const { error } = await unpack(new MemorySource(packed), packing);
    expect(error).toMatchObject({ code, detail });
  };

  it('in the envelope of Valkey', async () => {
    const frame = lz4Frame(RDB);
    const unsupported = (fields: number[], reason: string, packedOffset: number) =>
      refused(vcs(RDB, {}, fields), 'packed/unsupported', { reason, packedOffset });
    await unsupported([2, 1, 0, 1], 'version', 3);
    await unsupported([1, 0, 0, 1], 'codec', 4);
    await unsupported([1, 2, 0, 1], 'codec', 4);
    await unsupported([1, 1, 1, 1], 'reserved-byte', 5);
    await unsupported([1, 1, 0, 2], 'stream-kind', 6);
    const envelope = vcs(RDB).subarray(0, 7);
    const trailing = Buffer.concat([vcs(RDB), Buffer.from('x')]);
    await refused(trailing, 'packed/trailing-bytes', { packedOffset: trailing.length - 1 });
    await refused(Buffer.concat([vcs(RDB), frame]), 'packed/trailing-bytes', {});
    await refused(Buffer.concat([envelope, RDB]), 'packed/corrupt', { reason: 'no-frame', packedOffset: 7 });
    await refused(envelope, 'packed/truncated', { reading: 'envelope' });
    await refused(Buffer.concat([envelope, skippable(RDB), frame]), 'packed/corrupt', { reason: 'no-frame' });
  });

  it('in a frame of LZ4', async () => {
    const block = (bytes: number[], claimed = bytes.length) => {
      const frame = lz4Frame(Buffer.alloc(0));
      const size = Buffer.alloc(4);
      size.writeUInt32LE(claimed);
      return Buffer.concat([frame.subarray(0, 7), size, Buffer.from(bytes), Buffer.alloc(4)]);
    };
    const corrupt = (packed: Buffer, reason: string) => refused(packed, 'packed/corrupt', { reason });
    await corrupt(block([], 0x7fffffff), 'block-size');
    await corrupt(block([], 0xffffffff), 'block-size');
    await corrupt(block([0x10]), 'input-ends');
    await corrupt(block([0xf0, 255, 255]), 'input-ends');
    await corrupt(block([0x14, 65, 2, 0, 0]), 'match-before-start');
    await corrupt(block([0x14, 65, 0, 0, 0]), 'match-before-start');
    await corrupt(block([0x14, 65, 1, 0]), 'no-last-literals');
    await corrupt(block([0x1f, 65, 1, 0, ...Array<number>(300).fill(255), 0, 0]), 'output-too-long');
    const fields = Buffer.from('614001020304', 'hex');
    const dictionary = [
      Buffer.from('04224d18', 'hex'),
      fields,
      Buffer.from([(xxh32(fields, 0, 6) >>> 8) & 255]),
    ];
    await refused(Buffer.concat(dictionary), 'packed/unsupported', { reason: 'dictionary' });
    await refused(Buffer.from('04224d1820401a', 'hex'), 'packed/corrupt', { reason: 'frame-header' });
    const sized = lz4Frame(RDB, { contentSize: true });
    const other = lz4Frame(Buffer.alloc(900), { contentSize: true });
    await corrupt(Buffer.concat([other.subarray(0, 15), sized.subarray(15)]), 'content-size');
    await refused(packedFile('small.rdb.legacy.lz4'), 'packed/unsupported', {}, 'lz4');
  });

  it('in a frame of zstd', async () => {
    const wide = zstdFrame([RDB], { windowLog: 30 });
    await refused(wide, 'packed/unsupported', { reason: 'window', claimed: 2 ** 30 });
    const reserved = zstdFrame([RDB]);
    reserved[6]! |= 6;
    await refused(reserved, 'packed/corrupt', { reason: 'block-type' });
    await refused(zstdFrame([{ byte: 0, count: 200_000 }]), 'packed/corrupt', { reason: 'block-size' });
    await refused(Buffer.from('28b52ffd01000142', 'hex'), 'packed/unsupported', { reason: 'dictionary' });
    const claiming = (bytes: bigint) => {
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(bytes);
      return Buffer.concat([Buffer.from('28b52ffde0', 'hex'), size, zstdFrame([RDB]).subarray(6)]);
    };
    await refused(claiming(100_000_000n), 'packed/corrupt', { reason: 'content-size', claimed: 100_000_000 });
    await refused(claiming(4n << 30n), 'packed/unsupported', { reason: 'window', claimed: 2 ** 32 });
  });

  it('in what follows', async () => {
    const trailing = (packed: Buffer) =>
      refused(Buffer.concat([packed, Buffer.from('garbage')]), 'packed/trailing-bytes', {
        packedOffset: packed.length,
      });
    await trailing(gzip(RDB));
    await trailing(RDB_ZSTD);
    await trailing(lz4Frame(RDB));
  });

  it('in a trailer of gzip', async () => {
    const packed = gzip(RDB);
    const size = Buffer.from(packed);
    size[size.length - 1]! ^= 1;
    await refused(size, 'packed/corrupt', { reason: 'content-size' });
    const sum = Buffer.from(packed);
    sum[sum.length - 5]! ^= 1;
    await refused(sum, 'packed/checksum-mismatch', { of: 'content', packedOffset: packed.length - 8 });
  });
});

describe('a bomb', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const zeros = Buffer.alloc(1 << 22);
  const bombs: readonly (readonly [string, Buffer, number])[] = [
    ['gzip', Buffer.concat(Array<Buffer>(12).fill(gzipSync(zeros))), 12 * zeros.length],
    [
      'zstd',
      zstdFrame(
        Array.from({ length: 400 }, () => ({ byte: 0, count: 131072 })),
        { windowLog: 20 },
      ),
      400 * 131072,
    ],
    ['lz4', Buffer.concat(Array<Buffer>(12).fill(lz4Frame(zeros, { linked: true }))), 12 * zeros.length],
  ];

  it.each(bombs)('of %s takes no memory', async (_name, packed, size) => {
    const reader = await new UnpackedSource(new MemorySource(packed), packingIn(packed)).open();
    const into = Buffer.alloc(1 << 16);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let total = 0;
    for (let count = 1; count > 0; total += count) {
      count = await reader.read(into);
      if (total % (1 << 22) >= count) continue;
      // What was handed out counts until it is collected, which some releases of Node.js do late.
      collectGarbage();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    await reader.close();
    expect(total).toBe(size);
    expect(size / packed.length).toBeGreaterThan(200);
    expect(most).toBeLessThan(size / 2);
  });
});

describe('a pipe', () => {
  it('is unpacked once', async () => {
    const pipe = async function* () {
      yield gzip(RDB);
    };
    const source = new UnpackedSource(new StreamSource(pipe()), 'gzip');
    expect(source.once).toBe(true);
    const reader = await source.open();
    await reader.close();
    await expect(source.open()).rejects.toMatchObject({ code: 'input/pipe' });
  });

  it('that never ends can be closed while it is read', async () => {
    let wake = () => {};
    const stream = {
      destroyed: false,
      destroy() {
        this.destroyed = true;
        wake();
      },
      async *[Symbol.asyncIterator]() {
        yield gzip(RDB).subarray(0, 100);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      },
    };
    const reader = await new UnpackedSource(new StreamSource(stream), 'gzip').open();
    const reading = (async () => {
      while ((await reader.read(Buffer.alloc(1000))) > 0);
    })().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
    await reader.close();
    await reading;
    expect(stream.destroyed).toBe(true);
  });
});

function twice(plain: Buffer): Buffer {
  return Buffer.concat([plain, plain]);
}

function filled(): Buffer {
  return Buffer.concat([RDB, Buffer.alloc(300, 7)]);
}

function framesAround(frame: Buffer): Buffer {
  return Buffer.concat([
    skippable(Buffer.from('note')),
    frame,
    skippable(Buffer.alloc(0)),
    frame,
    skippable(RDB),
  ]);
}

function richGzip(plain: Buffer): Buffer {
  const body = gzipSync(plain, { level: constants.Z_BEST_SPEED }).subarray(10);
  const header = Buffer.from([0x1f, 0x8b, 8, 0x1e, 1, 2, 3, 4, 0, 255]);
  const extra = Buffer.from([5, 0, 1, 2, 3, 4, 5]);
  return Buffer.concat([header, extra, Buffer.from('dump.rdb\0a comment\0'), Buffer.from([0, 0]), body]);
}
