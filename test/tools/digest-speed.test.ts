import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digest } from '../../src/tools/digest.js';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { openDataset } from '../../src/tools/source.js';
import { len, str, u8 } from '../support/rdb-bytes.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from './context.js';

const room = temporaryDirectory('digest-speed');

/** Texts and names of every length around the ends of blocks, integers, times before and after the clock, two databases. */
function everyLength(nowMs: number): string {
  const parts: Buffer[] = [Buffer.from('REDIS0010')];
  const push = (...given: Parameters<typeof Buffer.from>[0][]): void => {
    parts.push(...given.map((part) => Buffer.from(part as Uint8Array)));
  };
  for (const database of [0, 7]) {
    push(u8(254), len(database));
    for (let length = 0; length < 330; length++) {
      if (length % 3 === 0) {
        const time = Buffer.alloc(9, 0xfc);
        time.writeBigInt64LE(BigInt(length % 2 === 0 ? nowMs - 1 : nowMs), 1);
        push(time);
      }
      push(u8(0), str(`${database}${'k'.repeat(length)}`), str('v'.repeat((length * 7) % 331)));
    }
    for (const number of [0, 7, -1, 127, -128]) push(u8(0), str(`int${number}`), u8(0xc0), u8(number & 0xff));
    push(u8(0), str('least'), u8(0xc2), u8(0), u8(0), u8(0), u8(0x80));
  }
  const path = join(room, 'every-length.rdb');
  writeFileSync(path, Buffer.concat([...parts, Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0])]));
  return path;
}

test('texts digested four at a time give what they give one by one', async () => {
  const context = testContext();
  const path = everyLength(context.nowMs);
  const source = await openDataset(path, { prefer: null, stdin: null, signal: null });
  const options = { as: null, conditions: EVERY_KEY, dialect: null };
  const together = await digest(source, { ...options, keys: null }, context);
  let told = 0;
  const keys = { key: () => void told++, full: false, drain: async () => {} };
  const alone = await digest(source, { ...options, keys }, context);
  expect(told).toBe(2 * 336);
  expect(together).toEqual(alone);
  expect([together.keys, together.expired]).toEqual([told, 2 * 55]);
});
