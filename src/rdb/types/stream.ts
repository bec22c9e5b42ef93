import { COUNT_INSIDE, type TypeCodec } from '../codec.js';
import { BYTES_8, BYTES_16, END_LOOP, type Layout, type LayoutPart, LENGTH, LOOP, STRING } from '../skim.js';

/** Redis 5.0 to 6.2. */
export const stream1 = streamCodec(1);
/** Redis 7.0: with the first and the largest deleted id, and what groups have read. */
export const stream2 = streamCodec(2);
/** Redis 7.2 and later, Valkey: with the times consumers were active. */
export const stream3 = streamCodec(3);
/** Redis 8.6: with the messages of producers. */
export const stream4 = streamCodec(4);
/** Redis 8.8: with entries that were given back. */
export const stream5 = streamCodec(5);

function streamCodec(generation: number): TypeCodec {
  return {
    kind: 'stream',
    encoding: 'stream',
    unit: 'part',
    layout: layoutOf(generation),
    countAt: COUNT_INSIDE,
    neverEmpty: false,
    decode(walk, cursor, out) {
      if (walk.step === 0) {
        walk.stream.begin(generation);
        walk.step = 1;
      }
      return walk.stream.decode(walk, cursor, out);
    },
    resume(walk, value) {
      walk.stream.begin(generation);
      walk.stream.resume(value);
    },
  };
}

function layoutOf(generation: number): Layout {
  const lengths = (count: number): LayoutPart[] => Array.from({ length: count }, () => LENGTH);
  const nodes = [LOOP, STRING, STRING, END_LOOP] as const;
  const pending = [LOOP, BYTES_16, BYTES_8, LENGTH, END_LOOP] as const;
  const active = generation > 2 ? ([BYTES_8] as const) : [];
  const consumers = [LOOP, STRING, BYTES_8, ...active, LOOP, BYTES_16, END_LOOP, END_LOOP] as const;
  const groups = [
    LOOP,
    STRING,
    ...lengths(generation > 1 ? 3 : 2),
    ...pending,
    ...consumers,
    ...(generation > 4 ? ([LOOP, BYTES_16, END_LOOP] as const) : []),
    END_LOOP,
  ] as const;
  const producers = [
    ...lengths(2),
    ...[LOOP, STRING, LOOP, STRING, LENGTH, LENGTH, END_LOOP, END_LOOP],
    ...lengths(2),
  ] as const;
  return [...nodes, ...lengths(generation > 1 ? 8 : 3), ...groups, ...(generation > 3 ? producers : [])];
}
