// The reading side of LZF, for every kernel that meets compressed strings.

const MAX_LITERAL: usize = 32;

/**
 * Decompresses from `input` up to `inputEnd` into at most what ends at `outputEnd`. Returns the bytes written, -1 for a
 * malformed stream. Copies run over either end by less than 32 bytes.
 */
export function decompressLzf(input: usize, inputEnd: usize, output: usize, outputEnd: usize): i32 {
  let from = input;
  let to = output;
  while (from < inputEnd) {
    const control = <usize>load<u8>(from++);
    if (control < MAX_LITERAL) {
      const count = control + 1;
      if (from + count > inputEnd || to + count > outputEnd) return -1;
      v128.store(to, v128.load(from));
      if (count > 16) v128.store(to, v128.load(from, 16), 16);
      from += count;
      to += count;
      continue;
    }
    let count = control >> 5;
    if (count == 7) {
      if (from >= inputEnd) return -1;
      count += <usize>load<u8>(from++);
    }
    count += 2;
    if (from >= inputEnd) return -1;
    const distance = ((control & 31) << 8) + <usize>load<u8>(from++) + 1;
    const stop = to + count;
    if (to - output < distance || stop > outputEnd) return -1;
    // Copies wider than the distance would read what they have yet to write.
    if (distance >= 16) {
      do {
        v128.store(to, v128.load(to - distance));
        to += 16;
      } while (to < stop);
    } else if (distance >= 8) {
      do {
        store<u64>(to, load<u64>(to - distance));
        to += 8;
      } while (to < stop);
    } else {
      do {
        store<u8>(to, load<u8>(to - distance));
        to++;
      } while (to < stop);
    }
    to = stop;
  }
  return <i32>(to - output);
}
