import { createHash } from 'node:crypto';
import { Crc64 } from '../../../src/kernels/crc64.js';
import { updateCrc64 } from '../../../src/kernels/crc64-tables.js';
import { Int64Words } from '../../../src/kernels/decimal.js';
import { Lz4Plain, lz4Measure } from '../../../src/kernels/lz4-plain.js';
import { Lz4Wasm } from '../../../src/kernels/lz4-wasm.js';
import { lzfCompressPlain, lzfDecompressPlain } from '../../../src/kernels/lzf-plain.js';
import { LzfWasm } from '../../../src/kernels/lzf-wasm.js';
import { sha1 } from '../../../src/kernels/sha1.js';
import { texts } from '../seeds.js';
import { Broken, type Target } from '../target.js';

const GUARD = 8;
const plainText = Buffer.from(
  'abcabcabcabcabcabcabcdefdefdefdefaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0123456789',
);

let lzfKernel: LzfWasm | null | undefined;

/** A stream of LZF, behind the size it is to have: both decoders agree, and write nowhere else. */
const lzf: Target = {
  name: 'lzf',
  modeBytes: 2,
  bytesMax: 600,
  tokens: texts('\xe0\0\0', '\xff\xff\xff', '\x20\0', '\x1f', '\0a'),
  seeds() {
    const packed = Buffer.alloc(200);
    const size = lzfCompressPlain(plainText, 0, plainText.length, packed, 0, 200);
    return [
      Buffer.concat([Buffer.of(0, plainText.length), packed.subarray(0, size)]),
      Buffer.of(0, 1, 0, 97),
    ];
  },
  run(bytes) {
    if (bytes.length < 2) return;
    lzfKernel ??= LzfWasm.create();
    const size = bytes.readUInt16BE(0) % 5000;
    const results = [lzfDecompressPlain, lzfKernel!.decompress.bind(lzfKernel)].map((decode) => {
      const output = Buffer.alloc(size + 2 * GUARD, 0x5a);
      const isWhole = decode(bytes, 2, bytes.length, output, GUARD, GUARD + size);
      for (let i = 0; i < GUARD; i++) {
        if (output[i] !== 0x5a || output[size + GUARD + i] !== 0x5a)
          throw new Broken('LZF stays in its range');
      }
      return isWhole ? output : null;
    });
    const [plain, kernel] = results as [Buffer | null, Buffer | null];
    if ((plain === null) !== (kernel === null)) throw new Broken('LZF is refused by both');
    if (plain !== null && !plain.equals(kernel!)) throw new Broken('LZF is the same by both');
    // And there and back.
    const packed = Buffer.alloc(bytes.length * 2 + 16);
    for (const compress of [lzfCompressPlain, lzfKernel!.compress.bind(lzfKernel)]) {
      const length = compress(bytes, 0, bytes.length, packed, 0, packed.length);
      if (length === 0) continue;
      const again = Buffer.alloc(bytes.length);
      if (!lzfDecompressPlain(packed, 0, length, again, 0, again.length) || !again.equals(bytes)) {
        throw new Broken('what was packed as LZF is the same unpacked');
      }
    }
  },
};

let lz4Kernel: Lz4Wasm | null | undefined;
let lz4Twin: Lz4Plain | undefined;

/** Blocks of LZ4, decoded by both. */
const lz4: Target = {
  name: 'lz4-block',
  modeBytes: 1,
  bytesMax: 600,
  tokens: texts('\x0f\x08\0', '\xf0\xff\xff', '\x1f\x01\0\xff\xff\0', '\x10a', '\0'),
  seeds: () => [Buffer.from('00506162636465', 'hex'), Buffer.from('011161010050303132333435', 'hex')],
  run(bytes) {
    lz4Kernel ??= Lz4Wasm.create();
    lz4Twin ??= new Lz4Plain();
    const history = (bytes[0] ?? 0) & 1 ? 256 : 0;
    const max = 1 << 12;
    const sizes = [lz4Kernel!, lz4Twin].map((memory) => {
      memory.room(max, max);
      memory.output.fill(7, 65536 - 256, 65536);
      return memory.decode(bytes, 1, bytes.length, history, max);
    });
    const [kernel, plain] = sizes as [number, number];
    if (kernel !== plain) throw new Broken('an LZ4 block is as long by both', sizes);
    if (kernel < 0) {
      lz4Measure(bytes, 1, bytes.length, history, max);
      return;
    }
    const own = lz4Kernel!.output.subarray(65536, 65536 + kernel);
    if (!own.equals(lz4Twin.output.subarray(65536, 65536 + kernel)))
      throw new Broken('an LZ4 block is the same by both');
  },
};

/** Sums of any bytes, in parts. */
const sums: Target = {
  name: 'sums',
  modeBytes: 1,
  bytesMax: 1500,
  tokens: [],
  seeds: () => [Buffer.alloc(700, 'ab'), Buffer.alloc(3)],
  run(bytes) {
    const cut = Math.min(bytes.length, (bytes[0] ?? 0) * 5);
    const whole = new Int64Words();
    updateCrc64(whole, bytes, 0, bytes.length);
    const crc = new Crc64();
    crc.update(bytes, 0, cut);
    crc.update(bytes, cut);
    if (crc.high !== whole.high >>> 0 || crc.low !== whole.low >>> 0)
      throw new Broken('CRC-64 is the same by both');
    const words = new Int32Array(5);
    sha1(bytes, cut, bytes.length, words);
    const hex = Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
    if (hex !== createHash('sha1').update(bytes.subarray(cut)).digest('hex'))
      throw new Broken('SHA-1 is that of OpenSSL');
  },
};

export const targets: readonly Target[] = [lzf, lz4, sums];
