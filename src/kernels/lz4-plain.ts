import { decompressBlock } from 'lz4js';

/** How far back a match may reach: what must be kept of the output between linked blocks. */
export const LZ4_WINDOW = 65536;

/** Why a block is none. */
export type Lz4Flaw = 'input-ends' | 'output-too-long' | 'match-before-start' | 'no-last-literals';

/** Where in the input the last measured block turned out to be none, and why; '' while all was well. */
export const lz4Flaw: { at: number; why: Lz4Flaw | '' } = { at: 0, why: '' };

const MIN_MATCH = 4;

/**
 * Walks the tokens of a block, `input[start..end)`, without writing anything: the bytes it decodes to, or -1 with
 * `lz4Flaw` set when it is malformed, yields more than `outputMax` or reaches back further than `history` bytes before
 * its own start. The decoder proper checks none of this.
 */
export function lz4Measure(
  input: Uint8Array,
  start: number,
  end: number,
  history: number,
  outputMax: number,
): number {
  let at = start;
  let size = 0;
  lz4Flaw.why = '';
  while (at < end) {
    const token = input[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return flaw(at, 'input-ends');
        more = input[at++]!;
        literals += more;
      }
    }
    at += literals;
    size += literals;
    if (at > end) return flaw(at - literals, 'input-ends');
    if (size > outputMax) return flaw(at, 'output-too-long');
    if (at === end) return size;
    if (at + 2 > end) return flaw(at, 'input-ends');
    const distance = input[at]! | (input[at + 1]! << 8);
    if (distance === 0 || distance > size + history) return flaw(at, 'match-before-start');
    at += 2;
    let match = (token & 15) + MIN_MATCH;
    if ((token & 15) === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return flaw(at, 'input-ends');
        more = input[at++]!;
        match += more;
      }
    }
    size += match;
    if (size > outputMax) return flaw(at, 'output-too-long');
  }
  // A block ends with literals, if only with none of them.
  return flaw(at, 'no-last-literals');
}

function flaw(at: number, why: Lz4Flaw): -1 {
  lz4Flaw.at = at;
  lz4Flaw.why = why;
  return -1;
}

/** LZ4 blocks in plain JavaScript: measured first, because the decoder proper checks nothing. */
export class Lz4Plain {
  /** `LZ4_WINDOW` bytes that matches may reach into, then the block. */
  output: Buffer = Buffer.allocUnsafeSlow(2 * LZ4_WINDOW);

  /** Makes room for a block of `size` bytes. `sizeMax`: no block is larger. */
  room(size: number, sizeMax: number): void {
    if (LZ4_WINDOW + size <= this.output.length) return;
    const larger = Buffer.allocUnsafeSlow(LZ4_WINDOW + Math.max(size, Math.min(sizeMax, 2 * size)));
    this.output.copy(larger, 0, 0, LZ4_WINDOW);
    this.output = larger;
  }

  /**
   * Decodes the block `input[start..end)` behind the window, the last `history` bytes of which count. Returns its bytes,
   * -1 when it is malformed or yields more than `outputMax`.
   */
  decode(input: Uint8Array, start: number, end: number, history: number, outputMax: number): number {
    const size = lz4Measure(input, start, end, history, outputMax);
    if (size < 0) return -1;
    this.room(size, outputMax);
    decompressBlock(input, this.output, start, end - start, LZ4_WINDOW);
    return size;
  }
}
