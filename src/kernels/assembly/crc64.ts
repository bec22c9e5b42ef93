// CRC-64/Jones of blocks that are copied here, in WebAssembly.
//
// Fixed memory, no runtime, no allocation:
//   below    what crc64-fold.ts keeps
//   STATE    the checksum
//   INPUT    the block, up to 128 KiB
import { continueSum, prepareSums } from './crc64-fold';

const STATE: usize = 0xd000;
const INPUT: usize = 0x20000;

/** Called once. */
export function prepare(): void {
  prepareSums();
}

/** Continues the checksum at STATE over the first `length` bytes of the input area. */
export function update(length: usize): void {
  store<u64>(STATE, continueSum(load<u64>(STATE), INPUT, length));
}
