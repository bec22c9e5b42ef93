/** A seeded generator of 32-bit numbers (xorshift). */
export function seeded(seed) {
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 8; i++) next();
  return { next, below: (n) => next() % n };
}

function overwritten(bytes, places) {
  const damaged = Buffer.from(bytes);
  for (const { at, put } of places) put.copy(damaged, at);
  return damaged;
}

function noise(random, length, unlike) {
  const bytes = Buffer.from(Array.from({ length }, () => random.below(256)));
  // A byte that happens to be right is no damage.
  for (let i = 0; i < length; i++) if (bytes[i] === unlike[i]) bytes[i] ^= 0x55;
  return bytes;
}

/**
 * The kinds of damage. Each gives the damaged bytes, and how offsets relate: `touched` are ranges of the original that
 * were changed or lost, `spots` ranges of the damaged file that hold no original bytes or join what was apart, `move`
 * where an offset of the original is now (of bytes that were not touched).
 */
export const DAMAGES = {
  '1 byte': (bytes, random) => {
    const at = random.below(bytes.length);
    return inPlace(bytes, [{ at, put: noise(random, 1, bytes.subarray(at)) }]);
  },
  '64 bytes': (bytes, random) => {
    const at = random.below(bytes.length - 64);
    return inPlace(bytes, [{ at, put: noise(random, 64, bytes.subarray(at)) }]);
  },
  'zeroed 4 KB page': (bytes, random) => {
    const at = random.below(Math.ceil(bytes.length / 4096)) * 4096;
    return inPlace(bytes, [{ at, put: Buffer.alloc(Math.min(4096, bytes.length - at)) }]);
  },
  '64 KB lost': (bytes, random) => {
    const size = 64 * 1024;
    const at = random.below(bytes.length - size);
    return {
      damaged: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]),
      touched: [[at, at + size]],
      spots: [[at, at]],
      move: (offset) => (offset < at ? offset : offset - size),
    };
  },
  'duplicated block': (bytes, random) => {
    const size = 4096 * (1 + random.below(8));
    const at = random.below(bytes.length - size);
    const after = at + size;
    return {
      damaged: Buffer.concat([bytes.subarray(0, after), bytes.subarray(at)]),
      // The record across the block's end is whole behind the copy, if anywhere.
      touched: [[after, after]],
      spots: [
        [after, after],
        [after + size, after + size],
      ],
      move: (offset) => (offset < after ? offset : offset + size),
    };
  },
  'three places': (bytes, random) => {
    const sizes = [1, 64, 512];
    const places = sizes.map((size) => {
      const at = random.below(bytes.length - size);
      return { at, put: noise(random, size, bytes.subarray(at)) };
    });
    return inPlace(bytes, places);
  },
};

function inPlace(bytes, places) {
  const ranges = places.map(({ at, put }) => [at, at + put.length]);
  return { damaged: overwritten(bytes, places), touched: ranges, spots: ranges, move: (offset) => offset };
}

/** Whether `[start, end)` shares a byte with one of the ranges, or has the place of an empty one inside. */
export function meets(ranges, start, end) {
  return ranges.some(([from, to]) => (from === to ? start < from && end > from : start < to && end > from));
}
