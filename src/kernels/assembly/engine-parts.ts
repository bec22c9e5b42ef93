// Which keys are executed here, where the keys of a dataset are shared out by their hashes.
import { PARTS } from './engine-layout';

const BUCKET_SHIFT: u32 = 12;

let part: u32 = 0;
let parts: u32 = 1;

/** This part of so many; the part of each bucket is in memory. */
export function setPart(number: u32, count: u32): void {
  part = number;
  parts = count;
}

export function isMine(hash: u32): bool {
  return parts === 1 || load<u8>(PARTS + (hash >>> BUCKET_SHIFT)) === part;
}
