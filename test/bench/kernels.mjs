const ROUNDS = 5;
const ROUND_MS = 100;
/** Between two looks at the clock. */
const CALLS = 16;

/** Milliseconds of processor time used by this process: what neighbours on the machine cost is not in it. */
const clock = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Units of work a second: the best of several rounds, each long enough to be measured. */
function rateOf(workPerCall, call) {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const began = clock();
    let calls = 0;
    let elapsed = 0;
    while (elapsed < ROUND_MS) {
      for (let i = 0; i < CALLS; i++) call(i);
      calls += CALLS;
      elapsed = clock() - began;
    }
    best = Math.max(best, (workPerCall * calls * 1000) / elapsed);
  }
  return best;
}

const kernel = (name) => import(new URL(`../../dist/src/kernels/${name}.js`, import.meta.url).href);

/** Numbers as a log has them, end to end, with their ends. */
function texts(make, count) {
  const parts = Array.from({ length: count }, (_, i) => make(i));
  const bytes = Buffer.from(parts.join(''), 'latin1');
  let end = 0;
  const ends = parts.map((part) => {
    end += part.length;
    return end;
  });
  return { bytes, ends };
}

/** Every kernel on input of a usual kind, from the built code: `{name, rate, unit}`. */
export async function measureKernels() {
  const results = [];
  const megabytes = (name, size, call) =>
    results.push({ name, rate: rateOf(size / 1e6, call), unit: 'MB/s' });
  const millions = (name, count, call) =>
    results.push({ name, rate: rateOf(count / 1e6, call), unit: 'M/s' });
  const { Int64Words, parseInt64, writeInteger } = await kernel('decimal');
  const words = new Int64Words();

  const block = Buffer.alloc(1 << 20);
  for (let i = 0; i < block.length; i++) block[i] = Math.imul(i, 0x9e3779b1) >>> 24;
  const { updateCrc64 } = await kernel('crc64-tables');
  megabytes('crc64 TypeScript', block.length, () => updateCrc64(words, block, 0, block.length));
  const { Crc64 } = await kernel('crc64');
  const crc = new Crc64();
  megabytes('crc64 chosen, 1 MiB', block.length, () => crc.update(block, 0, block.length));
  megabytes('crc64 chosen, 1 KiB', 1024 * 100, () => {
    for (let i = 0; i < 100; i++) crc.update(block, 0, 1024);
  });

  const { lzfCompress, lzfDecompress } = await kernel('lzf');
  for (const size of [100, 1000, 8192]) {
    const plain = Buffer.from('user:1000 name="alice" visits=12 '.repeat(300).slice(0, size));
    for (let i = 0; i < size; i += 11) plain[i] = block[i];
    const packed = Buffer.alloc(size * 2);
    const packedSize = lzfCompress(plain, 0, size, packed, 0, packed.length);
    const out = Buffer.alloc(size);
    const times = Math.ceil(20000 / size);
    megabytes(`lzf compress, ${size} B`, size * times, () => {
      for (let i = 0; i < times; i++) lzfCompress(plain, 0, size, packed, 0, packed.length);
    });
    megabytes(`lzf decompress, ${size} B`, size * times, () => {
      for (let i = 0; i < times; i++) lzfDecompress(packed, 0, packedSize, out, 0, size);
    });
  }

  await measureLz4(megabytes);

  const { sha1 } = await kernel('sha1');
  const out = new Int32Array(5);
  for (const size of [20, 200, 4096]) {
    millions(`sha1, ${size} B`, 100, () => {
      for (let i = 0; i < 100; i++) sha1(block, i, i + size, out);
    });
  }
  const { murmurHash64A } = await kernel('murmur');
  millions('murmur, 20 B', 100, () => {
    for (let i = 0; i < 100; i++) murmurHash64A(block, i, i + 20, 0xadc83b19, words);
  });
  const { slotOf } = await kernel('crc16');
  millions('slot, 20 B', 100, () => {
    for (let i = 0; i < 100; i++) slotOf(block, i, i + 20);
  });
  await measureNumbers(millions, { words, parseInt64, writeInteger });
  return results;
}

/** A block as `lz4` makes it of such text: short runs of literals, matches from near by. */
async function measureLz4(megabytes) {
  const { Lz4Plain } = await kernel('lz4-plain');
  const { Lz4Wasm } = await kernel('lz4-wasm');
  const parts = [Buffer.from([0xfa, 7]), Buffer.from('user:1000 name="alice"'), Buffer.from([20, 0])];
  for (let i = 0; i < 3600; i++) parts.push(Buffer.from([0x4a, 49, 50, 51, 52, 13 + (i % 9), 0]));
  const block = Buffer.concat([...parts, Buffer.from([0])]);
  for (const [name, decoder] of [
    ['TypeScript', new Lz4Plain()],
    ['WebAssembly', Lz4Wasm.create()],
  ]) {
    const size = decoder.decode(block, 0, block.length, 0, 1 << 17);
    megabytes(`lz4 decode ${name}, 64 KiB`, size, () => decoder.decode(block, 0, block.length, 0, 1 << 17));
  }
}

async function measureNumbers(millions, { words, parseInt64, writeInteger }) {
  const { parseDouble, write17g, writeShortest } = await kernel('doubles');
  const into = Buffer.alloc(64);
  const integers = texts((i) => String(Math.imul(i, 0x9e3779b1) >> (i % 28)), 1000);
  const each = (list, act) => () => {
    let start = 0;
    for (const end of list.ends) {
      act(list.bytes, start, end);
      start = end;
    }
  };
  millions(
    'parse int64',
    1000,
    each(integers, (bytes, start, end) => parseInt64(bytes, start, end, words)),
  );
  const scores = texts((i) => (Math.imul(i, 0x9e3779b1) / 10 ** (i % 5)).toString(), 1000);
  millions('parse double', 1000, each(scores, parseDouble));
  const numbers = Float64Array.from({ length: 1000 }, (_, i) => Math.imul(i, 0x9e3779b1) / 1024 / (i + 3));
  millions('write integer', 1000, () => {
    for (let i = 0; i < 1000; i++) writeInteger(i * 7919, into, 0);
  });
  millions('write double, shortest', 1000, () => {
    for (const number of numbers) writeShortest(number, into, 0);
  });
  millions('write double, %.17g', 1000, () => {
    for (const number of numbers) write17g(number, into, 0);
  });
}
