import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { HEADER_BYTES } from '../../src/rdb/constants.js';
import { Cursor } from '../../src/rdb/cursor.js';
import { type Dialect, dialectOf } from '../../src/rdb/dialect.js';
import { HashTemplates } from '../../src/rdb/templates.js';
import { DEFAULT_LIMITS } from '../../src/rdb/value-reader.js';
import { NameHabits } from '../../src/salvage/rdb-habits.js';
import { findHeader } from '../../src/salvage/rdb-header.js';
import { ChainProbe, REFUSED, UNSURE, WHOLE } from '../../src/salvage/rdb-probe.js';
import { RecordReader } from '../../src/salvage/rdb-record.js';
import { RecordSearch } from '../../src/salvage/rdb-search.js';
import { RoamingWindow } from '../../src/salvage/rdb-window.js';
import { CORPUS_SERVERS, corpusBytes } from '../support/corpus.js';

const STEPS = 1 << 16;
const redis = dialectOf('redis', 12)!;

function verdict(bytes: Buffer, start = 0, stepsMax = STEPS, limit = bytes.length) {
  return new ChainProbe().follow(bytes, start, bytes.length, limit, redis, stepsMax);
}

/** Plain keys one after the other, and bytes enough behind them. */
function keys(count: number, name: (i: number) => string = (i) => `key:${i}`): Buffer {
  const records = Array.from({ length: count }, (_, i) => {
    const text = Buffer.from(name(i));
    return Buffer.concat([Buffer.from([0, text.length]), text, Buffer.from('\x05value')]);
  });
  return Buffer.concat([...records, Buffer.alloc(64, 0x7f)]);
}

function recordStarts(bytes: Buffer, dialect: Dialect): number[] {
  const reader = new RecordReader(dialect, DEFAULT_LIMITS);
  const cursor = new Cursor();
  Object.assign(cursor, { bytes, end: bytes.length, limit: bytes.length, position: HEADER_BYTES });
  const starts: number[] = [];
  do {
    starts.push(cursor.position);
    reader.begin(cursor);
    expect(reader.run(cursor)).toBe(true);
  } while (reader.kind !== 'end');
  expect(starts.length).toBeGreaterThan(10);
  return starts;
}

describe('a walk along records by their layout', () => {
  test.each(CORPUS_SERVERS)('refuses no record of %s that the strict reader believes', async (server) => {
    const bytes = Buffer.from(corpusBytes(server, 'types.rdb'));
    const { dialect } = findHeader(bytes, server.startsWith('keydb') ? 'keydb' : null);
    const probe = new ChainProbe();
    const refused = recordStarts(bytes, dialect).filter(
      (at) => probe.follow(bytes, at, bytes.length, bytes.length, dialect, STEPS) === REFUSED,
    );
    const window = new RoamingWindow(new MemorySource(bytes), bytes.length, new AbortController().signal);
    const mayEnd = (offset: number) => offset === bytes.length;
    const templates = new HashTemplates();
    const search = new RecordSearch(window, dialect, DEFAULT_LIMITS, new NameHabits(), mayEnd, templates);
    await window.cover(0, 1);
    const wrong: number[] = [];
    for (const at of refused) {
      search.begin();
      if (await search.believes(at, at)) wrong.push(at);
    }
    expect(wrong).toEqual([]);
  });

  test('knows a chain by eight of them', () => {
    expect(verdict(keys(8))).toBe(WHOLE);
    expect(verdict(keys(7))).toBe(REFUSED);
  });

  test('refuses names that repeat, and one that is empty', () => {
    expect(verdict(keys(8, (i) => `key:${i % 4}`))).toBe(REFUSED);
    expect(verdict(Buffer.concat([Buffer.from('\x00\x00\x05value'), keys(8)]))).toBe(REFUSED);
  });

  test('leaves open what is not in memory, and what takes too many steps', () => {
    const bytes = keys(8);
    expect(verdict(bytes.subarray(0, 60), 0, STEPS, bytes.length)).toBe(UNSURE);
    const list = Buffer.concat([Buffer.from('\x01\x04list\x3f'), Buffer.alloc(63, 0), keys(8)]);
    expect(verdict(list)).toBe(WHOLE);
    expect(verdict(list, 0, 20)).toBe(UNSURE);
  });

  test('refuses a packed value whose first bytes are another length', () => {
    const packed = (length: number) =>
      Buffer.concat([
        Buffer.from('\x10\x04hash\x0d'),
        Buffer.from([length, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 0x81, 0x62, 2, 0xff]),
        keys(8),
      ]);
    expect(verdict(packed(13))).toBe(WHOLE);
    expect(verdict(packed(14))).toBe(REFUSED);
  });
});
