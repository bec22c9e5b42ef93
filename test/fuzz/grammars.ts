import { Crc64 } from '../../src/kernels/crc64.js';
import type { KeyHead } from '../../src/model/handler.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink, type RdbSummary } from '../../src/rdb/handler.js';
import type { Random } from '../support/random.js';
import { feed } from './feed.js';
import { changeBytes, decimal } from './mutate.js';
import type { Grammar } from './target.js';

class Boundaries extends RdbSink {
  readonly at: number[] = [];

  override keyEnd(head: KeyHead): void {
    this.at.push(head.offset);
  }

  override end({ endOffset, trailerOffset }: RdbSummary): void {
    this.at.push((trailerOffset >= 0 ? trailerOffset : endOffset) - 1);
  }
}

/** An RDB: what stands before the first key, records with the opcodes behind them, the end. */
export const RDB: Grammar = {
  split(bytes) {
    const found = new Boundaries();
    try {
      feed(new RdbDecoder(found, { verifyChecksum: false, deep: false }), bytes);
    } catch {
      // Up to there.
    }
    return cut(bytes, found.at);
  },
  join: Buffer.concat,
};

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place <= from) continue;
    parts.push(bytes.subarray(from, place));
    from = place;
  }
  return parts;
}

/** Sums the checksum of an RDB, or of a DUMP payload, anew. */
export function withChecksum(bytes: Buffer): Buffer {
  if (bytes.length < 17) return bytes;
  const end = bytes.length - 8;
  const crc = new Crc64();
  crc.update(bytes, 0, end);
  bytes.writeUInt32LE(crc.low, end);
  bytes.writeUInt32LE(crc.high, end + 4);
  return bytes;
}

const LF = 10;

/** Text by lines, each with its end. */
export const LINES: Grammar = {
  split(bytes) {
    const places: number[] = [];
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) places.push(at + 1);
    return cut(bytes, places);
  },
  join: Buffer.concat,
};

/** Commands of a log, changed by their arguments. */
export function commands(names: readonly string[]): Grammar {
  return {
    split(bytes) {
      const places: number[] = [];
      for (let at = 0; at < bytes.length; ) {
        const read = argumentsAt(bytes, at);
        at = read?.end ?? bytes.length;
        places.push(at);
      }
      return cut(bytes, places);
    },
    join: Buffer.concat,
    change(part, random, tokens) {
      const read = argumentsAt(part, 0);
      if (read === null || random.once(8)) return changeBytes(part, part, tokens, random);
      const { args } = read;
      const at = random.below(args.length);
      switch (random.below(7)) {
        case 0:
          args[0] = Buffer.from(random.pick(names));
          break;
        case 1:
          args.splice(at, 1);
          break;
        case 2:
          args.splice(at + 1, 0, random.pick(tokens));
          break;
        case 3:
          args[at] = random.pick(tokens);
          break;
        case 4:
          args[at] = Buffer.from(decimal(random));
          break;
        case 5:
          args.splice(at, 0, args[random.below(args.length)]!);
          break;
        default:
          args[at] = changeBytes(args[at]!, args[0]!, tokens, random);
      }
      return command(args);
    },
  };
}

export function command(args: readonly (Buffer | string)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from('\r\n');

/** A well-formed command at a place; null for anything else. */
function argumentsAt(bytes: Buffer, start: number): { args: Buffer[]; end: number } | null {
  const count = numberAt(bytes, start, 42);
  if (count === null || count.value < 1 || count.value > 200) return null;
  const args: Buffer[] = [];
  let at = count.end;
  for (let i = 0; i < count.value; i++) {
    const length = numberAt(bytes, at, 36);
    if (length === null || length.value < 0 || length.end + length.value + 2 > bytes.length) return null;
    args.push(bytes.subarray(length.end, length.end + length.value));
    at = length.end + length.value + 2;
  }
  return { args, end: at };
}

function numberAt(bytes: Buffer, at: number, prefix: number): { value: number; end: number } | null {
  if (bytes[at] !== prefix) return null;
  const feed = bytes.subarray(at, at + 24).indexOf(LF);
  if (feed < 2) return null;
  const text = bytes.latin1Slice(at + 1, at + feed - 1);
  return /^\d+$/.test(text) ? { value: Number(text), end: at + feed + 1 } : null;
}

/** Parts behind each other with a zero byte between them. */
export const WORDS: Grammar = {
  split(bytes) {
    return bytes
      .latin1Slice()
      .split('\0')
      .map((word) => Buffer.from(word, 'latin1'));
  },
  join: (parts) => Buffer.from(parts.map((part) => part.latin1Slice()).join('\0'), 'latin1'),
  change(part: Buffer, random: Random, tokens) {
    return random.once(2) ? random.pick(tokens) : changeBytes(part, part, tokens, random);
  },
};
