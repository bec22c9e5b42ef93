// The entries of a stream in JSON, and what is told of a stream behind them while it has no groups.
import { putDigits, putUnsignedLong } from './json';
import { item, literal, mark, out, room, setOut } from './line';
import {
  endsWell,
  entryBytesLeft,
  integer,
  isInteger,
  nextEntry,
  openListpack,
  packedAt,
  readEntryAgain,
} from './packed';
import { isPosition, length, OTHER, readLength, readText, textAt, textEnd } from './rdb-text';
import { entry, FIRST, SECOND, STREAM_1 } from './rdb-values';

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/** Where the names of the fields stand that entries of a node share. */
const NAMES: usize = 0x4000;
const NAMES_MAX: i64 = 0x2000;
const META: usize = 0x3200;

const ENTRY: usize = 16;
const FIELDS: usize = 17;
const NO_FIELDS: usize = 18;
const NEXT_FIELD: usize = 19;
const LAST_FIELD: usize = 20;
const LENGTH: usize = 21;
const LAST_ID: usize = 22;
const FIRST_ID: usize = 23;
const MAX_DELETED_ID: usize = 24;
const ENTRIES_ADDED: usize = 25;
const COMMA: u8 = 44;
const OPEN: u8 = 91;
const CLOSE: u8 = 93;
const QUOTE: u8 = 34;
const BRACE: u8 = 125;

/** Key of the node before, the entry before, the first entry that lives, and how many do. */
export let keyMs: u64 = 0;
export let keySeq: u64 = 0;
export let lastMs: u64 = 0;
export let lastSeq: u64 = 0;
export let firstMs: u64 = 0;
export let firstSeq: u64 = 0;
export let liveEntries: u64 = 0;

export function beginStream(): void {
  keyMs = keySeq = lastMs = lastSeq = firstMs = firstSeq = 0;
  liveEntries = 0;
}

/** Reads an integer; false when the entry is none. */
@inline
function number(): bool {
  return nextEntry() && isInteger;
}

function putId(ms: u64, seq: u64): void {
  let to = putDigits(ms, out);
  store<u8>(to, 45);
  to = putDigits(seq, to + 1);
  store<u8>(to, QUOTE);
  setOut(to + 1);
}

@inline
function isAfter(ms: u64, seq: u64, otherMs: u64, otherSeq: u64): bool {
  return ms > otherMs || (ms == otherMs && seq > otherSeq);
}

/** One node: its key and a listpack of entries. Returns the position behind it. */
export function putNode(at: usize): usize {
  const middle = readText(at, FIRST);
  if (!isPosition(middle)) return middle;
  if (textEnd - textAt != 16) return OTHER;
  const ms = bswap<u64>(load<u64>(textAt));
  const seq = bswap<u64>(load<u64>(textAt, 8));
  const next = readText(middle, SECOND);
  if (!isPosition(next)) return next;
  if (!isAfter(ms, seq, keyMs, keySeq)) return OTHER;
  const keptMs = lastMs;
  const keptSeq = lastSeq;
  const keptFirstMs = firstMs;
  const keptFirstSeq = firstSeq;
  const keptLive = liveEntries;
  if (openListpack(textAt, textEnd) && putEntries(ms, seq)) {
    keyMs = ms;
    keySeq = seq;
    return next;
  }
  lastMs = keptMs;
  lastSeq = keptSeq;
  firstMs = keptFirstMs;
  firstSeq = keptFirstSeq;
  liveEntries = keptLive;
  return OTHER;
}

function putEntries(ms: u64, seq: u64): bool {
  if (!number()) return false;
  const live = integer;
  if (!number()) return false;
  const deleted = integer;
  if (!number()) return false;
  const names = integer;
  if (names < 0 || names > NAMES_MAX) return false;
  for (let i: usize = 0; i < <usize>names; i++) {
    store<u32>(NAMES + (i << 2), <u32>packedAt);
    if (!nextEntry()) return false;
  }
  if (!number() || integer != 0 || live < 0 || deleted < 0) return false;
  for (let i: i64 = 0; i < live; i++) if (!putEntry(ms, seq, names)) return false;
  for (let i: i64 = 0; i < deleted; i++) if (!putEntry(ms, seq, names)) return false;
  return endsWell();
}

/** One entry; written only when it is alive. */
function putEntry(ms: u64, seq: u64, names: i64): bool {
  if (!number()) return false;
  const flags = integer;
  if (flags < 0 || flags > 3) return false;
  if (!number()) return false;
  const entryMs = ms + <u64>integer;
  if (!number()) return false;
  const entrySeq = seq + <u64>integer;
  if (!isAfter(entryMs, entrySeq, lastMs, lastSeq)) return false;
  lastMs = entryMs;
  lastSeq = entrySeq;
  const same = (flags & SAME_FIELDS) != 0;
  const alive = (flags & DELETED) == 0;
  let count = names;
  if (!same) {
    if (!number()) return false;
    count = integer;
    if (count < 0 || count > <i64>entryBytesLeft()) return false;
  }
  if (alive) {
    if (liveEntries++ == 0) {
      firstMs = entryMs;
      firstSeq = entrySeq;
    }
    if (!room()) return false;
    item();
    literal(ENTRY);
    putId(entryMs, entrySeq);
    literal(count == 0 ? NO_FIELDS : FIELDS);
  }
  for (let i: i64 = 0; i < count; i++) {
    if (!putField(same, alive, <usize>i)) return false;
    if (alive) literal(i + 1 == count ? LAST_FIELD : NEXT_FIELD);
  }
  return number() && integer == (same ? count + 3 : 2 * count + 4);
}

function putField(same: bool, alive: bool, index: usize): bool {
  if (same && alive) readEntryAgain(<usize>load<u32>(NAMES + (index << 2)));
  else if (!same && !nextEntry()) return false;
  if (!alive) return nextEntry();
  mark(OPEN);
  if (!entry() || !nextEntry()) return false;
  mark(COMMA);
  return entry();
}

/**
 * What stands behind the entries of a stream without groups. Returns the position behind it, OTHER for one with groups or
 * producers.
 */
export function putStreamEnd(kind: u32, start: usize): usize {
  const generation = kind - STREAM_1 + 1;
  if (generation > 3) return OTHER;
  const count: usize = generation > 1 ? 8 : 3;
  let at = start;
  for (let i: usize = 0; i < count; i++) {
    at = readLength(at);
    if (!isPosition(at)) return at;
    store<u64>(META + (i << 3), length);
  }
  at = readLength(at);
  if (!isPosition(at)) return at;
  if (length != 0) return OTHER;
  if (!room()) return OTHER;
  item();
  literal(LENGTH);
  setOut(putUnsignedLong(load<u64>(META), out));
  putIdProperty(LAST_ID, load<u64>(META, 8), load<u64>(META, 16));
  if (generation > 1) {
    putIdProperty(FIRST_ID, load<u64>(META, 24), load<u64>(META, 32));
    putIdProperty(MAX_DELETED_ID, load<u64>(META, 40), load<u64>(META, 48));
    literal(ENTRIES_ADDED);
    setOut(putUnsignedLong(load<u64>(META, 56), out));
  } else {
    const none = liveEntries == 0;
    putIdProperty(FIRST_ID, none ? u64.MAX_VALUE : firstMs, none ? u64.MAX_VALUE : firstSeq);
    putIdProperty(MAX_DELETED_ID, 0, 0);
    literal(ENTRIES_ADDED);
    setOut(putUnsignedLong(load<u64>(META), out));
  }
  mark(BRACE);
  return at;
}

function putIdProperty(name: usize, ms: u64, seq: u64): void {
  literal(name);
  putId(ms, seq);
}
