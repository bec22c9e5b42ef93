/** A seeded generator of 64-bit values (SplitMix64), so that failures can be repeated. */
export function random64(seed: number): () => bigint {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
}

/** Seeded random bytes. */
export function randomBytes(seed: number, length: number): Buffer {
  const next = random64(seed);
  const bytes = Buffer.alloc(length);
  let at = 0;
  for (; at + 8 <= length; at += 8) bytes.writeBigUInt64LE(next(), at);
  for (; at < length; at++) bytes[at] = Number(next() & 0xffn);
  return bytes;
}
