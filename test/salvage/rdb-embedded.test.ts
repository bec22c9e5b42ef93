import { describe, expect, test } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { redis } from '../support/rdb-builder.js';
import { concat, len, str, u8 } from '../support/rdb-bytes.js';
import { namesIn, saved } from './rdb-salvage.js';

/** Records of names that no key has. */
function ghosts(count: number): Buffer {
  const parts = Array.from({ length: count }, (_, i) => [u8(0), str(`ghost${i}`), str(`nothing ${i}`)]);
  return concat(...parts.flat());
}

const WHOLE_RDB = redis(9).aux('redis-ver', '6.2.16').database(0).raw(ghosts(12)).end();

/** What stands in a value and looks like a part of a file. */
const CONTENTS: readonly (readonly [what: string, content: Buffer])[] = [
  ['records', ghosts(14)],
  ['many records', ghosts(60)],
  ['records behind text', concat('once upon a time ', ghosts(14))],
  ['records before text', concat(ghosts(14), ' the end')],
  ['an RDB', WHOLE_RDB],
  ['an RDB of another size', redis(11).database(0).raw(ghosts(40)).end()],
  ['an RDB cut off', WHOLE_RDB.subarray(0, WHOLE_RDB.length - 12)],
  ['an RDB before text', concat(WHOLE_RDB, ' and more')],
  ['a log', Buffer.from('*3\r\n$3\r\nSET\r\n$6\r\nghost1\r\n$1\r\nx\r\n'.repeat(8))],
  ['an RDB and a log', concat(WHOLE_RDB, '*3\r\n$3\r\nSET\r\n$6\r\nghost1\r\n$1\r\nx\r\n')],
];

/** What holds it, and how many bytes stand in front of the content. */
const HOLDERS: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  'a text': (content) => concat(u8(0), str('user:77'), str(content)),
  'a text that expires': (content) =>
    concat(u8(252, 0, 0x10, 0x5e, 0x5f, 0x8f, 1, 0, 0), u8(0), str('user:77'), str(content)),
  'a hash': (content) =>
    concat(u8(4), str('user:77'), len(2), str('a'), str('b'), str('field'), str(content)),
  'a list': (content) => concat(u8(1), str('user:77'), len(1), str(content)),
};

function holding(record: Buffer): { bytes: Buffer; at: number } {
  const builder = redis(9).database(0);
  for (let i = 100; i < 124; i++) builder.key(0, `user:${i}`, str(`value ${i}`));
  const at = builder.bytes().length;
  builder.raw(record);
  for (let i = 124; i < 148; i++) builder.key(0, `user:${i}`, str(`value ${i}`));
  return { bytes: builder.end(), at };
}

/** What a byte is changed to. */
function valuesFor(byte: number, random: Random): number[] {
  const other = random.below(256) ^ 0x80;
  return THOROUGH ? [0, byte ^ 1, byte ^ 0x40, other] : [random.pick([0, byte ^ 1, other])];
}

const isGhost = (name: string): boolean => name.includes('ghost');

describe.each(CONTENTS)('a value that holds %s', (_what, content) => {
  test.each(Object.keys(HOLDERS))('in %s yields none of it while it is whole', async (holder) => {
    const { bytes } = holding(HOLDERS[holder]!(content));
    const { survey } = await saved(bytes);
    expect(survey.keys.whole).toBe(49);
  });

  test.each(Object.keys(HOLDERS))(
    'in %s yields none of it with any byte of the head changed',
    async (holder) => {
      const record = HOLDERS[holder]!(content);
      const { bytes, at } = holding(record);
      const head = record.length - content.length;
      const random = new Random(head + content.length);
      for (let i = 0; i < head; i++) {
        for (const value of valuesFor(bytes[at + i]!, random)) {
          const damaged = Buffer.from(bytes);
          damaged[at + i] = value;
          const corrected = await saved(damaged);
          expect([i, value, ...(await namesIn(corrected.bytes)).filter(isGhost)]).toEqual([i, value]);
          // Without a checksum that shows which byte it is, as in a file with damage elsewhere too.
          const { bytes: output, survey } = await saved(damaged, { correct: false });
          const names = await namesIn(output);
          if (survey.damaged.length === 0 && (names.some(isGhost) || names.length < 46)) {
            // A length that by chance ends at a record inside or behind: only the checksum can tell, and it does.
            expect([survey.checksum, survey.keys.proven]).toEqual(['mismatch', 0]);
            continue;
          }
          expect([i, value, ...names.filter(isGhost)]).toEqual([i, value]);
          expect([i, value, names.length]).toEqual([i, value, Math.max(46, names.length)]);
        }
      }
    },
  );
});

describe('a byte of the head of which whole records follow', () => {
  test.each([
    // The name is fifty bytes longer: it begins as all names do, and takes in a part of the content.
    ['a longer name', 'a text', 'an RDB of another size', 1, 57],
    ['a longer name of a key that expires', 'a text that expires', 'records before text', 10, 44],
    // The value is one byte long: fourteen records follow at once, and damage comes behind them.
    ['a shorter text', 'a text', 'records before text', 9, 1],
    // The item ends at the third record of an RDB, whose end mark is then found in the middle of the file.
    ['a shorter item', 'a list', 'an RDB of another size', 10, 48],
  ])('%s yields none of the content', async (_change, holder, what, at, value) => {
    const content = CONTENTS.find(([name]) => name === what)![1];
    const { bytes, at: start } = holding(HOLDERS[holder]!(content));
    bytes[start + at] = value;
    const { bytes: output, survey } = await saved(bytes, { correct: false });
    const names = await namesIn(output);
    expect(names.filter(isGhost)).toEqual([]);
    expect(names.length).toBeGreaterThanOrEqual(48);
    expect(survey.damaged).not.toEqual([]);
    expect(survey.keys.doubtful).toBeGreaterThan(0);
  });
});

describe('doubtful records', () => {
  test('are counted, listed, left out, and written when asked for', async () => {
    const { bytes, at } = holding(HOLDERS['a text']!(ghosts(20)));
    const damaged = Buffer.from(bytes);
    damaged[at] = 0x3f;
    const { survey, written } = await saved(damaged, { correct: false });
    expect(written.keysWritten).toBe(48);
    expect(survey.keys.doubtful).toBeGreaterThan(10);
    expect(survey.doubtful.reduce((sum, { keys }) => sum + keys, 0)).toBe(survey.keys.doubtful);
    const asked = await saved(damaged, { correct: false, doubtful: true });
    expect(asked.written.doubtfulWritten).toBe(survey.keys.doubtful);
    expect((await namesIn(asked.bytes)).filter(isGhost).length).toBe(survey.keys.doubtful);
  });
});
