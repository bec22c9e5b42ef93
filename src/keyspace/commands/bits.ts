import { addLong, type Long } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import { parseSafeInteger } from '../../kernels/decimal.js';
import type { CommandSpans } from '../../resp/command.js';
import { type FieldType, fitField, type Overflow, readField, writeField } from '../bitfield.js';
import type { Engine } from '../engine.js';
import { STRING } from '../forms.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** Commands on the bits of strings. */
export const bitCommands: readonly CommandRow[] = [
  { name: 'SETBIT', arity: 4, apply: setbit },
  { name: 'BITOP', arity: -4, apply: bitop },
  { name: 'BITFIELD', arity: -2, apply: bitfield },
  { name: 'BITFIELD_RO', arity: -2, apply: () => APPLIED },
];

/** A string has at most 512 MiB. */
const BITS_MAX = 2 ** 32;
const BAD_OFFSET = 'ERR bit offset is not an integer or out of range';

/**
 * Makes the string of argument 1 reach a bit, creating the key, and sets `engine.slice` to it. False when the key holds
 * no string.
 */
function growToBit(engine: Engine, command: CommandSpans, lastBit: number): boolean {
  const { db, slice } = engine;
  const length = Math.floor(lastBit / 8) + 1;
  let entry = engine.find(command, 1);
  if (entry < 0) {
    entry = db.setString(command.bytes, command.starts[1]!, command.ends[1]!, command.bytes, 0, 0);
  } else if (db.kindAt(entry) !== STRING) {
    return false;
  }
  if (db.getString(entry, slice).length < length) {
    db.resizeString(entry, length);
    db.getString(entry, slice);
  }
  return true;
}

function setbit(engine: Engine, command: CommandSpans): Outcome {
  const { bytes } = command;
  const offset = parseSafeInteger(bytes, command.starts[2]!, command.ends[2]!);
  if (!(offset >= 0 && offset < BITS_MAX)) return engine.fail(BAD_OFFSET);
  const on = command.is(3, '1');
  if (!on && !command.is(3, '0')) return engine.fail('ERR bit is not an integer or out of range');
  if (!growToBit(engine, command, offset)) return engine.wrongType();
  const { slice } = engine;
  const at = slice.start + Math.floor(offset / 8);
  const mask = 0x80 >>> (offset % 8);
  slice.bytes[at] = on ? slice.bytes[at]! | mask : slice.bytes[at]! & ~mask;
  return APPLIED;
}

type Combination = 'and' | 'or' | 'xor' | 'not' | 'diff' | 'diff1' | 'andor' | 'one';

const COMBINATIONS: readonly Combination[] = ['and', 'or', 'xor', 'not', 'diff', 'diff1', 'andor', 'one'];
/** Combinations from this one on exist since Redis 8.2. */
const FIRST_NEW = 4;
const WITH_NEW = 802;

function bitop(engine: Engine, command: CommandSpans): Outcome {
  const index = COMBINATIONS.findIndex((name) => command.is(1, name.toUpperCase()));
  if (index < 0 || (index >= FIRST_NEW && engine.release < WITH_NEW)) return engine.syntaxError();
  const combination = COMBINATIONS[index]!;
  const sources = command.argc - 3;
  if (combination === 'not' && sources !== 1) return engine.fail('ERR BITOP NOT needs one source key');
  if (index >= FIRST_NEW && combination !== 'one' && sources < 2)
    return engine.fail('ERR BITOP needs two source keys');
  const slices: ByteSlice[] = [];
  let length = 0;
  for (let i = 3; i < command.argc; i++) {
    const entry = engine.find(command, i);
    const slice = new ByteSlice();
    slices.push(slice);
    if (entry < 0) continue;
    if (engine.db.kindAt(entry) !== STRING) return engine.wrongType();
    engine.db.getString(entry, slice);
    length = Math.max(length, slice.length);
  }
  const { bytes, starts, ends } = command;
  if (length === 0) {
    const target = engine.find(command, 2);
    if (target >= 0) engine.db.delete(target);
    return APPLIED;
  }
  const result = combine(combination, slices, length);
  engine.db.setString(bytes, starts[2]!, ends[2]!, result, 0, length);
  return APPLIED;
}

function combine(combination: Combination, slices: readonly ByteSlice[], length: number): Buffer {
  switch (combination) {
    case 'and':
      return fold(slices, length, (a, b) => a & b);
    case 'or':
      return fold(slices, length, (a, b) => a | b);
    case 'xor':
      return fold(slices, length, (a, b) => a ^ b);
    case 'not':
      return fold([...slices, new ByteSlice()], length, (a) => ~a);
    case 'one':
      return exactlyOne(slices, length);
    default: {
      const others = fold(slices.slice(1), length, (a, b) => a | b);
      const rest = new ByteSlice().set(others, 0, length);
      const both = [slices[0]!, rest];
      if (combination === 'diff') return fold(both, length, (a, b) => a & ~b);
      return combination === 'diff1'
        ? fold(both, length, (a, b) => ~a & b)
        : fold(both, length, (a, b) => a & b);
    }
  }
}

/** Combines byte by byte from the left; a shorter string counts as zero beyond its end. */
function fold(slices: readonly ByteSlice[], length: number, step: (a: number, b: number) => number): Buffer {
  const result = Buffer.alloc(length);
  const first = slices[0]!;
  first.bytes.copy(result, 0, first.start, first.end);
  for (let k = 1; k < slices.length; k++) {
    const { bytes, start } = slices[k]!;
    const shared = slices[k]!.length;
    for (let i = 0; i < shared; i++) result[i] = step(result[i]!, bytes[start + i]!);
    for (let i = shared; i < length; i++) result[i] = step(result[i]!, 0);
  }
  return result;
}

/** The bits that are set in exactly one of the strings. */
function exactlyOne(slices: readonly ByteSlice[], length: number): Buffer {
  const once = Buffer.alloc(length);
  const more = Buffer.alloc(length);
  for (const { bytes, start, end } of slices) {
    for (let i = 0, at = start; at < end; i++, at++) {
      more[i]! |= once[i]! & bytes[at]!;
      once[i]! |= bytes[at]!;
    }
  }
  for (let i = 0; i < length; i++) once[i]! &= ~more[i]!;
  return once;
}

/** A SET or INCRBY of a BITFIELD. */
interface FieldWrite {
  readonly type: FieldType;
  readonly bitOffset: number;
  readonly value: Long;
  readonly isSet: boolean;
  readonly overflow: Overflow;
}

const OVERFLOWS: readonly Overflow[] = ['wrap', 'sat', 'fail'];

function bitfield(engine: Engine, command: CommandSpans): Outcome {
  const writes: FieldWrite[] = [];
  let overflow: Overflow = 'wrap';
  let i = 2;
  while (i < command.argc) {
    const left = command.argc - i - 1;
    if (command.is(i, 'OVERFLOW') && left >= 1) {
      const chosen = OVERFLOWS.find((name) => command.is(i + 1, name.toUpperCase()));
      if (chosen === undefined) return engine.fail('ERR Invalid OVERFLOW type specified');
      overflow = chosen;
      i += 2;
      continue;
    }
    const isSet = command.is(i, 'SET');
    const writing = isSet || command.is(i, 'INCRBY');
    if (!(writing && left >= 3) && !(command.is(i, 'GET') && left >= 2)) return engine.syntaxError();
    const type = fieldTypeAt(command, i + 1);
    if (type === null) return engine.fail('ERR Invalid bitfield type. Use something like i16 u8.');
    const bitOffset = bitOffsetAt(command, i + 2, type.bits);
    if (bitOffset < 0) return engine.fail(BAD_OFFSET);
    if (writing) {
      const value = longAt(command, i + 3);
      if (value === null) return engine.notInteger();
      writes.push({ type, bitOffset, value, isSet, overflow });
    }
    i += writing ? 4 : 3;
  }
  return writeFields(engine, command, writes);
}

function writeFields(engine: Engine, command: CommandSpans, writes: readonly FieldWrite[]): Outcome {
  if (writes.length === 0) {
    const entry = engine.find(command, 1);
    return entry >= 0 && engine.db.kindAt(entry) !== STRING ? engine.wrongType() : APPLIED;
  }
  let lastBit = 0;
  for (const write of writes) lastBit = Math.max(lastBit, write.bitOffset + write.type.bits - 1);
  if (lastBit >= BITS_MAX) return engine.fail(BAD_OFFSET);
  if (!growToBit(engine, command, lastBit)) return engine.wrongType();
  const { bytes, start } = engine.slice;
  for (const { type, bitOffset, value, isSet, overflow } of writes) {
    const wanted = isSet ? value : addLong(readField(bytes, start, bitOffset, type), value);
    const fitting = fitField(wanted, type, overflow, isSet);
    if (fitting !== null) writeField(bytes, start, bitOffset, type.bits, fitting);
  }
  return APPLIED;
}

function fieldTypeAt(command: CommandSpans, i: number): FieldType | null {
  const start = command.starts[i]!;
  const sign = command.bytes[start];
  const bits = parseSafeInteger(command.bytes, start + 1, command.ends[i]!);
  if (command.size(i) < 2 || (sign !== 0x69 && sign !== 0x75)) return null;
  const signed = sign === 0x69;
  return bits >= 1 && bits <= (signed ? 64 : 63) ? { signed, bits } : null;
}

/** A bit offset, or `#n` for the n-th field of that width; -1 when it is neither or out of range. */
function bitOffsetAt(command: CommandSpans, i: number, bits: number): number {
  const start = command.starts[i]!;
  const end = command.ends[i]!;
  const counted = end > start && command.bytes[start] === 0x23;
  const value = parseSafeInteger(command.bytes, counted ? start + 1 : start, end);
  const offset = counted ? value * bits : value;
  return offset >= 0 && offset < BITS_MAX ? offset : -1;
}
