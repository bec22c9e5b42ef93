import { describe, expect, test } from 'vitest';
import { type Depth, ITEMS, RAW, SKIP } from '../../src/model/handler.js';
import { inParts } from '../support/chop.js';
import { redis } from '../support/rdb-builder.js';
import { concat, len, len32, lzfStream, str, u8 } from '../support/rdb-bytes.js';
import { eventSubject, eventsOf, valueEvents } from '../support/rdb-events.js';
import { VALUES } from '../support/rdb-values.js';

/** How a file ends that comes as a whole. Where a skipped value was cut depends on the windows it came in. */
function endOf(bytes: Buffer, depth: Depth): string | undefined {
  return inParts(bytes, eventSubject({ depth }, false), [bytes.length]).error?.code;
}

describe.each(VALUES)('$what', ({ type, value }) => {
  const bytes = redis(12).key(type, 'k', value).key(0, 'next', str('1')).end();

  test('taken raw is the bytes as they stand', () => {
    expect(valueEvents(bytes, { depth: RAW })).toEqual([`raw ${value.toString('hex')}`]);
  });

  test('skipped or not, the next key is where it is', () => {
    const next = (depth: Depth) => eventsOf(bytes, { depth }).filter((line) => line.startsWith('key "next"'));
    expect(next(SKIP)).toEqual(next(ITEMS));
    expect(next(SKIP)).toHaveLength(1);
    expect(valueEvents(bytes, { depth: SKIP })).toEqual([]);
  });

  test('cut anywhere is a truncation, at every depth', () => {
    const whole = redis(12).key(type, 'k', value).bytes();
    for (let end = 12; end < whole.length; end++) {
      for (const depth of [SKIP, RAW, ITEMS] as const) {
        expect(endOf(whole.subarray(0, end), depth), `cut at ${end}, depth ${depth}`).toBe('rdb/truncated');
      }
    }
  });
});

test('depth is chosen key by key', () => {
  const bytes = redis(9).key(0, 'a', str('1')).key(0, 'b', str('2')).key(0, 'c', str('3')).end();
  const depths: Record<string, Depth> = { a: SKIP, b: RAW, c: ITEMS };
  const lines = eventsOf(bytes, { depth: (head) => depths[head.key.latin1()]! });
  expect(lines.filter((line) => /^(raw|text)/.test(line))).toEqual(['raw 0132', 'text "3"']);
});

test('what is not looked at is not checked', () => {
  const damaged = concat(len(2), str('a'), lzfStream(u8(99), 5), str('b'), str('not a number'));
  const bytes = redis(9).key(4, 'k', damaged).key(16, 'l', str('no listpack')).end();
  expect(eventsOf(bytes, { depth: SKIP })).toHaveLength(6);
  expect(endOf(bytes, ITEMS)).toBe('rdb/bad-lzf');
});

test.each([SKIP, RAW] as const)('depth %i refuses what has no end', (depth) => {
  expect(endOf(redis(9).key(4, 'k', len(1), str('a'), u8(0xc5)).end(), depth)).toBe(
    'rdb/bad-string-encoding',
  );
  expect(endOf(redis(9).key(4, 'k', u8(0xc0)).end(), depth)).toBe('rdb/bad-length');
  expect(endOf(redis(9).key(7, 'k', len(1), len(7)).end(), depth)).toBe('rdb/bad-module');
});

test.each([SKIP, RAW] as const)(
  'depth %i refuses a length beyond the file before it waits for it',
  (depth) => {
    const bytes = concat(redis(9).key(0, 'k').bytes(), len32(0x7fffffff), 'abc');
    const subject = eventSubject({ depth }, false);
    const { error } = inParts(bytes, subject, [bytes.length]);
    expect(error?.code).toBe('rdb/truncated');
    expect(error?.detail['needed']).toBe(0x7fffffff - 3);
  },
);
