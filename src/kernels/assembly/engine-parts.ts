// Which keys are executed here, where the keys of a dataset are shared out by their hashes.
import { PARTS } from './engine-layout';
import { hashWith } from './engine-table';

/** Whether others have some of the keys. */
export let isParted: bool = false;
let part: u32 = 0;
let shift: u32 = 0;
let first: u32 = 0;
let second: u32 = 0;
let seed: u32 = 0;

/** The number of this part; the part of each bucket is in memory, its number in the bits of the hash above `bits`. */
export function setPart(number: u32, bits: u32, a: u32, b: u32, c: u32): void {
  isParted = true;
  part = number;
  shift = bits;
  first = a;
  second = b;
  seed = c;
}

export function isMine(key: usize, length: u32): bool {
  return !isParted || load<u8>(PARTS + (hashWith(first, second, seed, key, length) >>> shift)) === part;
}
