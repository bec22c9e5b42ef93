import { describe, expect, test } from 'vitest';
import { ByteSlice } from '../../src/bytes/slice.js';
import type { Database } from '../../src/keyspace/database.js';
import {
  LARGE_HASH,
  LARGE_LIST,
  LARGE_SET,
  LARGE_ZSET,
  PACKED_HASH,
  PACKED_LIST,
  PACKED_SET,
  PACKED_ZSET,
} from '../../src/keyspace/forms.js';
import {
  fieldExpiry,
  fieldValue,
  findField,
  HashCursor,
  hashSize,
  NEVER,
  putField,
  removeField,
  setFieldExpiry,
} from '../../src/keyspace/hashes.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import * as lists from '../../src/keyspace/lists.js';
import { addToSet, removeFromSet, SetCursor, setHas, setSize } from '../../src/keyspace/sets.js';
import { DEFAULT_THRESHOLDS } from '../../src/keyspace/thresholds.js';
import {
  putMember,
  removeMember,
  removeRanks,
  scoreOf,
  ZsetView,
  zsetSize,
} from '../../src/keyspace/zsets.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';
import { same } from '../support/same.js';

// Each collection against the plainest model of it, with few and with many elements.

const KEY = Buffer.from('key');
const SIZES = [
  { name: 'small', pool: 12, steps: 3000 },
  { name: 'large', pool: 3000, steps: 8000 },
] as const;
const CASES = SIZES.flatMap((size) => seeds(size.name).map((seed) => ({ ...size, seed })));

function create(form: number): { db: Database; entry: number } {
  const db = new Keyspace().database(0);
  return { db, entry: db.create(KEY, 0, KEY.length, form) };
}

/** A text that is long now and then. */
function text(random: Random, pool: number): Buffer {
  const name = Buffer.from(`item ${random.below(pool)}`);
  return random.once(50) ? Buffer.concat([name, Buffer.alloc(random.pick([120, 200, 5000]), 46)]) : name;
}

describe.each(CASES)('$name (seed $seed)', ({ seed, pool, steps }) => {
  test('a set is a Set', () => {
    const random = new Random(seed);
    const { db, entry } = create(PACKED_SET);
    const model = new Set<string>();
    for (let step = 0; step < steps; step++) {
      const member = text(random, pool);
      const known = model.has(member.latin1Slice());
      same(setHas(db, entry, member, 0, member.length), known);
      if (random.once(3)) {
        same(removeFromSet(db, entry, member, 0, member.length), known);
        model.delete(member.latin1Slice());
      } else {
        same(addToSet(db, entry, member, 0, member.length), !known);
        model.add(member.latin1Slice());
      }
      same(setSize(db, entry), model.size);
    }
    const cursor = new SetCursor().open(db, entry);
    const held: string[] = [];
    while (cursor.next()) held.push(cursor.member.latin1());
    expect(held.sort()).toEqual([...model].sort());
    if (pool > 100) expect(db.formAt(entry)).toBe(LARGE_SET);
  });

  test('a hash is a Map, with expiries', () => {
    const random = new Random(seed);
    const { db, entry } = create(PACKED_HASH);
    const model = new Map<string, [string, number]>();
    const slice = new ByteSlice();
    const withExpiries = random.once(2);
    for (let step = 0; step < steps; step++) {
      const name = text(random, pool);
      const known = model.get(name.latin1Slice());
      const place = findField(db, entry, name, 0, name.length);
      same(place >= 0, known !== undefined);
      if (known !== undefined) {
        same(fieldValue(db, entry, place, slice).latin1(), known[0]);
        same(fieldExpiry(db, entry, place), known[1]);
      }
      const pick = random.below(6);
      if (pick < 2) {
        same(removeField(db, entry, name, 0, name.length), model.delete(name.latin1Slice()));
      } else if (pick === 2 && withExpiries && known !== undefined) {
        known[1] = random.once(4) ? NEVER : random.below(2 ** 31) * 32768;
        setFieldExpiry(db, entry, name, 0, name.length, known[1]);
      } else {
        const value = text(random, pool);
        const keep = random.once(2);
        const isNew = putField(db, entry, name, 0, name.length, value, 0, value.length, keep);
        same(isNew, known === undefined);
        model.set(name.latin1Slice(), [value.latin1Slice(), keep && known !== undefined ? known[1] : NEVER]);
      }
      same(hashSize(db, entry), model.size);
    }
    const cursor = new HashCursor().open(db, entry);
    const held = new Map<string, [string, number]>();
    while (cursor.next()) held.set(cursor.name.latin1(), [cursor.value.latin1(), cursor.expiresAtMs]);
    expect(held).toEqual(model);
    if (pool > 100) expect(db.formAt(entry)).toBe(LARGE_HASH);
  });

  test('a list is an array', () => {
    const random = new Random(seed);
    const { db, entry } = create(PACKED_LIST);
    const model: string[] = [];
    const slice = new ByteSlice();
    for (let step = 0; step < steps; step++) {
      const item = text(random, pool);
      const { length } = item;
      // Grows to the size of the pool, then goes up and down.
      const pick = model.length < pool / 2 && random.once(2) ? random.below(2) : random.below(9);
      const index = random.below(model.length + 1);
      const latin1 = item.latin1Slice();
      if (pick === 0) {
        lists.pushHead(db, entry, item, 0, length);
        model.unshift(latin1);
      } else if (pick === 1) {
        lists.pushTail(db, entry, item, 0, length);
        model.push(latin1);
      } else if (pick === 2) {
        const count = random.once(20) ? random.below(300) : 1;
        lists.dropHead(db, entry, count);
        model.splice(0, count);
      } else if (pick === 3) {
        const count = random.once(20) ? random.below(300) : 1;
        lists.dropTail(db, entry, count);
        model.splice(Math.max(0, model.length - count));
      } else if (pick === 4) {
        lists.insertElement(db, entry, index, item, 0, length);
        model.splice(index, 0, latin1);
      } else if (pick === 5 && index < model.length) {
        lists.setElement(db, entry, index, item, 0, length);
        model[index] = latin1;
      } else if (pick === 6) {
        const limit = random.pick([1, 2, Number.MAX_SAFE_INTEGER]);
        const fromTail = random.once(2);
        removeFrom(model, latin1, limit, fromTail);
        lists.removeEqual(db, entry, item, 0, length, limit, fromTail);
      } else {
        same(lists.indexOfElement(db, entry, item, 0, length), model.indexOf(latin1));
      }
      same(lists.listLength(db, entry), model.length);
      if (model.length === 0) continue;
      same(lists.peekHead(db, entry, slice).latin1(), model[0]);
      same(lists.peekTail(db, entry, slice).latin1(), model.at(-1));
    }
    const cursor = new lists.ListCursor().open(db, entry);
    const held: string[] = [];
    while (cursor.next()) held.push(cursor.element.latin1());
    expect(held).toEqual(model);
    if (pool > 100) expect(db.formAt(entry)).toBe(LARGE_LIST);
  });

  test('a sorted set is a sorted array', () => {
    const random = new Random(seed);
    const { db, entry } = create(PACKED_ZSET);
    const model = new Map<string, number>();
    for (let step = 0; step < steps; step++) {
      const member = text(random, pool);
      const name = member.latin1Slice();
      const known = model.get(name);
      same(scoreOf(db, entry, member, 0, member.length), known ?? Number.NaN);
      const pick = random.below(20);
      if (pick < 6) {
        same(removeMember(db, entry, member, 0, member.length), model.delete(name));
      } else if (pick === 6 && step % 50 === 0) {
        const from = random.below(model.size + 1);
        const to = random.between(from, Math.min(model.size, from + 20));
        const gone = sorted(model).slice(from, to);
        removeRanks(db, entry, from, to);
        for (const [lost] of gone) model.delete(lost);
      } else {
        const score = random.pick([random.below(10), random.below(1e9) / 7, -1, Infinity, -Infinity]);
        const isNew = putMember(db, entry, member, 0, member.length, score, DEFAULT_THRESHOLDS);
        same(isNew, known === undefined);
        model.set(name, score);
      }
      same(zsetSize(db, entry), model.size);
      if (step % 500 === 0) expect(ordered(db, entry)).toEqual(sorted(model));
    }
    expect(ordered(db, entry)).toEqual(sorted(model));
    if (pool > 100) expect(db.formAt(entry)).toBe(LARGE_ZSET);
  });
});

function removeFrom(model: string[], item: string, limit: number, fromTail: boolean): void {
  for (let left = limit; left > 0; left--) {
    const at = fromTail ? model.lastIndexOf(item) : model.indexOf(item);
    if (at < 0) return;
    model.splice(at, 1);
  }
}

function sorted(model: ReadonlyMap<string, number>): [string, number][] {
  return [...model].sort((a, b) => (a[1] === b[1] ? (a[0] < b[0] ? -1 : 1) : a[1] < b[1] ? -1 : 1));
}

function ordered(db: Database, entry: number): [string, number][] {
  const view = new ZsetView().open(db, entry);
  view.select(0, view.size);
  return Array.from({ length: view.size }, (_, rank): [string, number] => {
    view.seek(rank);
    return [view.member.latin1(), view.score];
  });
}

test.each(seeds('text'))('a long string is a Buffer that grows with zeros (seed %i)', (seed) => {
  const random = new Random(seed);
  const db = new Keyspace().database(0);
  const slice = new ByteSlice();
  const entry = db.setString(KEY, 0, KEY.length, KEY, 0, 0);
  let model = Buffer.alloc(0);
  for (let step = 0; step < 300; step++) {
    const length = random.once(3) ? random.below(model.length + 1) : random.below(200_000);
    const resized = Buffer.alloc(length);
    model.copy(resized);
    model = resized;
    db.resizeString(entry, length);
    const mark = random.below(length);
    if (length > 0) {
      db.getString(entry, slice).bytes[slice.start + mark] = model[mark] = 1 + random.below(255);
    }
    expect(db.getString(entry, slice).view().equals(model)).toBe(true);
  }
});
