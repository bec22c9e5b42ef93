import { type Long, normalLong, unsignedLong } from '../../bytes/int64.js';
import { Int64Words, parseSafeInteger, parseUint64 } from '../../kernels/decimal.js';
import type { CommandSpans } from '../../resp/command.js';

/** The number that is no index: commands refuse it, but for the one that moves the cursor. */
export const NO_INDEX = 0xffffffff_ffffffffn;

const words = new Int64Words();

/**
 * Argument i as an unsigned 64-bit number; null when the servers take it for none. Beside plain digits they take what C's
 * strtoull does, up to a zero byte: blanks and a plus in front, leading zeros, and a minus in front of those.
 */
export function unsignedAt(command: CommandSpans, i: number): Long | null {
  const { bytes } = command;
  const start = command.starts[i]!;
  const end = command.ends[i]!;
  const value = parseSafeInteger(bytes, start, end);
  if (value >= 0) return value;
  if (parseUint64(bytes, start, end, words)) return unsignedLong(words.high, words.low);
  return end - start > TEXT_MAX ? null : leniently(bytes.latin1Slice(start, end));
}

/** Longer texts are of zeros in front of a number, which nobody writes. */
const TEXT_MAX = 1024;
const CANONICAL_NEGATIVE = /^-[1-9]\d*$/;
const LENIENT = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/;

function leniently(text: string): Long | null {
  const zero = text.indexOf('\0');
  const shown = zero < 0 ? text : text.slice(0, zero);
  const match = LENIENT.exec(shown);
  if (match === null) return null;
  const magnitude = BigInt(match[2]!);
  if (magnitude > NO_INDEX) return null;
  if (match[1] !== '-') return normalLong(magnitude);
  const isInt64 = CANONICAL_NEGATIVE.test(shown) && magnitude <= 2n ** 63n;
  return isInt64 ? null : normalLong(BigInt.asUintN(64, -magnitude));
}
