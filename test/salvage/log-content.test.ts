import { describe, expect, test } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { resp } from '../support/resp.js';
import { record, salvaged } from './log-recorder.js';

const BEFORE = Array.from({ length: 5 }, (_, i) => resp(`SET b:${i} value${i * 37}`)).join('');
const AFTER = Array.from({ length: 12 }, (_, i) =>
  resp(i % 3 === 0 ? `SET a:${i} x${i}` : `INCR a:${i}`),
).join('');

const inside = (count: number): string =>
  Array.from({ length: count }, (_, i) => resp(`SET in:${i} ${'v'.repeat(1 + (i % 7))}`)).join('');
const TRANSACTION = resp('MULTI', 'SET in:a 1', 'INCR in:b', 'EXEC');

/** Values that hold records, with the line end of their last one and without. */
const VALUES: Readonly<Record<string, string>> = {
  'one record': inside(1),
  'three records': inside(3),
  'a log': inside(20),
  'a transaction': TRANSACTION,
  'a FLUSHALL': resp('FLUSHALL'),
  'one record without its line end': inside(1).slice(0, -2),
  'three records without the last line end': inside(3).slice(0, -2),
  'a log without its last line end': inside(20).slice(0, -2),
  'a transaction without its last line end': TRANSACTION.slice(0, -2),
  'a FLUSHALL without its line end': resp('FLUSHALL').slice(0, -2),
  'text and records': `hello\r\n${inside(3)}`,
  'records and text': `${inside(3)}bye`,
  'a log and text': `${inside(20)}bye`,
  'a log cut inside of a value': inside(20).slice(0, -15),
  'an annotation and records': `#TS:1772366400\r\n${inside(3)}`,
  'records between zeros': '\0'.repeat(50) + inside(3) + '\0'.repeat(50),
};

/**
 * A digit of the length changed so that the value ends behind the name of its first command, and all lines of the holder
 * fit: "$91" is "$11", "*3\r\n$3\r\nSET" its value, and "in:0" and "v" the two arguments that are left of five. What
 * follows are whole records, and nothing in front of them is wrong.
 */
const FITS: Readonly<Record<string, readonly string[]>> = {
  'three records without the last line end, in the middle of its command': ['22 ^ 8'],
};

const MASKS = THOROUGH ? [1, 2, 4, 8, 16, 32, 64, 128, 255] : [1, 16];

describe.each(Object.entries(VALUES))('a value that holds %s', (what, value) => {
  test.each([
    ['at the end of its command', record('SET', 'dk', value)],
    ['in the middle of its command', record('SET', 'dk', value, 'PXAT', '1772366499000')],
  ])('%s gives no command away, whatever byte of it changed', async (where, holder) => {
    const whole = Buffer.from(BEFORE + holder + AFTER, 'latin1');
    const start = BEFORE.length;
    const head = holder.indexOf(value);
    const invented: string[] = [];
    let lost = 0;
    let runs = 0;
    for (let at = 0; at < holder.length; at++) {
      // Far from its ends one byte of a value is like another.
      if (!THOROUGH && at > head + 12 && at < holder.length - 12) continue;
      for (const mask of MASKS) {
        const damaged = Buffer.from(whole);
        damaged[start + at]! ^= mask;
        const { keys, damages, doubts } = await salvaged(damaged);
        runs++;
        if (keys.some((key) => /^in:|^FLUSHALL|^MULTI|^EXEC/.test(key))) invented.push(`${at} ^ ${mask}`);
        if (keys.filter((key) => /^[ab]:/.test(key)).length < 17) lost++;
        for (const { start, end } of [...damages, ...doubts]) expect(end > start).toBe(true);
      }
    }
    expect(invented).toEqual((THOROUGH && FITS[`${what}, ${where}`]) || []);
    // A length that changed so that it takes in the next record, too, and still fits.
    expect(lost).toBeLessThanOrEqual(Math.ceil(runs / 40));
  });

  test('is told as doubtful, and given when asked for', async () => {
    const holder = record('SET', 'dk', value).replace('*3', '*4');
    const damaged = Buffer.from(BEFORE + holder + AFTER, 'latin1');
    const without = await salvaged(damaged);
    expect(without.keys.join()).not.toMatch(/in:|FLUSHALL/);
    expect(without.doubts.map(({ why }) => why)).toContain('inside-value');
    const { keys } = await salvaged(damaged, { doubtful: true });
    const doubted = without.doubts.reduce((sum, { records }) => sum + records, 0);
    expect(keys).toHaveLength(without.keys.length + doubted);
  });
});
