// Walks over the records of an RDB that are laid out as servers lay out nearly all of theirs, and notes where each one's name
// and value stand. Shared by the kernels that hash records; whatever looks unusual is left to the caller.
//
// Fixed memory of all of them:
//   LAYOUTS      for each type number how its values are laid out, 0: not known here
//   DESCRIPTORS  one for each record of a batch
//   TEXTS        names and values that do not stand in the input as they are: integers, and what was compressed
//   INPUT        the records

import { decompressLzf } from './lzf-decode';

const LAYOUTS: usize = 0;
export const DESCRIPTORS: usize = 0x1000;
const TEXTS: usize = 0x10000;
const TEXTS_END: usize = 0x110000;

/** The most records of one batch, and bytes of what is noted of each. */
export const BATCH: i32 = 1024;
export const DESCRIPTOR: usize = 40;

// What stands in a descriptor.
export const NAME: usize = 0;
export const NAME_LENGTH: usize = 4;
export const VALUE: usize = 8;
export const VALUE_LENGTH: usize = 12;
export const EXPIRY: usize = 16;
export const TYPE: usize = 24;
export const EXPIRES: usize = 28;
export const START: usize = 32;

// How values are laid out.
const TEXT: u32 = 1;
const BLOB: u32 = 2;
const STRINGS: u32 = 3;
const PAIRS: u32 = 4;
const SCORED: u32 = 5;
const NODES: u32 = 6;

// Why a walk ended.
export const BATCH_FULL: i32 = 0;
export const SHORT: i32 = 1;
export const UNUSUAL: i32 = 2;

/** What reads return instead of the place behind what they read. */
const MISSING: usize = 0;
const STRANGE: usize = 1;

/** Where the walk ended: at the first byte of the record that it did not take. */
export let stopped: usize = 0;
export let reason: i32 = 0;

let end: usize = 0;
let texts: usize = 0;
let length: u32 = 0;
/** The text read last. */
let textAt: usize = 0;
let textLength: u32 = 0;

/**
 * Notes up to `most` records from `from` on. Texts of values are only put together with `whole`.
 * @returns how many were noted
 */
export function scan(from: usize, to: usize, most: i32, whole: bool): i32 {
  end = to;
  texts = TEXTS;
  let at = from;
  let count = 0;
  reason = BATCH_FULL;
  for (; count < most; count++) {
    const next = record(at, DESCRIPTORS + <usize>count * DESCRIPTOR, whole);
    if (next <= STRANGE) {
      // A batch that has filled the room for texts goes on in the next.
      if (next == STRANGE && texts > TEXTS && count > 0) break;
      reason = next == MISSING ? SHORT : UNUSUAL;
      break;
    }
    at = next;
  }
  stopped = at;
  return count;
}

function record(start: usize, into: usize, whole: bool): usize {
  let at = start;
  if (at >= end) return MISSING;
  let type = <u32>load<u8>(at);
  let expires: u32 = 0;
  if (type == 0xfc) {
    if (end - at < 10) return MISSING;
    store<u64>(into, load<u64>(at, 1), EXPIRY);
    expires = 1;
    at += 9;
    type = load<u8>(at);
  }
  if (type == 0xf9 || type == 0xf8) {
    // What eviction knows of the key.
    at = type == 0xf9 ? at + 2 : lengthAt(at + 1);
    if (at <= STRANGE) return at;
    if (at >= end) return MISSING;
    type = load<u8>(at);
  }
  const layout = <u32>load<u8>(LAYOUTS + type);
  if (layout == 0) return STRANGE;
  at = text(at + 1, true);
  if (at <= STRANGE) return at;
  store<u32>(into, <u32>textAt, NAME);
  store<u32>(into, textLength, NAME_LENGTH);
  const next = layout == TEXT ? text(at, whole) : value(at, layout);
  if (next <= STRANGE) return next;
  store<u32>(into, <u32>(layout == TEXT ? textAt : at), VALUE);
  store<u32>(into, layout == TEXT ? textLength : <u32>(next - at), VALUE_LENGTH);
  store<u32>(into, type, TYPE);
  store<u32>(into, expires, EXPIRES);
  store<u32>(into, <u32>start, START);
  return next;
}

/** Passes over a value that is no text. */
function value(from: usize, layout: u32): usize {
  if (layout == BLOB) return passString(from);
  let at = lengthAt(from);
  if (at <= STRANGE) return at;
  let left = <u64>length;
  if (layout == PAIRS) left <<= 1;
  for (; left > 0; left--) {
    if (layout == NODES) {
      at = lengthAt(at);
      if (at <= STRANGE) return at;
    }
    at = passString(at);
    if (at <= STRANGE) return at;
    if (layout == SCORED) {
      if (end - at < 8) return MISSING;
      at += 8;
    }
  }
  return at;
}

/** Reads a length that is no larger than a string may be. */
function lengthAt(at: usize): usize {
  if (at >= end) return MISSING;
  const first = <u32>load<u8>(at);
  if (first < 0x40) {
    length = first;
    return at + 1;
  }
  if (first < 0x80) {
    if (end - at < 2) return MISSING;
    length = ((first & 0x3f) << 8) | load<u8>(at, 1);
    return at + 2;
  }
  if (first != 0x80) return STRANGE;
  if (end - at < 5) return MISSING;
  length = bswap<u32>(load<u32>(at, 1));
  return at + 5;
}

/** Passes over a string, however it is written. */
function passString(from: usize): usize {
  if (from >= end) return MISSING;
  const first = <u32>load<u8>(from);
  let at = from;
  if (first >= 0xc0) {
    if (first > 0xc3) return STRANGE;
    if (first < 0xc3) {
      at += first == 0xc0 ? 2 : first == 0xc1 ? 3 : 5;
      return at > end ? MISSING : at;
    }
    at = lengthAt(from + 1);
    if (at <= STRANGE) return at;
    const packed = length;
    at = lengthAt(at);
    length = packed;
  } else {
    at = lengthAt(from);
  }
  if (at <= STRANGE) return at;
  return <usize>length > end - at ? MISSING : at + <usize>length;
}

/** Reads a string as the bytes it stands for. */
function text(from: usize, whole: bool): usize {
  if (from >= end) return MISSING;
  const first = <u32>load<u8>(from);
  if (first < 0xc0) {
    const at = lengthAt(from);
    if (at <= STRANGE) return at;
    if (<usize>length > end - at) return MISSING;
    textAt = at;
    textLength = length;
    return at + <usize>length;
  }
  if (!whole) return passString(from);
  return first == 0xc3 ? packedText(from) : integerText(from, first);
}

function packedText(from: usize): usize {
  let at = lengthAt(from + 1);
  if (at <= STRANGE) return at;
  const packed = <usize>length;
  at = lengthAt(at);
  if (at <= STRANGE) return at;
  const plain = <usize>length;
  if (packed > end - at) return MISSING;
  // 32 more: copies run over.
  if (plain == 0 || plain > TEXTS_END - 32 - texts) return STRANGE;
  if (decompressLzf(at, at + packed, texts, texts + plain) != <i32>plain) return STRANGE;
  textAt = texts;
  textLength = <u32>plain;
  texts += plain;
  return at + packed;
}

function integerText(from: usize, first: u32): usize {
  const next = passString(from);
  if (next <= STRANGE) return next;
  const number: i32 = first == 0xc0 ? load<i8>(from, 1) : first == 0xc1 ? load<i16>(from, 1) : load<i32>(from, 1);
  if (TEXTS_END - texts < 64) return STRANGE;
  // From the last digit on.
  let rest: u32 = number < 0 ? <u32>0 - <u32>number : <u32>number;
  let at = texts + 12;
  do {
    store<u8>(--at, 48 + (rest % 10));
    rest /= 10;
  } while (rest > 0);
  if (number < 0) store<u8>(--at, 45);
  textAt = at;
  textLength = <u32>(texts + 12 - at);
  texts += 12;
  return next;
}
