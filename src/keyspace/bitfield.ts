import { highWord, type Long, lowWord, normalLong, signedLong, unsignedLong } from '../bytes/int64.js';

/** What happens to a result that does not fit its field: modulo, the nearest bound, or nothing at all. */
export type Overflow = 'wrap' | 'sat' | 'fail';

/** An integer of 1 to 64 bits (63 when unsigned), most significant bit first. */
export interface FieldType {
  readonly signed: boolean;
  readonly bits: number;
}

const TWO_63 = 9223372036854775808n;

/** The integer at a bit offset. Bits beyond the end are not there: the caller has grown the string. */
export function readField(bytes: Buffer, start: number, bitOffset: number, type: FieldType): Long {
  const { bits, signed } = type;
  const low = readBits(bytes, start, bitOffset + Math.max(0, bits - 32), Math.min(bits, 32));
  const high = bits > 32 ? readBits(bytes, start, bitOffset, bits - 32) : 0;
  if (!signed) return unsignedLong(high, low);
  if (bits <= 32) return signedLong(low >>> (bits - 1) === 0 ? 0 : 0xffffffff, signExtend(low, bits));
  return signedLong(signExtend(high, bits - 32), low);
}

/** Writes the low bits of the two's complement form of a value. */
export function writeField(bytes: Buffer, start: number, bitOffset: number, bits: number, value: Long): void {
  if (bits > 32) writeBits(bytes, start, bitOffset, bits - 32, highWord(value));
  writeBits(bytes, start, bitOffset + Math.max(0, bits - 32), Math.min(bits, 32), lowWord(value));
}

/**
 * The value a field gets when `value`, any exact integer, is stored in it; null when that fails. `isSet`: the value was
 * given as such, and was taken from a 64-bit word of the field's signedness.
 */
export function fitField(value: Long, type: FieldType, overflow: Overflow, isSet: boolean): Long | null {
  const { bits, signed } = type;
  const max = lastValue(signed ? bits - 1 : bits);
  const min = signed ? negativeOf(max) : 0;
  if (value >= min && value <= max) return value;
  if (overflow === 'fail') return null;
  if (overflow === 'wrap') return wrap(BigInt(value), type);
  if (value > max) return max;
  // A negative number set in an unsigned field counts as a large one, and so does one so far below a signed field that
  // the server's distance to the upper bound overflows.
  if (isSet && (!signed || (bits < 64 && BigInt(max) - BigInt(value) >= TWO_63))) return max;
  return min;
}

function wrap(value: bigint, type: FieldType): Long {
  return normalLong(type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value));
}

/** 2^bits - 1. */
function lastValue(bits: number): Long {
  return bits <= 53 ? 2 ** bits - 1 : (1n << BigInt(bits)) - 1n;
}

/** -max - 1. */
function negativeOf(max: Long): Long {
  return typeof max === 'number' && max < Number.MAX_SAFE_INTEGER ? -max - 1 : -BigInt(max) - 1n;
}

/** Up to 32 bits as an unsigned number. */
function readBits(bytes: Buffer, start: number, bitOffset: number, count: number): number {
  let value = 0;
  let left = count;
  let at = bitOffset;
  while (left > 0) {
    const inByte = at % 8;
    const take = Math.min(8 - inByte, left);
    const byte = bytes[start + Math.floor(at / 8)]!;
    value = value * (1 << take) + ((byte >>> (8 - inByte - take)) & ((1 << take) - 1));
    at += take;
    left -= take;
  }
  return value;
}

/** Writes the low `count` bits, at most 32, of an unsigned number. */
function writeBits(bytes: Buffer, start: number, bitOffset: number, count: number, value: number): void {
  let left = count;
  let at = bitOffset;
  while (left > 0) {
    const inByte = at % 8;
    const take = Math.min(8 - inByte, left);
    const shift = 8 - inByte - take;
    const mask = (1 << take) - 1;
    const part = (value >>> (left - take)) & mask;
    const position = start + Math.floor(at / 8);
    bytes[position] = (bytes[position]! & ~(mask << shift)) | (part << shift);
    at += take;
    left -= take;
  }
}

/** The low `bits` of a word, 1 to 32, as a signed value's unsigned 32-bit form. */
function signExtend(word: number, bits: number): number {
  return ((word << (32 - bits)) >> (32 - bits)) >>> 0;
}
