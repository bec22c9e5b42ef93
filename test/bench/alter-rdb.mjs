import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { loadKernels } from './load-kernels.mjs';
import { FileOutput } from './output.mjs';

const RUN = 1000;
const CHANGED_EVERY = 10_000;
const TRAILER = 9;
const WINDOW = 1 << 20;
/** No record and no head of a file by `writeSmallRdb` is longer. */
const RECORD_MAX = 4096;
const PIECE = 1 << 16;

/** The position behind a text or an integer as `writeSmallRdb` writes them. */
function behind(bytes, at) {
  const first = bytes[at];
  if (first < 0x40) return at + 1 + first;
  if (first < 0x80) return at + 2 + (((first & 0x3f) << 8) | bytes[at + 1]);
  return at + 2 + [0, 1, 3][first - 0xc0];
}

/** The position behind a record. */
const behindRecord = (bytes, at) => behind(bytes, behind(bytes, at + (bytes[at] === 0xfc ? 10 : 1)));

/** Where the first record of a file by `writeSmallRdb` stands. */
function firstRecord(bytes) {
  let at = 9;
  while (bytes[at] === 0xfa) at = behind(bytes, behind(bytes, at + 1));
  at += 3; // the number of the database is one byte
  const length = (from) => from + (bytes[from] < 0x40 ? 1 : bytes[from] < 0x80 ? 2 : 5);
  return length(length(at));
}

function readAt(descriptor, offset, length) {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(descriptor, bytes, filled, length - filled, offset + filled);
    if (read === 0) throw new Error('the file ended before its records did');
    filled += read;
  }
  return bytes;
}

/** Where runs of a thousand records begin, and behind them the end of the last; and how many records there are. */
function runsOf(descriptor, end) {
  let offset = firstRecord(readAt(descriptor, 0, Math.min(end, RECORD_MAX)));
  const runs = [];
  let count = 0;
  while (offset < end) {
    const bytes = readAt(descriptor, offset, Math.min(WINDOW, end - offset));
    const enough = offset + bytes.length === end ? bytes.length : bytes.length - RECORD_MAX;
    let at = 0;
    for (; at < enough; count++) {
      if (count % RUN === 0) runs.push(offset + at);
      at = behindRecord(bytes, at);
    }
    offset += at;
  }
  return { runs: [...runs, end], count };
}

/**
 * Writes the dataset of a file by `writeSmallRdb` as another server would hold it: its records in another order, one value
 * in ten thousand changed. Returns how many were.
 */
export async function alterSmallRdb(from, to) {
  const descriptor = openSync(from, 'r');
  const { runs, count } = runsOf(descriptor, fstatSync(descriptor).size - TRAILER);
  const { updateCrc64 } = await loadKernels();
  const crc = { high: 0, low: 0 };
  const output = new FileOutput(to);
  output.onFlush = (part, length) => updateCrc64(crc, part, 0, length);
  const write = (bytes) => {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      output.bytes.set(piece, output.position);
      output.position += piece.length;
      output.record();
    }
  };
  write(readAt(descriptor, 0, runs[0]));
  for (let run = runs.length - 2; run >= 0; run--) {
    const bytes = readAt(descriptor, runs[run], runs[run + 1] - runs[run]);
    if ((run * RUN) % CHANGED_EVERY === 0) bytes[behindRecord(bytes, 0) - 1] ^= 1;
    write(bytes);
  }
  closeSync(descriptor);
  output.byte(0xff);
  output.flush();
  output.onFlush = null;
  output.position = output.bytes.writeUInt32LE(crc.low, 0);
  output.position = output.bytes.writeUInt32LE(crc.high, 4);
  output.close();
  return Math.ceil(count / CHANGED_EVERY);
}
