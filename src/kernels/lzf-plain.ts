/** LZF in TypeScript: for short inputs, very long ones, and where WebAssembly is switched off. lzf.ts picks. */

const MAX_LITERAL = 32;
const MAX_DISTANCE = 8192;
const MAX_MATCH = 264;

/**
 * Decompresses the LZF stream `input[inputStart..inputEnd)` into exactly `output[outputStart..outputEnd)`. False when
 * the stream is malformed, reaches before its own start, or yields another number of bytes; the output range then
 * holds garbage. Nothing outside the ranges is touched.
 */
export function lzfDecompressPlain(
  input: Uint8Array,
  inputStart: number,
  inputEnd: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): boolean {
  let from = inputStart;
  let to = outputStart;
  while (from < inputEnd) {
    const control = input[from++]!;
    if (control < MAX_LITERAL) {
      const stop = from + control + 1;
      if (stop > inputEnd || to + control >= outputEnd) return false;
      do output[to++] = input[from++]!;
      while (from < stop);
      continue;
    }
    let length = control >> 5;
    if (length === 7) {
      if (from >= inputEnd) return false;
      length += input[from++]!;
    }
    if (from >= inputEnd) return false;
    let source = to - ((control & 31) << 8) - input[from++]! - 1;
    const stop = to + length + 2;
    if (source < outputStart || stop > outputEnd) return false;
    do output[to++] = output[source++]!;
    while (to < stop);
  }
  return to === outputEnd;
}

const TABLE_BITS = 14;
/** Where each hash of three bytes was last seen, as position + `epoch`, so that the table need not be cleared. */
const table = new Int32Array(1 << TABLE_BITS);
let epoch = 1;

/**
 * Compresses `input[inputStart..inputEnd)` into `output` from `outputStart`, using at most `budget` bytes there.
 * Returns the number of bytes written, 0 when they would not suffice. Any LZF decoder reads the result; its bytes are
 * not those of the C library.
 */
export function lzfCompressPlain(
  input: Uint8Array,
  inputStart: number,
  inputEnd: number,
  output: Uint8Array,
  outputStart: number,
  budget: number,
): number {
  const size = inputEnd - inputStart;
  if (epoch > 0x7fffffff - size) {
    table.fill(0);
    epoch = 1;
  }
  const origin = epoch - inputStart;
  epoch += size;
  const outputEnd = outputStart + budget;
  const lastTriple = inputEnd - 2;
  let from = inputStart;
  let literals = inputStart;
  let to = outputStart;
  while (from < lastTriple) {
    const triple = (input[from]! << 16) | (input[from + 1]! << 8) | input[from + 2]!;
    const slot = Math.imul(triple, 0x9e3779b1) >>> (32 - TABLE_BITS);
    const seen = table[slot]! - origin;
    table[slot] = from + origin;
    if (
      seen < inputStart ||
      from - seen > MAX_DISTANCE ||
      input[seen] !== input[from] ||
      input[seen + 1] !== input[from + 1] ||
      input[seen + 2] !== input[from + 2]
    ) {
      from++;
      continue;
    }
    const limit = Math.min(MAX_MATCH, inputEnd - from);
    let length = 3;
    while (length < limit && input[seen + length] === input[from + length]) length++;
    to = writeLiterals(input, literals, from, output, to, outputEnd);
    if (to < 0 || to + 3 > outputEnd) return 0;
    const distance = from - seen - 1;
    if (length < 9) {
      output[to++] = ((length - 2) << 5) | (distance >> 8);
    } else {
      output[to++] = 0xe0 | (distance >> 8);
      output[to++] = length - 9;
    }
    output[to++] = distance & 0xff;
    from += length;
    literals = from;
  }
  to = writeLiterals(input, literals, inputEnd, output, to, outputEnd);
  return to < 0 ? 0 : to - outputStart;
}

/** Literal runs of up to 32 bytes. Returns the position after them, -1 when they do not fit. */
function writeLiterals(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  at: number,
  outputEnd: number,
): number {
  let to = at;
  let from = start;
  while (from < end) {
    const stop = Math.min(from + MAX_LITERAL, end);
    if (to + 1 + stop - from > outputEnd) return -1;
    output[to++] = stop - from - 1;
    while (from < stop) output[to++] = input[from++]!;
  }
  return to;
}
