// Listpacks and ziplists from front to back, one at a time. Every length is held against the bytes that are there; what
// is false here is told in words by the readers of ../../rdb/packed.

const LISTPACK_HEADER: usize = 6;
const LISTPACK_END: u8 = 0xff;
const ZIPLIST_HEADER: usize = 10;
const ZIPLIST_LONG_PREVIOUS: u32 = 0xfe;
const COUNT_UNKNOWN: u32 = 65535;

/** The next entry, its number, and where the entries end. */
export let packedAt: usize = 0;
let packedIndex: u32 = 0;
let packedStop: usize = 0;
let packedCount: u32 = 0;
let packedStart: usize = 0;
let previousAt: usize = 0;
let tail: u32 = 0;
let isZiplist: bool = false;

/** The entry read last: an integer, or the bytes of a text. */
export let isInteger: bool = false;
export let integer: i64 = 0;
export let entryAt: usize = 0;
export let entryEnd: usize = 0;

export function openListpack(start: usize, end: usize): bool {
  isZiplist = false;
  packedAt = start + LISTPACK_HEADER;
  packedIndex = 0;
  packedStop = end - 1;
  if (end - start < LISTPACK_HEADER + 1 || load<u32>(start) != <u32>(end - start)) return false;
  packedCount = load<u16>(start, 4);
  return load<u8>(packedStop) == LISTPACK_END;
}

export function openZiplist(start: usize, end: usize): bool {
  isZiplist = true;
  packedStart = start;
  packedAt = previousAt = start + ZIPLIST_HEADER;
  packedIndex = 0;
  packedStop = end - 1;
  if (end - start < ZIPLIST_HEADER + 1 || load<u32>(start) != <u32>(end - start)) return false;
  tail = load<u32>(start, 4);
  packedCount = load<u16>(start, 8);
  return load<u8>(packedStop) == LISTPACK_END;
}

@inline
export function hasEntry(): bool {
  return packedAt < packedStop;
}

/** Bytes between the next entry and the end mark. */
@inline
export function entryBytesLeft(): usize {
  return packedStop - packedAt;
}

/** True when the end is where the head said it would be. */
export function endsWell(): bool {
  if (packedAt != packedStop) return false;
  if (packedCount != COUNT_UNKNOWN && packedCount != packedIndex) return false;
  return !isZiplist || tail == <u32>(previousAt - packedStart);
}

/** Reads the next entry; false when there is none or it is damaged. */
@inline
export function nextEntry(): bool {
  if (packedAt >= packedStop) return false;
  return isZiplist ? nextOfZiplist() : nextOfListpack();
}

function nextOfListpack(): bool {
  const size = readListpackEntry(packedAt);
  if (size == 0) return false;
  const back = packedAt + size;
  if (size < 0x80) {
    if (back >= packedStop || load<u8>(back) != <u8>size) return false;
    packedAt = back + 1;
  } else {
    const after = afterBackLength(back, <u32>size);
    if (after == 0 || after > packedStop) return false;
    packedAt = after;
  }
  packedIndex++;
  return true;
}

/** Seven bits to a byte, most significant group first, all but the first marked in their top bit. 0: not this length. */
function afterBackLength(at: usize, size: u32): usize {
  const last = <u8>(size | 0x80);
  if (size < 0x4000) return load<u8>(at) == <u8>(size >> 7) && load<u8>(at, 1) == last ? at + 2 : 0;
  if (size >= 0x200000 || load<u8>(at) != <u8>(size >> 14)) return 0;
  return load<u8>(at, 1) == <u8>((size >> 7) | 0x80) && load<u8>(at, 2) == last ? at + 3 : 0;
}

/** Reads an entry of a listpack that was passed before. */
export function readEntryAgain(at: usize): void {
  readListpackEntry(at);
}

/** Bytes of the encoding and data at a position, 0 when they are none. */
function readListpackEntry(at: usize): usize {
  const first = <usize>load<u8>(at);
  if (first < 0x80) {
    isInteger = true;
    integer = first;
    return 1;
  }
  if (first < 0xc0) return readListpackText(at, 1, first & 0x3f);
  if (first < 0xe0) {
    const value = <i32>(((first & 0x1f) << 8) | <usize>load<u8>(at, 1));
    isInteger = true;
    integer = value >= 0x1000 ? value - 0x2000 : value;
    return 2;
  }
  if (first < 0xf0) return readListpackText(at, 2, ((first & 0x0f) << 8) | <usize>load<u8>(at, 1));
  if (first == 0xf0) return readListpackText(at, 5, <usize>load<u32>(at, 1));
  isInteger = true;
  switch (<u32>first) {
    case 0xf1:
      integer = load<i16>(at, 1);
      return 3;
    case 0xf2:
      integer = <i32>(load<u32>(at, 1) << 8) >> 8;
      return 4;
    case 0xf3:
      integer = load<i32>(at, 1);
      return 5;
    case 0xf4:
      integer = load<i64>(at, 1);
      return 9;
    default:
      return 0;
  }
}

@inline
function readListpackText(at: usize, head: usize, length: usize): usize {
  // A text that is all here; what follows it is compared by the caller.
  if (length > packedStop - at) return 0;
  isInteger = false;
  entryAt = at + head;
  entryEnd = entryAt + length;
  return head + length;
}

function nextOfZiplist(): bool {
  const at = packedAt;
  const previous = <u32>load<u8>(at);
  const data = previous < ZIPLIST_LONG_PREVIOUS ? at + 1 : at + 5;
  if (data >= packedStop) return false;
  const declared = previous < ZIPLIST_LONG_PREVIOUS ? previous : load<u32>(at, 1);
  if (declared != <u32>(at - previousAt)) return false;
  const size = readZiplistData(data);
  if (size == 0 || data + size > packedStop) return false;
  previousAt = at;
  packedAt = data + size;
  packedIndex++;
  return true;
}

/** Bytes of the encoding and data at a position, 0 when they are none. */
function readZiplistData(at: usize): usize {
  const first = <u32>load<u8>(at);
  if (first < 0xc0) {
    const head: usize = first < 0x40 ? 1 : first < 0x80 ? 2 : 5;
    let length = <usize>first;
    if (head == 2) length = ((<usize>first & 0x3f) << 8) | <usize>load<u8>(at, 1);
    else if (head == 5) length = <usize>bswap<u32>(load<u32>(at, 1));
    if (length > packedStop - at) return 0;
    isInteger = false;
    entryAt = at + head;
    entryEnd = entryAt + length;
    return head + length;
  }
  isInteger = true;
  if (first >= 0xf1 && first <= 0xfd) {
    integer = (first & 0x0f) - 1;
    return 1;
  }
  switch (first) {
    case 0xc0:
      integer = load<i16>(at, 1);
      return 3;
    case 0xd0:
      integer = load<i32>(at, 1);
      return 5;
    case 0xe0:
      integer = load<i64>(at, 1);
      return 9;
    case 0xf0:
      integer = <i32>(load<u32>(at, 1) << 8) >> 8;
      return 4;
    case 0xfe:
      integer = load<i8>(at, 1);
      return 2;
    default:
      return 0;
  }
}
