// Strings and expiry of the engine. Every command is done whole and true is returned, or nothing is and false.
import {
  EXPIRES,
  EXPIRY,
  FORM_MASK,
  HEADER,
  KEY_LENGTH,
  META,
  SCRATCH,
  TEXT,
  VALUE_LENGTH,
} from './engine-layout';
import { isMine } from './engine-parts';
import { ABSENT, copy, ELSEWHERE, find, FOUND, hashOf, insert, record, remove, resize } from './engine-table';

/** Strings above this leave the arena. */
const TEXT_MAX: u32 = 0x10000;

/** Arguments of the command at hand: `argc` pairs of address and length. */
export let args: usize = 0;
export let argc: u32 = 0;
/** Hash of its first key. */
export let hash: u32 = 0;
let nowMs: i64 = 0;

export function setCommand(at: usize, count: u32, keyHash: u32): void {
  args = at;
  argc = count;
  hash = keyHash;
}

export function setNow(ms: f64): void {
  nowMs = ms as i64;
}

@inline
export function at(i: u32): usize {
  return load<u32>(args + (i << 3)) as usize;
}

@inline
export function size(i: u32): u32 {
  return load<u32>(args + (i << 3), 4);
}

export function form(): u32 {
  return load<u32>(record, META) & FORM_MASK;
}

/** Where the value of `record` starts. */
export function value(): usize {
  return record + HEADER + load<u32>(record, KEY_LENGTH);
}

export function findKey(): u32 {
  return find(at(1), size(1), hash);
}

/** What is no integer that is read here; whoever has others reads them again. */
export const NO_INTEGER: i64 = i64.MIN_VALUE;

/** Canonical text of an integer of at most 15 digits. */
export function integerAt(from: usize, length: u32): i64 {
  const end = from + length;
  const negative = length > 1 && load<u8>(from) === 45;
  let place = negative ? from + 1 : from;
  const digits = (end - place) as u32;
  if (digits - 1 > 14) return NO_INTEGER;
  const leading = (load<u8>(place) - 48) as u32;
  if (leading > 9 || (leading === 0 && (digits > 1 || negative))) return NO_INTEGER;
  let sum = leading as i64;
  for (place++; place < end; place++) {
    const digit = (load<u8>(place) as u32) - 48;
    if (digit > 9) return NO_INTEGER;
    sum = sum * 10 + digit;
  }
  return negative ? -sum : sum;
}

export function integer(i: u32): i64 {
  return integerAt(at(i), size(i));
}

/** Writes an integer in decimal so that it ends before SCRATCH + 64; returns its length. */
export function putInteger(number: i64): u32 {
  let place = SCRATCH + 64;
  let rest = number < 0 ? -number : number;
  do {
    const quotient = rest / 10;
    store<u8>(--place, (48 + rest - quotient * 10) as u8);
    rest = quotient;
  } while (rest !== 0);
  if (number < 0) store<u8>(--place, 45);
  return (SCRATCH + 64 - place) as u32;
}

function setExpiry(ms: i64): void {
  store<u32>(record, load<u32>(record, META) | EXPIRES, META);
  store<i64>(record, ms, EXPIRY);
}

/** Makes the key of argument 1 hold a string. `found` is what looking it up said. */
function setString(found: u32, from: usize, length: u32, meta: u32): bool {
  if (length > TEXT_MAX || found === ELSEWHERE) return false;
  if (found === ABSENT) {
    if (!insert(at(1), size(1), hash, length, TEXT)) return false;
  } else {
    if (!isHere() || !resize(length, 0)) return false;
    store<u32>(record, meta, META);
  }
  copy(value(), from, length);
  return true;
}

/** True when the value is bytes behind the key, not an object elsewhere. */
export function isHere(): bool {
  const kind = form();
  return kind === 1 || kind === 3 || kind === 5 || kind === 7 || kind === 9 || kind === 10;
}

const NX: u32 = 1;
const XX: u32 = 2;
const TIMED: u32 = 4;

export function set(): bool {
  if (argc === 3) return setString(findKey(), at(2), size(2), TEXT);
  let flags: u32 = 0;
  let when: i64 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const length = size(i);
    const word = load<u32>(at(i)) & 0xdfdfdfdf;
    if (length === 4 ? word === 0x54415845 || word === 0x54415850 : length === 2 && word >>> 8 << 24 === 0x58000000) {
      const c = word & 0xff;
      if (c === 0x45 || c === 0x50) {
        if ((flags & TIMED) !== 0 || i + 1 === argc) return false;
        when = deadline(++i, c === 0x45, length === 4);
        if (when === NO_INTEGER) return false;
        flags |= TIMED;
        continue;
      }
    }
    if (length === 2 && (flags & (NX | XX)) === 0 && (word & 0xffff) === 0x584e) flags |= NX;
    else if (length === 2 && (flags & (NX | XX)) === 0 && (word & 0xffff) === 0x5858) flags |= XX;
    else return false;
  }
  const found = findKey();
  if (found === ELSEWHERE) return false;
  if ((flags & NX) !== 0 && found === FOUND) return true;
  if ((flags & XX) !== 0 && found === ABSENT) return true;
  if (!setString(found, at(2), size(2), TEXT)) return false;
  if ((flags & TIMED) !== 0) setExpiry(when);
  return true;
}

/** The moment that a positive argument means, in milliseconds. */
function deadline(i: u32, inSeconds: bool, absolute: bool): i64 {
  const units = integer(i);
  return units > 0 ? momentOf(units, inSeconds, absolute) : NO_INTEGER;
}

function momentOf(units: i64, inSeconds: bool, absolute: bool): i64 {
  if (inSeconds && (units > 9_000_000_000_000 || units < -9_000_000_000_000)) return NO_INTEGER;
  const ms = inSeconds ? units * 1000 : units;
  return absolute ? ms : ms + nowMs;
}

/** SETEX and PSETEX. */
export function setWithin(inSeconds: bool): bool {
  const when = deadline(2, inSeconds, false);
  if (when === NO_INTEGER || !setString(findKey(), at(3), size(3), TEXT)) return false;
  setExpiry(when);
  return true;
}

export function setIfAbsent(): bool {
  const found = findKey();
  return found === FOUND || setString(found, at(2), size(2), TEXT);
}

export function append(): bool {
  const found = findKey();
  if (found !== FOUND) return setString(found, at(2), size(2), TEXT);
  if (form() !== TEXT) return false;
  const length = load<u32>(record, VALUE_LENGTH);
  const more = size(2);
  if (length + more > TEXT_MAX || !resize(length + more, length)) return false;
  copy(value() + length, at(2), more);
  return true;
}

export function add(delta: i64): bool {
  if (delta === NO_INTEGER) return false;
  const found = findKey();
  if (found === ELSEWHERE) return false;
  let number: i64 = 0;
  if (found === FOUND) {
    if (form() !== TEXT) return false;
    number = integerAt(value(), load<u32>(record, VALUE_LENGTH));
    if (number === NO_INTEGER) return false;
  }
  const length = putInteger(number + delta);
  const text = SCRATCH + 64 - length;
  if (found === ABSENT) return setString(ABSENT, text, length, TEXT);
  if (!resize(length, 0)) return false;
  copy(value(), text, length);
  return true;
}

export function subtract(): bool {
  const number = integer(2);
  return number !== NO_INTEGER && add(-number);
}

/** EXPIRE and its like, without conditions. */
export function expire(inSeconds: bool, absolute: bool): bool {
  const units = integer(2);
  if (argc !== 3 || units === NO_INTEGER) return false;
  const when = momentOf(units, inSeconds, absolute);
  if (when === NO_INTEGER || when === -1) return false;
  const found = findKey();
  if (found === FOUND) setExpiry(when);
  return found !== ELSEWHERE;
}

export function persist(): bool {
  const found = findKey();
  if (found === FOUND) store<u32>(record, load<u32>(record, META) & ~EXPIRES, META);
  return found !== ELSEWHERE;
}

/** DEL and UNLINK of the keys that are this part's. What was done stays done when one is left to others. */
export function removeKeys(): bool {
  for (let i: u32 = 1; i < argc; i++) {
    if (!isMine(at(i), size(i))) continue;
    const found = find(at(i), size(i), i === 1 ? hash : hashOf(at(i), size(i)));
    if (found === ELSEWHERE) return false;
    if (found === FOUND && (!isHere() || !remove())) return false;
  }
  return true;
}
