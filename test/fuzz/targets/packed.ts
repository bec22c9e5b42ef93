import { gzipSync } from 'node:zlib';
import { MemorySource } from '../../../src/bytes/source.js';
import { indexTar, isTar } from '../../../src/bytes/tar.js';
import { TarTree } from '../../../src/bytes/tar-tree.js';
import type { Packing } from '../../../src/bytes/unpack.js';
import { tar } from '../../support/tar-writer.js';
import { gzipMember, lz4Frames, vcsStream, zstdFrames } from '../packings.js';
import { plainFiles, texts } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { withoutKernels } from '../without.js';
import { unpackText } from '../works.js';

const SMALL = [
  Buffer.from('REDIS0011\xff\0\0\0\0\0\0\0\0', 'latin1'),
  Buffer.alloc(300, 'abcd'),
  Buffer.alloc(0),
];

function packed(packing: Packing, seeds: () => Buffer[], tokens: readonly Buffer[]): Target {
  return {
    name: packing,
    bytesMax: 1500,
    tokens,
    seeds,
    async run(bytes) {
      const own = await unpackText(bytes, packing);
      const plain = await (await withoutKernels()).unpackText(bytes, packing);
      if (own !== plain) throw new Broken(`${packing} unpacks the same without kernels`, [own, plain]);
    },
  };
}

const BLOCK = 512;

/** The sum in the header of every block that looks like one. */
function withSums(bytes: Buffer): Buffer {
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    if (bytes.latin1Slice(at + 257, at + 262) !== 'ustar') continue;
    bytes.fill(' ', at + 148, at + 156);
    let sum = 0;
    for (let i = at; i < at + BLOCK; i++) sum += bytes[i]!;
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

const archive: Target = {
  name: 'tar',
  bytesMax: 6000,
  tokens: texts(
    'ustar\x0000',
    'ustar  \0',
    '././@LongLink',
    '../x',
    '/etc/x',
    '15 path=dump.rdb\n',
    '30 size=99999999999999\n',
    '5',
    'L',
    'x',
    'g',
    'K',
    'S',
    '77777777777',
    '\x80\0\0\0\0\0\0\0\0\0\0\x10',
  ),
  grammar: {
    split: (bytes) =>
      Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, i) =>
        bytes.subarray(i * BLOCK, (i + 1) * BLOCK),
      ),
    join: Buffer.concat,
  },
  repair: withSums,
  seeds: () => [
    tar([{ name: 'dump.rdb', bytes: SMALL[0]! }]),
    tar([
      { name: './data/', type: '5' },
      { name: './data/appendonly.aof', bytes: SMALL[1]! },
    ]),
    tar([{ name: 'x', pax: { path: 'long/dump.rdb' }, bytes: SMALL[0]! }]),
    tar([{ name: 'x', gnuName: `${'long/'.repeat(30)}dump.rdb`, bytes: SMALL[0]! }]),
    tar([{ name: 'large', bytes: SMALL[0]!, base256: true }]),
  ],
  async run(bytes) {
    isTar(bytes);
    const source = new MemorySource(bytes, 'x.tar');
    const found = await indexTar(source);
    const tree = new TarTree(source, found);
    for (const [name, member] of found.members) {
      if (/(^|\/)\.\.(\/|$)|^\//.test(name)) throw new Broken('no name of an archive leads out of it', name);
      const opened = await tree.open(`x.tar:/${name}`);
      if (member.size > bytes.length) throw new Broken('a member is no longer than its archive', name);
      const reader = await opened.open();
      await reader.read(Buffer.alloc(64));
      await reader.close();
    }
  },
};

/** Sums in the trailer of gzip are put right by packing anew what stands there. */
export const targets: readonly Target[] = [
  packed(
    'gzip',
    () => SMALL.map((bytes) => gzipMember(gzipSync(bytes))),
    texts('\x1f\x8b\x08\0', '\x1f\x8b\x08\x1f', '\0\0\xff\xff', '\x03\0'),
  ),
  packed(
    'zstd',
    () => [...zstdFrames(), ...plainFiles('packed', /zst$/, 1500)],
    texts('\x28\xb5\x2f\xfd', '\x50\x2a\x4d\x18', '\x01\0\0', '\0', '\xff\xff\xff\x7f'),
  ),
  packed(
    'lz4',
    () => [...lz4Frames(SMALL), ...plainFiles('packed', /lz4$/, 1500)],
    texts('\x04\x22\x4d\x18', '\x02\x21\x4c\x18', '\0\0\0\0', '\x50\x2a\x4d\x18', '\0\0\0\x80'),
  ),
  packed('vcs', () => vcsStream(SMALL), texts('VCS\x01\x01\0\x01', '\x04\x22\x4d\x18', '\0\0\0\0')),
  archive,
];
