import { describe, expect, it } from 'vitest';
import { parseCount, parseInstant, parseSize, parseSpanBack, parseWord } from '../../src/cli/values.js';
import { UsageError } from '../../src/errors.js';

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['64kB', 64_000],
    ['64KiB', 65_536],
    ['1.5g', 1_500_000_000],
    ['2 MiB', 2_097_152],
  ])('%s', (text, bytes) => {
    expect(parseSize(text, '--memory')).toBe(bytes);
  });

  it.each(['', '-1', '1x', 'mb', '1e3', '0x10'])('refuses %j', (text) => {
    expect(() => parseSize(text, '--memory')).toThrow(UsageError);
  });
});

describe('counts', () => {
  it('are whole numbers from a least one on', () => {
    expect(parseCount('0', '--db')).toBe(0);
    expect(parseCount('9007199254740991', '--db')).toBe(Number.MAX_SAFE_INTEGER);
    for (const text of ['-1', '1.5', '', 'x', '9007199254740993']) {
      expect(() => parseCount(text, '--db')).toThrow(UsageError);
    }
    expect(() => parseCount('0', '--until-command', 1)).toThrow(/from 1 on/);
  });
});

describe('instants', () => {
  it.each([
    ['1772366400', 1772366400000],
    ['1772366400.25', 1772366400250],
    ['2026-03-01T12:00:00Z', 1772366400000],
    ['2026-03-01T13:00:00+01:00', 1772366400000],
    ['2026-03-01 12:00', 1772366400000],
    ['2026-03-01T12:00:00.5', 1772366400500],
    ['2026-03-01', 1772323200000],
  ])('%s, the same on every machine', (text, ms) => {
    expect(parseInstant(text, '--now')).toBe(ms);
  });

  it.each(['', 'now', '2026', '2026-13-01', 'March 1', '12:00'])('refuses %j', (text) => {
    if (text === '2026') return expect(parseInstant(text, '--now')).toBe(2_026_000);
    expect(() => parseInstant(text, '--now')).toThrow(UsageError);
  });

  it('takes milliseconds for the mistake they are, and says what to give', () => {
    expect(() => parseInstant('1772366400000', '--now')).toThrow(
      expect.objectContaining({ hint: 'if these are milliseconds, give 1772366400' }),
    );
  });
});

describe('spans back', () => {
  it('add up their parts', () => {
    expect(parseSpanBack('-15m')).toBe(900_000);
    expect(parseSpanBack('-1d2h30m5s')).toBe(95_405_000);
    expect(parseSpanBack('-1.5H')).toBe(5_400_000);
    for (const text of ['15m', '-15', '-m', '-15x', '']) expect(parseSpanBack(text)).toBeNull();
  });
});

it('words come from a closed list, in any case', () => {
  expect(parseWord('RDB', '--to', ['rdb', 'aof'])).toBe('rdb');
  expect(() => parseWord('csv', '--to', ['rdb', 'aof'])).toThrow("--to: 'csv' is none of rdb, aof");
});
