// The blocks of LZ4 in WebAssembly. Fixed memory, no runtime, no allocation:
//   INPUT    up to 4 MiB, the most that a block may take
//   WINDOW   the 64 KiB before the block, as far as matches may reach into them
//   OUTPUT   up to 4 MiB
// Both ends are followed by room for copies that run over by less than 32 bytes.

const INPUT: usize = 0x400;
const OUTPUT: usize = 0x410800;

const MIN_MATCH: usize = 4;

/**
 * Decodes the block of `length` bytes into at most `room`; matches may begin in the `history` bytes before the output.
 * Returns the bytes written, -1 for a malformed block.
 */
export function decode(length: usize, history: usize, room: usize): i32 {
  let from = INPUT;
  const inputEnd = INPUT + length;
  let to = OUTPUT;
  const outputEnd = OUTPUT + room;
  const earliest = OUTPUT - history;
  while (from < inputEnd) {
    const token = <usize>load<u8>(from++);
    let count = token >> 4;
    if (count == 15) {
      let more: usize = 255;
      while (more == 255) {
        if (from >= inputEnd) return -1;
        more = <usize>load<u8>(from++);
        count += more;
      }
    }
    if (count > inputEnd - from || count > outputEnd - to) return -1;
    if (count <= 16) {
      v128.store(to, v128.load(from));
    } else if (count <= 32) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    } else {
      memory.copy(to, from, count);
    }
    from += count;
    to += count;
    if (from == inputEnd) return <i32>(to - OUTPUT);
    if (inputEnd - from < 2) return -1;
    const distance = <usize>load<u16>(from);
    from += 2;
    if (distance == 0 || distance > to - earliest) return -1;
    count = (token & 15) + MIN_MATCH;
    if (count == 15 + MIN_MATCH) {
      let more: usize = 255;
      while (more == 255) {
        if (from >= inputEnd) return -1;
        more = <usize>load<u8>(from++);
        count += more;
      }
    }
    if (count > outputEnd - to) return -1;
    const stop = to + count;
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
    } else if (distance == 1) {
      memory.fill(to, load<u8>(to - 1), count);
    } else {
      do {
        store<u8>(to, load<u8>(to - distance));
        to++;
      } while (to < stop);
    }
    to = stop;
  }
  // A block ends with literals, if only with none of them.
  return -1;
}
