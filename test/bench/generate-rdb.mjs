import { loadKernels } from './load-kernels.mjs';
import { makeProse, Random } from './output.mjs';
import { RdbOutput } from './rdb-output.mjs';

const EXPIRY_MS = 1772366400000 + 3000 * 86400000;
const PROSE = 1 << 16;

/** One listpack of texts and integers. */
function listpack(entries) {
  const out = Buffer.alloc(16 + entries.reduce((sum, entry) => sum + String(entry).length + 11, 0));
  let at = 6;
  for (const entry of entries) {
    const start = at;
    if (typeof entry === 'number' && entry >= 0 && entry < 128) out[at++] = entry;
    else if (typeof entry === 'number' && entry >= -32768 && entry < 32768) {
      out[at++] = 0xf1;
      at = out.writeInt16LE(entry, at);
    } else if (typeof entry === 'number') {
      out[at++] = 0xf3;
      at = out.writeInt32LE(entry, at);
    } else {
      if (entry.length < 64) out[at++] = 0x80 | entry.length;
      else at = out.writeUInt16BE(0xe000 | entry.length, at);
      at += out.latin1Write(entry, at);
    }
    const size = at - start;
    if (size < 128) out[at++] = size;
    else {
      out[at++] = size >> 7;
      out[at++] = (size & 127) | 128;
    }
  }
  out[at++] = 0xff;
  out.writeUInt32LE(at, 0);
  out.writeUInt16LE(entries.length, 4);
  return out.subarray(0, at);
}

function intset(values) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const out = Buffer.alloc(8 + sorted.length * 4);
  out.writeUInt32LE(4, 0);
  out.writeUInt32LE(sorted.length, 4);
  sorted.forEach((value, i) => {
    out.writeInt32LE(value, 8 + 4 * i);
  });
  return out;
}

/** About 165 bytes a key, so six million at 1 GB: texts of all small sizes, one in ten an integer, a third with an expiry. */
export async function writeSmallRdb(output, size, seed) {
  const rdb = new RdbOutput(output, await loadKernels());
  const random = new Random(seed);
  const keys = Math.round(size / 165);
  const pool = Array.from({ length: 4096 }, () => random.hex(512)).join('');
  const expiring = (index) => index % 3 === 0;
  rdb.begin(keys, Math.ceil(keys / 3));
  for (let i = 0; i < keys; i++) {
    if (expiring(i)) rdb.expiry(EXPIRY_MS + random.below(2 ** 31));
    output.byte(0);
    rdb.text(`key:${String(i).padStart(9, '0')}:${i % 97}`);
    if (i % 10 === 9) {
      rdb.integer(random.below(2 ** random.below(31)));
    } else {
      const length = 8 + random.below(random.below(8) === 0 ? 700 : 240);
      const at = random.below(pool.length - length);
      rdb.text(pool.slice(at, at + length));
    }
    output.record();
  }
  rdb.end();
  return { bytes: output.size, keys };
}

/** One value of each kind: `[weight, type, write]`. Together about 365 bytes a key, compressed. */
function kinds(rdb, random, prose) {
  const cut = (min, max) => {
    const at = random.below(PROSE);
    return prose.slice(at, at + min + random.below(max - min));
  };
  const some = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  return [
    [30, 0, () => rdb.blob(Buffer.from(cut(20, 400), 'latin1'))],
    [10, 0, () => rdb.integer(random.below(2 ** 31))],
    [
      20,
      16, // hash listpack
      () => {
        const id = random.below(1e6);
        const fields = ['name', `user ${id}`, 'email', `u${id}@example.com`, 'visits', random.below(20000)];
        rdb.blob(listpack([...fields, 'bio', cut(10, 60), 'seen', random.below(2 ** 31)]));
      },
    ],
    [
      1,
      4, // hash
      () => {
        const count = 130 + random.below(100);
        rdb.length(count);
        for (let i = 0; i < count; i++) {
          rdb.text(`field:${i}`);
          rdb.blob(Buffer.from(cut(10, 80), 'latin1'));
        }
      },
    ],
    [
      12,
      17, // sorted set listpack
      () => {
        const pairs = some(1 + random.below(12), (i) => [`player:${random.below(1e6)}:${i}`, i * 97]);
        rdb.blob(listpack(pairs.flat()));
      },
    ],
    [
      1,
      5, // sorted set
      () => {
        const count = 150 + random.below(200);
        rdb.length(count);
        for (let i = 0; i < count; i++) {
          rdb.text(`player:${i}:${random.below(1000)}`);
          rdb.double(i * 1.25);
        }
      },
    ],
    [8, 11, () => rdb.blob(intset(some(1 + random.below(60), () => random.below(2 ** 31))))],
    [
      3,
      2, // set
      () => {
        const count = 2 + random.below(30);
        rdb.length(count);
        for (let i = 0; i < count; i++) rdb.text(`member:${i}:${random.hex(6)}`);
      },
    ],
    [
      8,
      18, // list of listpacks
      () => {
        const nodes = random.below(20) === 0 ? 3 : 1;
        rdb.length(nodes);
        for (let i = 0; i < nodes; i++) {
          rdb.length(2);
          rdb.blob(listpack(some(1 + random.below(25), () => cut(10, 80))));
        }
      },
    ],
    [
      1,
      19, // stream
      () => writeStream(rdb, random, cut),
    ],
  ].map(([weight, type, write]) => ({ weight, type, write }));
}

function writeStream(rdb, random, cut) {
  const { output } = rdb;
  const entries = 5 + random.below(80);
  const node = Buffer.alloc(16);
  node.writeUInt32BE(0x19c, 0);
  node.writeUInt32BE(random.next(), 4);
  const parts = [entries, 0, 2, 'kind', 'body', 0];
  for (let i = 0; i < entries; i++) parts.push(2, i * 13, 0, 'view', cut(10, 60), 5);
  rdb.length(1);
  rdb.plain(node);
  rdb.blob(listpack(parts));
  const low = node.readUInt32BE(4);
  const id = (ms) => {
    output.byte(0x81);
    output.position = output.bytes.writeBigUInt64BE(
      (0x19cn << 32n) + BigInt(low) + BigInt(ms),
      output.position,
    );
    rdb.length(0);
  };
  rdb.length(entries);
  id((entries - 1) * 13);
  id(0);
  rdb.length(0);
  rdb.length(0);
  rdb.length(entries);
  rdb.length(0);
}

/** Strings, hashes, sorted sets, sets, lists and streams, small and large, as 7.0 writes them. */
export async function writeMixedRdb(output, size, seed) {
  const rdb = new RdbOutput(output, await loadKernels());
  const random = new Random(seed);
  const table = kinds(rdb, random, makeProse(random, PROSE + 4096));
  const wheel = table.flatMap((kind) => Array(kind.weight).fill(kind));
  const keys = Math.round(size / 365);
  rdb.begin(keys, Math.ceil(keys / 4));
  for (let i = 0; i < keys; i++) {
    if (i % 4 === 0) rdb.expiry(EXPIRY_MS + random.below(2 ** 31));
    const kind = wheel[random.below(wheel.length)];
    output.byte(kind.type);
    rdb.text(`object:${i}:${kind.type}`);
    kind.write();
    output.record();
  }
  rdb.end();
  return { bytes: output.size, keys };
}
