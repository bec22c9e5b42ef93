import { Int64Words, parseInt64 } from '../../kernels/decimal.js';

/**
 * Sizes of listpack elements, so that a stream of the embedded engine ends its blocks where a server ends its nodes:
 * `MAXLEN ~` removes whole nodes only. Each size includes the element's own backward length.
 */

/** Bytes of an integer as a listpack element. */
export function integerSize(value: number): number {
  if (value >= 0 && value <= 127) return 2;
  if (value >= -4096 && value <= 4095) return 3;
  if (value >= -32768 && value <= 32767) return 4;
  if (value >= -8388608 && value <= 8388607) return 5;
  return value >= -2147483648 && value <= 2147483647 ? 6 : 10;
}

/** Bytes of a text as a listpack element: the text of an integer is stored as that integer. */
export function stringSize(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length < 21 && length > 0) {
    const size = integerTextSize(bytes, start, end);
    if (size > 0) return size;
  }
  const head = length < 64 ? 1 : length < 4096 ? 2 : 5;
  return head + length + backwardSize(head + length);
}

function backwardSize(length: number): number {
  return length <= 127 ? 1 : length < 16383 ? 2 : length < 2097151 ? 3 : length < 268435455 ? 4 : 5;
}

const integer = new Int64Words();

/** The size of the integer whose canonical 64-bit text this is; 0 when it is none. */
function integerTextSize(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start]!;
  if ((first > 0x39 || first < 0x30) && first !== 0x2d) return 0;
  if (!parseInt64(bytes, start, end, integer)) return 0;
  return integerSize((integer.high | 0) * 4294967296 + integer.low);
}
