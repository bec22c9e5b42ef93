import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import type { FormatError } from '../../src/errors.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink } from '../../src/rdb/handler.js';
import { redis } from '../support/rdb-builder.js';
import {
  concat,
  i64le,
  int8,
  int16,
  int32,
  len,
  len14,
  len32,
  len64,
  lzf,
  lzfRun,
  lzfStream,
  str,
  u8,
} from '../support/rdb-bytes.js';
import { decodeEveryWay, errorOf, eventsOf, valueEvents } from '../support/rdb-events.js';

describe('header', () => {
  test.each([1, 2, 4])('version %i has no checksum', (version) => {
    const bytes = concat(redis(version).bytes(), u8(255));
    expect(eventsOf(bytes)).toEqual([`header REDIS ${version} redis`, 'end none keys 0 to 10 redis']);
  });

  test.each([5, 6, 9, 12])('version %i has one', (version) => {
    expect(eventsOf(redis(version).end())).toEqual([
      `header REDIS ${version} redis`,
      'end ok keys 0 to 18 redis',
    ]);
  });

  test.each([
    ['another magic', 'RODIS0011', 'rdb/bad-magic at 0'],
    ['text of a log', '*2\r\n$6\r\nSELECT', 'rdb/bad-magic at 0'],
    ['another magic, cut', 'RO', 'rdb/bad-magic at 0'],
    ['a cut magic', 'RED', 'rdb/truncated at 0'],
    ['nothing', '', 'rdb/truncated at 0'],
    ['a cut version', 'REDIS00', 'rdb/truncated at 0'],
    ['a version in letters', 'REDIS00x1', 'rdb/bad-version at 5'],
    ['version 0', 'REDIS0000', 'rdb/unsupported-version at 5'],
    ['a version of the future', 'REDIS9999', 'rdb/unsupported-version at 5'],
    ['version 99', 'REDIS0099', 'rdb/unsupported-version at 5'],
    ['a version of Redis under the magic of Valkey', 'VALKEY011', 'rdb/unsupported-version at 6'],
  ])('%s is refused', (_, text, error) => {
    expect(errorOf(Buffer.from(text))).toBe(error);
  });

  test('the product named for the file wins over its magic', () => {
    expect(eventsOf(redis(9).end(), { dialect: 'keydb' })[0]).toBe('header REDIS 9 keydb');
  });

  test.each([
    ['valkey-ver', 'valkey'],
    ['mvcc-tstamp', 'keydb'],
    ['df-ver', 'dragonfly'],
    ['redis-ver', 'redis'],
  ])('aux field %s tells the product: %s', (name, product) => {
    expect(eventsOf(redis(11).aux(name, '1').end()).at(-1)).toMatch(new RegExp(` ${product}$`));
  });
});

describe('records', () => {
  test('everything around the keys is told in order', () => {
    const bytes = redis(12)
      .aux('redis-ver', '7.4.1')
      .aux('ctime', int32(1772366400), true)
      .library('#!lua name=lib\nreturn 1')
      .database(0)
      .resize(2, 1)
      .slotInfo(5, 2, 1)
      .key(0, 'a', str('1'))
      .database(7)
      .key(0, 'b', str('2'))
      .end();
    expect(eventsOf(bytes)).toEqual([
      'header REDIS 12 redis',
      'aux "redis-ver" "7.4.1"',
      'aux "ctime" "1772366400"',
      'library "#!lua name=lib\\nreturn 1"',
      'database 0',
      'resize 2 1',
      'slot 5 2 1',
      'key "a" db 0 string embstr type 0 at 72',
      'text "1"',
      'end-of "a"',
      'database 7',
      'key "b" db 7 string embstr type 0 at 79',
      'text "2"',
      'end-of "b"',
      'end ok keys 2 to 93 redis',
    ]);
  });

  test('attributes belong to the next key alone, whatever stands between', () => {
    const bytes = redis(9)
      .expiryMs(1772366400123)
      .idle(300)
      .aux('mvcc-tstamp', '1')
      .key(0, 'a', str('1'))
      .freq(255)
      .key(1, 'b', len(1), str('x'))
      .key(0, 'c', str('3'))
      .end();
    expect(eventsOf(bytes).filter((line) => line.startsWith('key'))).toEqual([
      'key "a" db 0 string embstr type 0 at 9 expires 1772366400123 idle 300',
      'key "b" db 0 list linkedlist type 1 at 41 freq 255 count 1',
      'key "c" db 0 string embstr type 0 at 49',
    ]);
  });

  test.each([
    ['seconds', u8(253, 0x80, 0x3c, 0xa4, 0x69), '1772371072000'],
    ['seconds before 1970', u8(253, 0xff, 0xff, 0xff, 0xff), '-1000'],
    ['milliseconds', concat(u8(252), i64le(1772366400001)), '1772366400001'],
    ['milliseconds before 1970', concat(u8(252), i64le(-5)), '-5'],
    ['milliseconds beyond 2^53', concat(u8(252), i64le(2n ** 63n - 1n)), '9223372036854775807'],
    ['milliseconds below -2^53', concat(u8(252), i64le(-(2n ** 63n))), '-9223372036854775808'],
  ])('expiry in %s', (_, opcode, expected) => {
    const lines = eventsOf(redis(9).raw(opcode).key(0, 'a', str('1')).end());
    expect(lines[1]).toBe(`key "a" db 0 string embstr type 0 at 9 expires ${expected}`);
  });

  test("a module's own record is told without opcode and end mark", () => {
    const record = concat(len64(0x123456789abcdef0n), len(2), len(1), len(5), str('state'), len(2), len(7));
    const bytes = redis(9).raw(u8(247), record, u8(0)).database(0).end();
    expect(eventsOf(bytes).slice(1, 3)).toEqual([`module-aux ${record.toString('hex')}`, 'database 0']);
  });

  test('a library of a release candidate of 7.0 is told as libraries are since', () => {
    const record = concat(u8(246), str('lib'), str('LUA'), len(1), str('what it is'), str('return 1'));
    expect(eventsOf(redis(10).raw(record).end())[1]).toBe('library "#!LUA name=lib\\nreturn 1"');
    const plain = concat(u8(246), str('lib'), str('LUA'), len(0), str('return 1'));
    expect(eventsOf(redis(10).raw(plain).end())[1]).toBe('library "#!LUA name=lib\\nreturn 1"');
  });

  test.each([
    ['a type that never was', redis(9).raw(u8(8), str('k')), 'rdb/unknown-type at 9'],
    ['type 99', redis(9).raw(u8(99), str('k')), 'rdb/unknown-type at 9'],
    ['an opcode that never was', redis(9).raw(u8(230)), 'rdb/unknown-opcode at 9'],
    ['a slot record before 7.4', redis(11).slotInfo(1, 1, 1), 'rdb/unknown-opcode at 9'],
    ['hash types of 7.4 before it', redis(11).raw(u8(24), str('k')), 'rdb/unknown-type at 9'],
    ['a library without engine', redis(10).library('return 1'), 'rdb/bad-function at 10 > function'],
    ['a library of one line', redis(10).library('#!lua name=x'), 'rdb/bad-function at 10 > function'],
    ['a database beyond 2^31', redis(9).raw(u8(254), len64(2 ** 31)), 'rdb/bad-length at 10'],
    [
      'a module record without its time',
      redis(9).raw(u8(247), len(1), len(5)),
      'rdb/bad-module at 11 > module aux',
    ],
    [
      'a module record with an unknown field',
      redis(9).raw(u8(247), len(1), len(2), len(1), len(9)),
      'rdb/bad-module at 13 > module aux',
    ],
    ['a string encoding as database', redis(9).raw(u8(254, 0xc0)), 'rdb/bad-length at 10'],
  ])('%s is refused', (_, builder, error) => {
    expect(errorOf(builder.end())).toBe(error);
  });

  test('an attribute and the bytes before the mistake are told', () => {
    const { outcome } = decodeEveryWay(redis(9).key(0, 'a', str('1')).raw(u8(99), str('k')).end());
    expect(outcome.slice(1)).toEqual(['key "a" db 0 string embstr type 0 at 9', 'text "1"', 'end-of "a"']);
  });
});

describe('lengths', () => {
  const text = 'x'.repeat(40);
  test.each([
    ['one byte', u8(40)],
    ['two bytes', len14(40)],
    ['32 bits', len32(40)],
    ['64 bits', len64(40)],
  ])('any form will do: %s', (_, length) => {
    const key = concat(u8(0), length, text, length, text);
    expect(eventsOf(redis(9).raw(key).end()).slice(1, 4)).toEqual([
      `key "${text}" db 0 string embstr type 0 at 9`,
      `text "${text}"`,
      `end-of "${text}"`,
    ]);
  });

  test.each([0, 63, 64, 16383, 16384])('a string of %i bytes', (size) => {
    const bytes = redis(9)
      .key(0, 'k', str('x'.repeat(size)))
      .end();
    expect(valueEvents(bytes)).toEqual([`text "${'x'.repeat(size)}"`]);
  });

  test.each([0x82, 0xbf])('first byte %i starts none', (first) => {
    expect(errorOf(redis(9).raw(u8(0), str('k'), u8(first)).end())).toBe('rdb/bad-length at 12 > string');
  });

  test('a length beyond the file is a truncation, and nothing is allocated for it', () => {
    const bytes = concat(redis(9).key(0, 'k').bytes(), len32(0x7fffffff), 'abc');
    expect(errorOf(bytes)).toBe('rdb/truncated at 12 > string');
    expect(errorOf(concat(redis(9).bytes(), u8(0), len32(0x70000000), 'abc'))).toBe('rdb/truncated at 9');
  });

  test('it says how much the file has left, however little of it is in memory', async () => {
    const bytes = concat(redis(9).key(0, 'k').bytes(), len32(0x7fffffff), 'abc'.repeat(100));
    const decoder = new RdbDecoder(new RdbSink(), { verifyChecksum: true, deep: true });
    const reading = pumpSource(new MemorySource(bytes), decoder, { chunkBytes: 32 });
    const { offset, detail } = (await reading.catch((error) => error)) as FormatError;
    expect(detail).toMatchObject({ needed: 12 + 5 + 0x7fffffff - offset, available: bytes.length - offset });
  });

  test('a length beyond the limit is refused before more is read', () => {
    const bytes = concat(redis(9).key(0, 'k').bytes(), len64(2n ** 40n), 'abc');
    expect(errorOf(bytes)).toBe('rdb/length-overrun at 12 > string');
    const small = redis(9)
      .key(0, 'k', str('x'.repeat(17_000)))
      .end();
    expect(errorOf(small, { limits: { stringBytesMax: 16_384 } })).toBe('rdb/length-overrun at 12 > string');
  });
});

describe('strings', () => {
  test.each([
    [int8(0), '0'],
    [int8(-128), '-128'],
    [int8(127), '127'],
    [int16(-32768), '-32768'],
    [int16(32767), '32767'],
    [int32(-2147483648), '-2147483648'],
    [int32(2147483647), '2147483647'],
  ])('an integer is its decimal text', (encoded, text) => {
    const lines = eventsOf(redis(9).raw(u8(0), encoded, encoded).end());
    expect(lines.slice(1, 4)).toEqual([
      `key "${text}" db 0 string int type 0 at 9`,
      `text "${text}"`,
      `end-of "${text}"`,
    ]);
  });

  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  test('all bytes pass through, compressed or not', () => {
    for (const form of [str(all), lzf(all)]) {
      const lines = eventsOf(redis(9).raw(u8(0), form, form).end());
      expect(lines[2]).toBe(`text ${JSON.stringify(all)}`);
      expect(lines[3]).toBe(`end-of ${JSON.stringify(all)}`);
    }
  });

  test.each([4, 10, 265, 5000])('back-references that overlap: a run of %i', (length) => {
    const bytes = redis(9).key(0, 'k', lzfRun(length)).end();
    expect(valueEvents(bytes)).toEqual([`text "${'a'.repeat(length)}"`]);
  });

  test('encodings are told from the head', () => {
    const encodingOf = (value: Uint8Array) => eventsOf(redis(9).key(0, 'k', value).end())[1]!.split(' ')[5];
    expect(encodingOf(int8(1))).toBe('int');
    expect(encodingOf(str('x'.repeat(44)))).toBe('embstr');
    expect(encodingOf(str('x'.repeat(45)))).toBe('raw');
    expect(encodingOf(str('x'.repeat(64)))).toBe('raw');
    expect(encodingOf(lzfRun(44))).toBe('embstr');
    expect(encodingOf(lzfRun(45))).toBe('raw');
    expect(encodingOf(len32(0))).toBe('embstr');
  });

  test.each([
    ['an unknown encoding', u8(0xc4), 'rdb/bad-string-encoding at 12 > string'],
    ['a stream that ends early', lzfStream(concat(u8(1), 'ab'), 3), 'rdb/bad-lzf at 12 > string'],
    ['a stream that goes on', lzfStream(concat(u8(1), 'ab'), 1), 'rdb/bad-lzf at 12 > string'],
    ['a literal beyond the stream', lzfStream(concat(u8(5), 'ab'), 6), 'rdb/bad-lzf at 12 > string'],
    ['a reference before the start', lzfStream(u8(0, 97, 0x20, 1), 4), 'rdb/bad-lzf at 12 > string'],
    ['a stream of nothing', lzfStream('', 0), 'rdb/bad-lzf at 12 > string'],
    ['more than any stream yields', lzfStream(u8(0, 97), 177), 'rdb/bad-lzf at 12 > string'],
  ])('%s is refused', (_, value, error) => {
    expect(errorOf(redis(9).key(0, 'k', value).end())).toBe(error);
  });
});

describe('checksum', () => {
  const bytes = redis(9).database(0).key(0, 'key', str('value')).end();

  test('a wrong one is found, after everything has been told', () => {
    const bad = Buffer.from(bytes);
    bad[bad.length - 1]! ^= 1;
    const { error, outcome, rest } = decodeEveryWay(bad);
    expect(error?.code).toBe('rdb/checksum-mismatch');
    expect(error?.offset).toBe(bytes.length - 8);
    expect(error?.detail['computed']).toBe(Buffer.from(bytes.subarray(-8)).reverse().toString('hex'));
    expect(error?.detail['stored']).toBe(Buffer.from(bad.subarray(-8)).reverse().toString('hex'));
    expect(outcome.at(-1)).toBe('end-of "key"');
    expect(rest).toBe(0);
  });

  test('a damaged byte in a value is found by it', () => {
    const bad = Buffer.from(bytes);
    bad[bad.length - 11]! ^= 0x20;
    expect(decodeEveryWay(bad).error?.code).toBe('rdb/checksum-mismatch');
  });

  test('zero means it was switched off', () => {
    expect(eventsOf(redis(9).endUnchecked()).at(-1)).toBe('end disabled keys 0 to 18 redis');
  });

  test('unverified, it is handed to the caller', () => {
    const bad = Buffer.from(bytes);
    bad[bad.length - 1]! ^= 1;
    expect(eventsOf(bad, { verifyChecksum: false }).at(-1)).toBe(
      `end unchecked keys 1 to ${bad.length} redis`,
    );
  });
});

test('what follows the trailer is left alone', () => {
  const { error, rest } = decodeEveryWay(concat(redis(9).end(), '*1\r\n$4\r\nPING\r\n'));
  expect(error).toBeNull();
  expect(rest).toBe(14);
});
