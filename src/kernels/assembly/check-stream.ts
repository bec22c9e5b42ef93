// Streams: nodes of entries, what is told of them, groups with their pending entries and consumers.
//
//   META     the numbers behind the entries
//   PENDING  of the group at hand: two words of eight bytes for each entry
//   OWNED    and a byte for whether it has a consumer
import { beginMembers, hashText, isNew } from './check-members';
import { inputEnd, isPosition, length, OTHER, readLength, readText, short, textAt, textEnd } from './check-text';
import { endsWell, entryBytesLeft, hasEntry, integer, isInteger, nextEntry, openListpack } from './packed';

const FIRST: usize = 0x20000;
const SECOND: usize = 0x70000;
const META: usize = 0x500;
const PENDING: usize = 0xc0000;
const OWNED: usize = 0xe0000;
const PENDING_MAX: u64 = 0x2000;
/** Groups and consumers, of all groups, that there is room for. */
const NAMES_MAX: u32 = 2048;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
const GROUP_SEED: u64 = 0x5bd1e995;
const CONSUMER_SEED: u64 = 0x165667b19e3779b1;

/** Key of the node before, the entry before, the first and the last entry that live, and how many do. */
let keyMs: u64 = 0;
let keySeq: u64 = 0;
let lastMs: u64 = 0;
let lastSeq: u64 = 0;
let firstLiveMs: u64 = 0;
let firstLiveSeq: u64 = 0;
let lastLiveMs: u64 = 0;
let lastLiveSeq: u64 = 0;
let liveEntries: u64 = 0;

@inline
function isAfter(ms: u64, seq: u64, otherMs: u64, otherSeq: u64): bool {
  return ms > otherMs || (ms == otherMs && seq > otherSeq);
}

/** Reads an integer; false when the entry is none. */
@inline
function number(): bool {
  return nextEntry() && isInteger;
}

export function checkStream(generation: u32, start: usize): usize {
  keyMs = keySeq = lastMs = lastSeq = liveEntries = 0;
  let at = readLength(start);
  if (!isPosition(at)) return at;
  for (let left = length; left > 0; left--) {
    at = checkNode(at);
    if (!isPosition(at)) return at;
  }
  at = checkMeta(generation, at);
  if (!isPosition(at)) return at;
  at = readLength(at);
  if (!isPosition(at)) return at;
  const groups = length;
  if (groups > 0) beginMembers(NAMES_MAX);
  for (let group: u64 = 0; group < groups; group++) {
    at = checkGroup(generation, group, at);
    if (!isPosition(at)) return at;
  }
  return at;
}

/** One node: its key and a listpack of entries. Returns the position behind it. */
function checkNode(at: usize): usize {
  const middle = readText(at, FIRST);
  if (!isPosition(middle)) return middle;
  if (textEnd - textAt != 16) return OTHER;
  const ms = bswap<u64>(load<u64>(textAt));
  const seq = bswap<u64>(load<u64>(textAt, 8));
  if (!isAfter(ms, seq, keyMs, keySeq)) return OTHER;
  const next = readText(middle, SECOND);
  if (!isPosition(next)) return next;
  if (!openListpack(textAt, textEnd) || !checkEntriesOf(ms, seq)) return OTHER;
  keyMs = ms;
  keySeq = seq;
  return next;
}

function checkEntriesOf(ms: u64, seq: u64): bool {
  if (!hasEntry() || !number()) return false;
  const live = integer;
  if (!number()) return false;
  const deleted = integer;
  if (!number()) return false;
  const names = integer;
  if (names < 0 || names > <i64>entryBytesLeft()) return false;
  for (let i: i64 = 0; i < names; i++) if (!nextEntry()) return false;
  if (!number() || integer != 0 || live < 0 || deleted < 0) return false;
  const before = liveEntries;
  for (let i: i64 = 0; i < live; i++) if (!checkEntry(ms, seq, names)) return false;
  for (let i: i64 = 0; i < deleted; i++) if (!checkEntry(ms, seq, names)) return false;
  return liveEntries - before == <u64>live && endsWell();
}

function checkEntry(ms: u64, seq: u64, names: i64): bool {
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
  let count = names;
  const same = (flags & SAME_FIELDS) != 0;
  if (!same) {
    if (!number()) return false;
    count = integer;
    if (count < 0 || count > <i64>entryBytesLeft()) return false;
  }
  if ((flags & DELETED) == 0) {
    if (liveEntries++ == 0) {
      firstLiveMs = entryMs;
      firstLiveSeq = entrySeq;
    }
    lastLiveMs = entryMs;
    lastLiveSeq = entrySeq;
  }
  for (let left = same ? count : 2 * count; left > 0; left--) if (!nextEntry()) return false;
  return number() && integer == (same ? count + 3 : 2 * count + 4);
}

/** The numbers behind the entries, held against those: what differs is for others to tell. */
function checkMeta(generation: u32, start: usize): usize {
  const count: usize = generation > 1 ? 8 : 3;
  let at = start;
  for (let i: usize = 0; i < count; i++) {
    at = readLength(at);
    if (!isPosition(at)) return at;
    store<u64>(META + (i << 3), length);
  }
  const lastIdMs = load<u64>(META, 8);
  const lastIdSeq = load<u64>(META, 16);
  if (load<u64>(META) != liveEntries) return OTHER;
  if (liveEntries > 0 && isAfter(lastLiveMs, lastLiveSeq, lastIdMs, lastIdSeq)) return OTHER;
  if (generation == 1) return at;
  if (liveEntries > 0 && (load<u64>(META, 24) != firstLiveMs || load<u64>(META, 32) != firstLiveSeq)) return OTHER;
  if (isAfter(load<u64>(META, 40), load<u64>(META, 48), lastIdMs, lastIdSeq)) return OTHER;
  return load<u64>(META, 56) < liveEntries ? OTHER : at;
}

function checkGroup(generation: u32, group: u64, start: usize): usize {
  let at = readText(start, FIRST);
  if (!isPosition(at)) return at;
  if (!isNew(hashText(textAt, textEnd, GROUP_SEED))) return OTHER;
  for (let left = generation > 1 ? 3 : 2; left > 0; left--) {
    at = readLength(at);
    if (!isPosition(at)) return at;
  }
  at = readLength(at);
  if (!isPosition(at)) return at;
  if (length > PENDING_MAX) return OTHER;
  const pending = <u32>length;
  for (let i: u32 = 0; i < pending; i++) {
    at = takePending(i, at);
    if (!isPosition(at)) return at;
  }
  at = readLength(at);
  if (!isPosition(at)) return at;
  let left = length;
  // Each of them must be another one.
  let unowned = pending;
  for (; left > 0; left--) {
    at = readText(at, FIRST);
    if (!isPosition(at)) return at;
    if (!isNew(hashText(textAt, textEnd, CONSUMER_SEED + group * GROUP_SEED))) return OTHER;
    at += generation > 2 ? 16 : 8;
    if (at > inputEnd) return short(at);
    at = readLength(at);
    if (!isPosition(at)) return at;
    if (length > <u64>unowned) return OTHER;
    const owned = <u32>length;
    unowned -= owned;
    if (at + (<usize>owned << 4) > inputEnd) return short(at + (<usize>owned << 4));
    if (!own(owned, pending, at)) return OTHER;
    at += <usize>owned << 4;
  }
  return unowned == 0 ? at : OTHER;
}

/** A pending entry: its id, the time it was delivered and how often. */
function takePending(index: u32, start: usize): usize {
  if (start + 25 > inputEnd) return short(start + 25);
  const ms = bswap<u64>(load<u64>(start));
  const seq = bswap<u64>(load<u64>(start, 8));
  const place = PENDING + (<usize>index << 4);
  if (index > 0 && !isAfter(ms, seq, load<u64>(place - 16), load<u64>(place - 8))) return OTHER;
  store<u64>(place, ms);
  store<u64>(place, seq, 8);
  store<u8>(OWNED + index, 0);
  return readLength(start + 24);
}

/** Gives entries to a consumer; false when the group has not all of them, or one has an owner. */
function own(count: u32, pending: u32, start: usize): bool {
  for (let i: u32 = 0; i < count; i++) {
    const at = start + (<usize>i << 4);
    const ms = bswap<u64>(load<u64>(at));
    const seq = bswap<u64>(load<u64>(at, 8));
    let low: u32 = 0;
    let high = pending;
    while (low < high) {
      const middle = (low + high) >> 1;
      const place = PENDING + (<usize>middle << 4);
      if (isAfter(ms, seq, load<u64>(place), load<u64>(place, 8))) low = middle + 1;
      else high = middle;
    }
    const place = PENDING + (<usize>low << 4);
    if (low == pending || load<u64>(place) != ms || load<u64>(place, 8) != seq) return false;
    if (load<u8>(OWNED + low) != 0) return false;
    store<u8>(OWNED + low, 1);
  }
  return true;
}
