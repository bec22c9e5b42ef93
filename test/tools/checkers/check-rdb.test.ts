import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkRdb } from '../../../src/tools/checkers/check-rdb.js';
import { CORPUS_NOW } from '../../support/corpus.js';
import { gzip, lz4Frame, vcs } from '../../support/pack.js';
import { moduleField, RdbBuilder, redis } from '../../support/rdb-builder.js';
import { concat, len, len64, listpack, str, u8 } from '../../support/rdb-bytes.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { testContext } from '../context.js';
import { CheckerRecorder } from './recorder.js';

const HOME = temporaryDirectory('check-rdb');
let count = 0;

async function checked(bytes: Buffer) {
  mkdirSync(HOME, { recursive: true });
  const path = join(HOME, `${count++}.rdb`);
  writeFileSync(path, bytes);
  const host = new CheckerRecorder();
  const exit = await checkRdb(path, { dialect: null }, host, testContext());
  expect(host.lines[0]).toBe(`[offset 0] Checking RDB file ${path}`);
  return { exit, lines: host.lines.slice(1), notes: host.notes };
}

const INFO = (keys: number, expires: number, expired: number) => [
  `[info] ${keys} keys read`,
  `[info] ${expires} expires`,
  `[info] ${expired} already expired`,
];

describe('an intact file', () => {
  it('tells its fields, databases, modules and keys', async () => {
    const id = (8n << 10n) | 1n; // AAAAAAAAI, version 1
    const bytes = redis(10)
      .aux('redis-ver', '7.0.15')
      .raw(u8(247), len64(id), moduleField.uint(2), moduleField.string('state'), moduleField.end)
      .database(3)
      .resize(2, 2)
      .expiryMs(CORPUS_NOW * 1000 - 1)
      .key(0, 'past', str('v'))
      .expiryMs(CORPUS_NOW * 1000)
      .key(0, 'now', str('v'))
      .end();
    expect(await checked(bytes)).toEqual({
      exit: 0,
      lines: [
        "[offset 27] AUX FIELD redis-ver = '7.0.15'",
        '[offset 39] MODULE AUX for: AAAAAAAAI',
        '[offset 49] Selecting DB ID 3',
        `[offset ${bytes.length}] Checksum OK`,
        `[offset ${bytes.length}] \\o/ RDB looks OK! \\o/`,
        ...INFO(2, 2, 1),
      ],
      notes: [],
    });
  });

  it('may have no checksum, or one that was switched off', async () => {
    const bytes = redis(10).key(0, 'k', str('v')).endUnchecked();
    expect((await checked(bytes)).lines[0]).toBe(
      `[offset ${bytes.length}] RDB file was saved with checksum disabled: no check performed.`,
    );
    const old = Buffer.concat([redis(4).key(0, 'k', str('v')).bytes(), u8(255)]);
    expect((await checked(old)).lines).toEqual([
      `[offset ${old.length}] \\o/ RDB looks OK! \\o/`,
      ...INFO(1, 0, 0),
    ]);
  });

  it('may be of a version that 7.0 does not know', async () => {
    expect(
      (
        await checked(
          redis(12)
            .slotInfo(1, 1, 0)
            .key(20, 's', str(listpack('a', 'b')))
            .end(),
        )
      ).exit,
    ).toBe(0);
  });
});

it('says nothing but the first line of a file that is not there, and why on the side', async () => {
  const host = new CheckerRecorder();
  const path = join(HOME, 'none.rdb');
  expect(await checkRdb(path, { dialect: null }, host, testContext())).toBe(1);
  expect(host.lines).toEqual([`[offset 0] Checking RDB file ${path}`]);
  expect(host.notes).toEqual([`${path}: no such file or directory`]);
});

it('says of a compressed file what it is, on the side', async () => {
  const plain = redis(10).key(0, 'k', str('v')).end();
  for (const [packed, what] of [
    [gzip(plain), 'compressed (gzip)'],
    [lz4Frame(plain), 'compressed (lz4)'],
    [vcs(plain), "Valkey's compressed stream"],
  ] as const) {
    const { exit, lines, notes } = await checked(packed);
    expect([exit, lines]).toEqual([1, (await checked(Buffer.from('no magic, no RDB'))).lines]);
    expect(notes).toEqual([expect.stringContaining(`is ${what}, which is not read here`)]);
  }
});

/** The block that ends the report of a damaged file. */
async function errorOf(bytes: Buffer): Promise<string[]> {
  const { exit, lines } = await checked(bytes);
  expect(exit).toBe(1);
  expect(lines).toContain('--- RDB ERROR DETECTED ---');
  return lines.slice(lines.indexOf('--- RDB ERROR DETECTED ---') + 1);
}

describe('a damaged file', () => {
  const type = (number: number, name: string) => `[additional info] Reading type ${number} (${name})`;

  it.each<[string, RdbBuilder, string, number]>([
    ['an expiry', redis(10).raw(u8(252, 0, 0)), 'read-expire', 10],
    ['a database number', redis(10).raw(u8(254, 0x80, 0)), 'read-len', 11],
    ['a hint of sizes', redis(10).raw(u8(251, 1)), 'read-len', 11],
    ['the value of an aux field', redis(10).raw(u8(250), str('ctime'), u8(5, 0x31)), 'read-aux', 17],
    ['a function library', redis(10).raw(u8(245, 9, 0x23)), 'read-functions', 11],
  ])('ends inside %s', async (_, builder, doing, offset) => {
    expect(await errorOf(builder.bytes())).toEqual([
      `[offset ${offset}] Unexpected EOF reading RDB file`,
      `[additional info] While doing: ${doing}`,
      type(0, 'string'),
      ...INFO(0, 0, 0),
    ]);
  });

  it('ends inside a key', async () => {
    expect(await errorOf(redis(10).raw(u8(2, 5), 'ab').bytes())).toEqual([
      '[offset 11] Unexpected EOF reading RDB file',
      '[additional info] While doing: read-key',
      type(2, 'set-hashtable'),
      ...INFO(0, 0, 0),
    ]);
  });

  it('ends between a key and its value', async () => {
    expect(await errorOf(redis(10).raw(u8(4), str('hash')).bytes())).toEqual([
      '[offset 15] Unexpected EOF reading RDB file',
      '[additional info] While doing: read-object-value',
      "[additional info] Reading key 'hash'",
      type(4, 'hash-hashtable'),
      ...INFO(1, 0, 0),
    ]);
  });

  it('ends inside a value, some way in', async () => {
    const builder = redis(10).key(4, 'h', len(9), str('f'), str('v'), str('field'), u8(7), 'cut');
    expect(await errorOf(builder.bytes())).toEqual([
      '[offset 24] Unexpected EOF reading RDB file',
      '[additional info] While doing: read-object-value',
      "[additional info] Reading key 'h'",
      type(4, 'hash-hashtable'),
      ...INFO(1, 0, 0),
    ]);
  });

  // As redis-check-rdb of 8.8 says it.
  it.each<[string, number, Buffer, number]>([
    ['an array, in its first number', 28, u8(0x80, 0), 1],
    ['an array, in the index inserted last', 28, u8(2, 1, 0x80, 0), 3],
    ['an array, in an integer', 28, concat(u8(2, 0), u8(7, 1), u8(9, 9)), 4],
    ['an array, in the text of its second element', 28, u8(2, 0, 7, 0, 1, 120, 8, 0, 9, 99), 9],
  ])('ends inside %s', async (_, type, value, offset) => {
    const builder = new RdbBuilder('REDIS0014').key(type, 'a', value);
    const start = builder.bytes().length - value.length;
    expect((await errorOf(builder.bytes()))[0]).toBe(
      `[offset ${start + offset}] Unexpected EOF reading RDB file`,
    );
  });

  it('is refused for functions from before 7.0, as 7.0 does', async () => {
    const library = redis(10).raw(u8(246), str('lib'), str('LUA'), u8(0), str('code')).end();
    expect((await errorOf(library)).slice(0, 2)).toEqual([
      '[offset 10] Pre-release function format not supported 10',
      '[additional info] While doing: read-type',
    ]);
  });

  it('may hold a collection without elements, which the original takes for the end of the file', async () => {
    const lines = await errorOf(redis(10).key(16, 'h', str(listpack())).end());
    expect(lines[0]).toMatch(/^\[offset \d+\] Internal error in RDB reading offset \d+ -> rdb\/empty-value$/);
    expect(lines).toContain("[additional info] Reading key 'h'");
  });

  it('may hold scores out of order, which the original does not look at', async () => {
    const lines = await errorOf(
      redis(10)
        .key(17, 'z', str(listpack('a', 2, 'b', 1)))
        .end(),
    );
    expect(lines[0]).toContain('-> rdb/bad-listpack');
  });
});
