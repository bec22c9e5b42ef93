import { readFileSync } from 'node:fs';
import { loadKernels } from './load-kernels.mjs';
import { FileOutput } from './output.mjs';

const RUN = 1000;
const CHANGED_EVERY = 10_000;
const TRAILER = 9;

/** The position behind a text or an integer as `writeSmallRdb` writes them. */
function behind(bytes, at) {
  const first = bytes[at];
  if (first < 0x40) return at + 1 + first;
  if (first < 0x80) return at + 2 + (((first & 0x3f) << 8) | bytes[at + 1]);
  return at + 2 + [0, 1, 3][first - 0xc0];
}

/** Where the first record of a file by `writeSmallRdb` stands. */
function firstRecord(bytes) {
  let at = 9;
  while (bytes[at] === 0xfa) at = behind(bytes, behind(bytes, at + 1));
  at += 3; // the number of the database is one byte
  const length = (from) => from + (bytes[from] < 0x40 ? 1 : bytes[from] < 0x80 ? 2 : 5);
  return length(length(at));
}

/**
 * Writes the dataset of a file by `writeSmallRdb` as another server would hold it: its records in another order, one value
 * in ten thousand changed. Returns how many were.
 */
export async function alterSmallRdb(from, to) {
  const bytes = readFileSync(from);
  const start = firstRecord(bytes);
  const runs = [start];
  const end = bytes.length - TRAILER;
  let changed = 0;
  let count = 0;
  for (let at = start; at < end; count++) {
    if (count > 0 && count % RUN === 0) runs.push(at);
    const name = at + (bytes[at] === 0xfc ? 10 : 1);
    at = behind(bytes, behind(bytes, name));
    if (count % CHANGED_EVERY === 0) {
      bytes[at - 1] ^= 1;
      changed++;
    }
  }
  runs.push(end);
  const { updateCrc64 } = await loadKernels();
  const crc = { high: 0, low: 0 };
  const output = new FileOutput(to);
  output.onFlush = (part, length) => updateCrc64(crc, part, 0, length);
  const write = (first, last) => {
    for (let at = first; at < last; at += 1 << 16) {
      const stop = Math.min(last, at + (1 << 16));
      bytes.copy(output.bytes, output.position, at, stop);
      output.position += stop - at;
      output.record();
    }
  };
  write(0, start);
  for (let run = runs.length - 2; run >= 0; run--) write(runs[run], runs[run + 1]);
  output.byte(0xff);
  output.flush();
  output.onFlush = null;
  output.position = output.bytes.writeUInt32LE(crc.low, 0);
  output.position = output.bytes.writeUInt32LE(crc.high, 4);
  output.close();
  return changed;
}
