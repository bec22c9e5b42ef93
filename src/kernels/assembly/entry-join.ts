// Compares the entries of two sides of a comparison, a part at a time, in WebAssembly: those up to `middle` are of the first side,
// the others of the second. An entry is ten bytes of its name's hash and eight of what it holds. Places in memory are the
// caller's: entries, a byte of state for each, and slots of a hash table.

const ENTRY: usize = 18;

// What an entry came to.
const ALONE: u32 = 0;
/** The other side has the name once, with an equal value or with another. */
const SAME: u32 = 1;
const OTHER: u32 = 2;
/** The name stands twice on a side: the last of them counts, and that is seen later. */
const TWICE: u32 = 3;
/** The same name as that of an entry before. */
const MET: u32 = 4;
/** The same, and its value is another. */
const MET_OTHER: u32 = 5;

let entries: usize = 0;
let states: usize = 0;
let slots: usize = 0;
let mask: u32 = 0;
let middle: u32 = 0;
let end: u32 = 0;
let same: u32 = 0;
let known: u32 = 0;
let knownState: u32 = 0;

/** `count` slots, a power of two, more than there are entries. */
export function begin(entriesAt: usize, statesAt: usize, slotsAt: usize, count: u32, first: u32, all: u32): void {
  entries = entriesAt;
  states = statesAt;
  slots = slotsAt;
  mask = count - 1;
  middle = first;
  end = all;
  same = 0;
  memory.fill(states, 0, <usize>all);
  memory.fill(slots, 0, <usize>count << 2);
}

/** Takes entries from `from` on, up to the first whose name stands twice on a side: returns that, or the end. */
export function meet(from: u32): u32 {
  for (let entry = from; entry < end; entry++) {
    const at = entries + <usize>entry * ENTRY;
    const name = load<u64>(at);
    const more = load<u16>(at, 8);
    let slot = <u32>(name >> 8) & mask;
    for (;;) {
      const place = slots + ((<usize>slot) << 2);
      const other = load<u32>(place);
      if (other == 0) {
        store<u32>(place, entry + 1);
        break;
      }
      const before = entries + <usize>(other - 1) * ENTRY;
      if (load<u64>(before) == name && load<u16>(before, 8) == more) {
        if (!pair(other - 1, entry, load<u64>(before, 10) == load<u64>(at, 10))) return entry;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return end;
}

/** Two entries of one name; false when it stands twice on a side. */
@inline
function pair(first: u32, second: u32, equal: bool): bool {
  const state = <u32>load<u8>(states + first);
  if (first < middle && second >= middle && state == ALONE) {
    store<u8>(states + first, equal ? SAME : OTHER);
    store<u8>(states + second, equal ? MET : MET_OTHER);
    same += <u32>equal;
    return true;
  }
  known = first;
  knownState = state;
  if (state == SAME) same--;
  store<u8>(states + first, TWICE);
  store<u8>(states + second, MET);
  return false;
}

/** The entry in front of the one where `meet` stopped that has the same name, and what it had come to. */
export function knownEntry(): u32 {
  return known;
}

export function knownStateWas(): u32 {
  return knownState;
}

export function sameCount(): u32 {
  return same;
}

/** The first entry from `from` on that is not known to be equal; the end without any. */
export function nextDifferent(from: u32): u32 {
  for (let entry = from; entry < end; entry++) {
    const state = <u32>load<u8>(states + entry);
    if (state != SAME && state != MET) return entry;
  }
  return end;
}
