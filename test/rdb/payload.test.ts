import { describe, expect, test } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { ITEMS, KeyHead, RAW, SKIP } from '../../src/model/handler.js';
import { PayloadDecoder, type PayloadOptions } from '../../src/rdb/payload.js';
import { payload } from '../support/rdb-builder.js';
import { concat, len, str, u8 } from '../support/rdb-bytes.js';
import { RdbEvents } from '../support/rdb-events.js';
import { VALUES } from '../support/rdb-values.js';

const OFFSET = 5000;

function told(bytes: Buffer, events: RdbEvents, options: Partial<PayloadOptions> = {}): string[] {
  const head = new KeyHead();
  head.key.set(Buffer.from('key'), 0, 3);
  const decoder = new PayloadDecoder({ product: 'redis', deep: true, onWarning: events.warn, ...options });
  const framed = concat('before', bytes, 'after');
  decoder.value(framed, 6, 6 + bytes.length, head, events, OFFSET);
  return events.lines;
}

function faultOf(bytes: Buffer, options: Partial<PayloadOptions> = {}): string {
  try {
    told(bytes, new RdbEvents(ITEMS), options);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return [`${error.code} at ${error.offset}`, ...error.trail].join(' > ');
  }
  return 'none';
}

/** What DUMP of "hello" gave on Redis 7.0.15. */
const HELLO = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex');

test('what a server gave is read', () => {
  expect(told(HELLO, new RdbEvents())).toEqual([
    'key "key" db 0 string embstr type 0 at 0',
    'text "hello"',
    'end-of "key"',
  ]);
});

describe.each(VALUES)('$what', ({ type, value }) => {
  const bytes = payload(12, u8(type), value);

  test('is told, handed over or skipped', () => {
    expect(told(bytes, new RdbEvents(RAW)).slice(1, -1)).toEqual([`raw ${value.toString('hex')}`]);
    expect(told(bytes, new RdbEvents(SKIP))).toHaveLength(2);
    const items = told(bytes, new RdbEvents(ITEMS));
    expect(items.length).toBeGreaterThan(2);
    expect(told(bytes, new RdbEvents(ITEMS, true))).toEqual(items);
  });

  test('cut within its footer is truncated', () => {
    for (let end = 0; end < value.length; end++) {
      for (const depth of [SKIP, RAW, ITEMS] as const) {
        const cut = payload(12, u8(type), value.subarray(0, end));
        expect(() => told(cut, new RdbEvents(depth)), `cut at ${end}`).toThrow(
          expect.objectContaining({ code: 'rdb/truncated' }),
        );
      }
    }
  });
});

test.each([
  ['nothing', Buffer.alloc(0), `rdb/truncated at ${OFFSET}`],
  ['less than a footer', HELLO.subarray(-9), `rdb/truncated at ${OFFSET}`],
  ['a footer alone', payload(9), `rdb/truncated at ${OFFSET}`],
  ['a wrong checksum', concat(HELLO.subarray(0, -1), u8(0x0b)), `rdb/checksum-mismatch at ${OFFSET + 9}`],
  ['a damaged value', concat(u8(0, 5, 0x69), HELLO.subarray(3)), `rdb/checksum-mismatch at ${OFFSET + 9}`],
  ['a version of the future', payload(999, u8(0), str('a')), `rdb/unsupported-version at ${OFFSET + 3}`],
  ['a type of the future', payload(9, u8(99), str('a')), `rdb/unknown-type at ${OFFSET}`],
  ['a type of another version', payload(11, u8(24), str('a')), `rdb/unknown-type at ${OFFSET}`],
  [
    'a damaged packed value',
    payload(11, u8(16), str('x')),
    `rdb/bad-listpack at ${OFFSET + 2} > hash > listpack`,
  ],
])('%s is refused', (_, bytes, expected) => {
  expect(faultOf(bytes)).toBe(expected);
});

test('a checksum of zero was not made', () => {
  const bytes = concat(HELLO.subarray(0, -8), Buffer.alloc(8));
  expect(told(bytes, new RdbEvents())).toContain('text "hello"');
});

test('fields of KeyDB behind the value are passed over', () => {
  const bytes = payload(9, u8(0), str('a'), u8(250), str('mvcc-tstamp'), str('1234567890'));
  expect(told(bytes, new RdbEvents())).toEqual([
    'key "key" db 0 string embstr type 0 at 0',
    'text "a"',
    'end-of "key"',
  ]);
});

test.each([
  ['bytes', concat('zz')],
  ['half a field', concat(u8(250), str('mvcc-tstamp'), u8(9), 'abc')],
])('%s behind the value are worth a warning', (_, rest) => {
  const lines = told(payload(9, u8(0), str('a'), rest), new RdbEvents());
  expect(lines[2]).toBe(`warning rdb/trailing-bytes ${OFFSET + 3} ${rest.length}`);
});

test('an empty value is worth a warning', () => {
  expect(told(payload(9, u8(4), len(0)), new RdbEvents())[1]).toBe(
    `warning rdb/empty-value ${OFFSET + 1} hash hashtable`,
  );
});

describe('function libraries', () => {
  const library = (code: string) => concat(u8(245), str(code));
  const functionsIn = (bytes: Buffer): string[] => {
    const events = new RdbEvents();
    new PayloadDecoder({ product: 'redis', deep: true }).functions(bytes, 0, bytes.length, events);
    return events.lines;
  };

  test('are told one by one', () => {
    const bytes = payload(10, library('#!lua name=a\nx'), library('#!lua name=b\ny'));
    expect(functionsIn(bytes)).toEqual(['library "#!lua name=a\\nx"', 'library "#!lua name=b\\ny"']);
    expect(functionsIn(payload(10))).toEqual([]);
  });

  test.each([
    ['another opcode', payload(10, u8(0), str('a')), 'rdb/bad-function'],
    ['the form of release candidates', payload(10, u8(246), str('a')), 'rdb/bad-function'],
    ['a library that is cut', payload(10, library('#!lua name=a\nx').subarray(0, -1)), 'rdb/truncated'],
    ['a library without engine', payload(10, library('x')), 'rdb/bad-function'],
  ])('%s is refused', (_, bytes, code) => {
    expect(() => functionsIn(bytes)).toThrow(expect.objectContaining({ code }));
  });
});
