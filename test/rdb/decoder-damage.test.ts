import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ITEMS, RAW, SKIP } from '../../src/model/handler.js';
import { inParts } from '../support/chop.js';
import { CORPUS_SERVERS, corpusBytes } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { moduleField, type RdbBuilder, redis } from '../support/rdb-builder.js';
import { concat, len, u8 } from '../support/rdb-bytes.js';
import { type EventOptions, eventSubject } from '../support/rdb-events.js';
import { VALUES } from '../support/rdb-values.js';

interface End {
  readonly code: string | null;
  readonly offset: number;
  readonly lines: readonly string[];
}

function decode(bytes: Buffer, options: EventOptions): End {
  const { outcome, error } = inParts(bytes, eventSubject(options, false), [bytes.length]);
  return { code: error?.code ?? null, offset: error?.offset ?? 0, lines: outcome };
}

/** Every kind of record and every kind of value in one file. */
function everything(): RdbBuilder {
  const builder = redis(12)
    .aux('redis-ver', '7.4.1')
    .library('#!lua name=lib\nreturn 1')
    .raw(u8(247), len(300), len(2), len(1), moduleField.string('state'), moduleField.uint(5), u8(0))
    .raw(u8(246), concat(len(3), 'old', len(3), 'LUA', len(0), len(4), 'code'))
    .database(1)
    .resize(VALUES.length, 2)
    .slotInfo(7, 1, 1)
    .expiryMs(1772366400000)
    .idle(70)
    .freq(3);
  VALUES.forEach(({ type, value }, i) => {
    builder.key(type, `key ${i}`, value);
  });
  return builder;
}

const FLIPS = [0x01, 0x80, 0xff];
/** In turn for one byte and the next, or all of them when there is time. */
const flipsAt = (at: number) => (THOROUGH ? FLIPS : [FLIPS[at % FLIPS.length]!]);
/** In a short run the tests of one large file take every other byte, half of them the odd ones. */
const STRIDE = THOROUGH ? 1 : 2;

describe('every kind of record in one file', () => {
  const bytes = everything().end();
  const whole = decode(bytes, {});

  test('reads to its end', () => {
    expect(whole.code).toBeNull();
    expect(whole.lines.filter((line) => line.startsWith('end-of'))).toHaveLength(VALUES.length);
  });

  test('every prefix is a truncation, and tells a prefix of what the file tells', () => {
    for (let end = 0; end < bytes.length; end += STRIDE) {
      const cut = decode(bytes.subarray(0, end), {});
      const told = whole.lines.slice(0, cut.lines.length);
      if (cut.code === 'rdb/truncated' && isDeepStrictEqual(cut.lines, told) && cut.offset <= end) continue;
      expect(cut.code, `cut at ${end}`).toBe('rdb/truncated');
      expect(cut.lines, `cut at ${end}`).toEqual(told);
      expect(cut.offset).toBeLessThanOrEqual(end);
    }
  });

  test('no flipped byte passes the checksum', () => {
    for (let at = STRIDE - 1; at < bytes.length; at += STRIDE) {
      for (const flip of flipsAt(at)) {
        const bad = Buffer.from(bytes);
        bad[at]! ^= flip;
        if (decode(bad, {}).code === null) expect.fail(`byte ${at} ^ ${flip} passes`);
      }
    }
  });

  test.each([
    { what: 'items, strictly', depth: ITEMS, deep: true },
    { what: 'items', depth: ITEMS, deep: false },
    { what: 'raw', depth: RAW, deep: false },
    { what: 'skipped', depth: SKIP, deep: false },
  ] as const)(
    'a flipped byte without checksum ends in a format error or other content: $what',
    ({ depth, deep }) => {
      const unchecked = everything().endUnchecked();
      for (let at = deep || depth === RAW ? 0 : STRIDE - 1; at < unchecked.length; at += STRIDE) {
        for (const flip of flipsAt(at)) {
          const bad = Buffer.from(unchecked);
          bad[at]! ^= flip;
          const { code, offset, lines } = decode(bad, { verifyChecksum: false, depth, deep });
          if (code === null ? lines.at(-1)?.startsWith('end ') : offset <= bad.length) continue;
          expect.fail(`byte ${at} ^ ${flip}: ${code} at ${offset} after ${lines.at(-1)}`);
        }
      }
    },
  );
});

describe.each(CORPUS_SERVERS)('a small file of %s', (server) => {
  const bytes = corpusBytes(server, 'small.rdb');
  const whole = decode(bytes, { depth: ITEMS });
  // The files are alike, so that one is damaged where the one before is not.
  const first = CORPUS_SERVERS.indexOf(server) % step(bytes.length);
  const checked = whole.lines.at(-1)!.startsWith('end ok');

  test('cut at any of its bytes is a truncation, and tells a prefix of what it tells', () => {
    for (let end = first; end < bytes.length; end += step(bytes.length)) {
      const cut = decode(bytes.subarray(0, end), {});
      const last = cut.lines.at(-1);
      const same = cut.lines.length < whole.lines.length && last === whole.lines[cut.lines.length - 1];
      if (cut.code !== 'rdb/truncated' || !same) expect.fail(`cut at ${end}: ${cut.code} after ${last}`);
    }
  });

  test('with a flipped byte is found out by checksum or structure, or says so in another content', () => {
    for (let at = first; at < bytes.length; at += step(bytes.length)) {
      const bad = Buffer.from(bytes);
      bad[at]! ^= FLIPS[at % FLIPS.length]!;
      const { code, lines } = decode(bad, {});
      if (code !== null) continue;
      if (checked || isDeepStrictEqual(lines, whole.lines)) expect.fail(`byte ${at} passes`);
    }
  });
});

/** Every byte of a file up to half a KiB, of a larger one as many; eight times that when there is time. */
function step(length: number): number {
  return Math.max(1, Math.floor(length / (THOROUGH ? 4096 : 256)));
}
