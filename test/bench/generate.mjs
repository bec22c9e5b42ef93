// Writes benchmark inputs of any size, the same bytes for the same seed:
//
//   node test/bench/generate.mjs aof       --size 100MB --out DIR         a data directory with an AOF of mixed commands
//   node test/bench/generate.mjs rdb-small --size 100MB --out small.rdb  an RDB of small strings
//   node test/bench/generate.mjs strings   --size 100MB --out many.aof   a log of one SET for each key
//   node test/bench/generate.mjs rdb-mixed --size 100MB --out mixed.rdb  an RDB of all common types, LZF-compressed
//   node test/bench/generate.mjs huge-string --size 5GB --out huge.rdb   an RDB of one string of that size among small keys
//   node test/bench/generate.mjs huge-hash --size 1.1GB --out huge.rdb   the same of one hash, fifty million fields at 1.1 GB
//
// Options: --seed N (default 1). The AOF itself is OUT/appendonlydir/appendonly.aof.1.incr.aof; OUT is a data directory
// that redis-server 7.0 starts from with `--dir OUT --appendonly yes`. Sizes: 1GB is 10^9 bytes; the result is within
// a few percent of what was asked for.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeAof } from './generate-aof.mjs';
import { FileOutput } from './output.mjs';

const UNITS = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** `100MB` in bytes. */
export function parseSize(text) {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?B?)$/i.exec(text);
  const unit = match?.[2].toUpperCase();
  const factor = UNITS[unit] ?? UNITS[`${unit}B`];
  if (factor === undefined) throw new Error(`not a size: ${text}`);
  return Math.round(Number(match[1]) * factor);
}

const STRING_BYTES = 80;

/** A log of one SET for each key: what `redis-cli --pipe` is fed and what replay sends are the same commands. */
function writeStrings(output, size) {
  let keys = 0;
  for (; output.size < size; keys++) {
    const key = `key:${keys}`;
    const value = `value ${keys} `.padEnd(STRING_BYTES, 'x');
    output.text(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`);
    output.record();
  }
  output.close();
  return { bytes: output.written, keys };
}

/** Makes one input. Returns what is in it: bytes, and commands or keys. */
export async function generate(kind, { size, out, seed = 1 }) {
  if (kind === 'aof') {
    const directory = join(out, 'appendonlydir');
    mkdirSync(directory, { recursive: true });
    const name = 'appendonly.aof.1.incr.aof';
    writeFileSync(join(directory, 'appendonly.aof.manifest'), `file ${name} seq 1 type i\n`);
    const output = new FileOutput(join(directory, name));
    return { path: join(directory, name), ...writeAof(output, size, seed) };
  }
  if (kind === 'strings') return { path: out, ...writeStrings(new FileOutput(out), size) };
  const { writeMixedRdb, writeSmallRdb } = await import('./generate-rdb.mjs');
  const { writeHugeHash, writeHugeString } = await import('./generate-huge.mjs');
  const write = {
    'rdb-small': writeSmallRdb,
    'rdb-mixed': writeMixedRdb,
    'huge-string': writeHugeString,
    'huge-hash': writeHugeHash,
  }[kind];
  if (write === undefined) throw new Error(`unknown input: ${kind}`);
  return { path: out, ...(await write(new FileOutput(out), size, seed)) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { size: { type: 'string' }, out: { type: 'string' }, seed: { type: 'string', default: '1' } },
  });
  if (positionals.length !== 1 || !values.size || !values.out) {
    console.error(
      'usage: generate.mjs aof|strings|rdb-small|rdb-mixed|huge-string|huge-hash --size 100MB --out PATH [--seed N]',
    );
    process.exit(2);
  }
  const began = performance.now();
  const made = await generate(positionals[0], {
    size: parseSize(values.size),
    out: values.out,
    seed: Number(values.seed),
  });
  console.log(JSON.stringify({ ...made, seconds: Number(((performance.now() - began) / 1000).toFixed(1)) }));
}
