// Whether a text comes twice in one value: by a hash of it, so that a "no" is certain. What may come twice is looked at
// by others.
//
//   SEEN   slots of eight bytes: the number of the value and the lower half of a hash

const SEEN: usize = 0x100000;
const SLOTS_MAX: u32 = 0x10000;

/** Members of one value that there is room for. */
export const MEMBERS_MAX: u64 = 0x8000;

const FACTOR: u64 = 0xd6e8feb86659fd93;
const STEP: u64 = 0x9e3779b97f4a7c15;

let value: u32 = 0;
let mask: u32 = 0;
let room: u32 = 0;

/** Begins a value of at most so many members, which are no more than MEMBERS_MAX. */
export function beginMembers(most: u32): void {
  let slots: u32 = 16;
  while (slots < most << 1) slots <<= 1;
  mask = slots - 1;
  room = most;
  if (++value == 0) {
    memory.fill(SEEN, 0, SLOTS_MAX << 3);
    value = 1;
  }
}

/** Remembers a member by its hash; false when it may have come before. */
@inline
export function isNew(hash: u64): bool {
  // More than announced: something is wrong.
  if (room-- == 0) return false;
  const low = <u32>hash;
  let at = slotOf(<u32>(hash >> 40));
  for (let slot = <u32>(hash >> 40); load<u32>(at) == value; at = slotOf(++slot)) {
    if (load<u32>(at, 4) == low) return false;
  }
  store<u32>(at, value);
  store<u32>(at, low, 4);
  return true;
}

@inline
function slotOf(slot: u32): usize {
  return SEEN + (<usize>(slot & mask) << 3);
}

/** Another hash for another seed. Reads up to seven bytes more than there are. */
@inline
export function hashText(at: usize, end: usize, seed: u64): u64 {
  let h = <u64>(end - at) * STEP + seed;
  let from = at;
  for (; from + 8 <= end; from += 8) {
    h = (h ^ load<u64>(from)) * FACTOR;
    h ^= h >> 32;
  }
  const rest = <u64>(end - from) << 3;
  if (rest > 0) {
    h = (h ^ (load<u64>(from) & (((<u64>1) << rest) - 1))) * FACTOR;
    h ^= h >> 32;
  }
  h *= FACTOR;
  return h ^ (h >> 32);
}

/** Not that of the same number as a text: who meets both asks somebody else. */
@inline
export function hashInteger(integer: i64): u64 {
  let h = (<u64>integer ^ STEP) * FACTOR;
  h = (h ^ (h >> 32)) * FACTOR;
  return h ^ (h >> 32);
}
