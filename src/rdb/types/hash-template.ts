import { ByteSlice } from '../../bytes/slice.js';
import { NEED, type Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import { END_LOOP, LOOP, NAMES, REPEAT, STRING, startsWithListpack, TEMPLATE } from '../skim.js';
import { counted, readItems } from './counted.js';
import { readField } from './hash.js';
import { packed } from './packed-value.js';

// Redis 8.10, from descriptions alone: no file of such a server has been seen.

const common = { kind: 'hash', unit: 'field', neverEmpty: true } as const;
const NEVER = -1;

/** In payloads: the names, one by one or as a listpack, then a listpack of the values. */
export const hashTemplateListpack: TypeCodec = {
  ...common,
  encoding: 'listpack',
  layout: [NAMES, STRING],
  countAt: COUNT_INSIDE,
  decode(walk, cursor, out) {
    if (walk.step === 0) {
      const at = readNames(walk, cursor);
      if (at === SHORT) return NEED;
      cursor.position = at;
      walk.step = 1;
    }
    return valuesOfNames(walk, cursor, out);
  },
};

/** In files: a listpack of the template's number and the values in the template's order. */
export const hashTemplateListpackRef: TypeCodec = {
  ...common,
  encoding: 'listpack',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed((walk, out) => {
    const { listpack, entry, text } = walk;
    listpack.open(text);
    if (!listpack.next(entry) || !entry.integer) {
      throw listpack.wholeError('rdb/bad-template', { reason: 'no-template-number' });
    }
    readValues(walk, walk.templates.get(entry.value, text.offset), out);
  }),
};

/** In payloads: names and values in turn, as hashes have always been. */
export const hashTemplateArray: TypeCodec = {
  ...common,
  encoding: 'hashtable',
  layout: [LOOP, STRING, STRING, END_LOOP],
  countAt: 0,
  decode: counted(readField),
};

/** In files: the template's number and the values in the template's order. */
export const hashTemplateArrayRef: TypeCodec = {
  ...common,
  encoding: 'hashtable',
  layout: [TEMPLATE, REPEAT, STRING, END_LOOP],
  countAt: COUNT_INSIDE,
  decode(walk, cursor, out): Progress {
    if (walk.step === 0) {
      const at = cursor.length(cursor.position);
      if (at === SHORT) return NEED;
      walk.names = walk.templates.get(cursor.value, cursor.offsetOf(cursor.position));
      walk.left = walk.names.length;
      walk.index = 0;
      walk.step = 1;
      cursor.position = at;
    }
    return readItems(walk, cursor, out, readValue);
  },
};

function readValue(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const at = walk.text.read(cursor, cursor.position);
  if (at === SHORT) return SHORT;
  walk.items++;
  out.field(walk.names[walk.index]!, walk.text.slice, NEVER);
  return at;
}

/** Leaves the names in `walk.names`: two layouts have been described, and their first bytes tell them apart. */
function readNames(walk: ValueWalk, cursor: Cursor): number {
  const start = cursor.position;
  const isPacked = startsWithListpack(cursor, start);
  if (isPacked === null) return SHORT;
  const names: ByteSlice[] = [];
  const keep = (slice: ByteSlice) => {
    const copy = slice.copy();
    names.push(new ByteSlice().set(copy, 0, copy.length));
  };
  let at: number;
  if (isPacked) {
    at = walk.text.read(cursor, start);
    if (at === SHORT) return SHORT;
    walk.listpack.open(walk.text);
    while (walk.listpack.next(walk.entry)) keep(walk.entry.text());
  } else {
    at = cursor.length(start);
    for (let left = cursor.value; left > 0 && at !== SHORT; left--) {
      at = walk.text.read(cursor, at);
      if (at !== SHORT) keep(walk.text.slice);
    }
  }
  walk.names = names;
  return at;
}

const valuesOfNames = packed((walk, out) => {
  walk.listpack.open(walk.text);
  readValues(walk, walk.names, out);
});

/** The rest of the open listpack: one value for each name. */
function readValues(walk: ValueWalk, names: readonly ByteSlice[], out: ItemOutput): void {
  const { listpack, entry } = walk;
  const differ = () =>
    listpack.wholeError('rdb/bad-template', { reason: 'values-differ', names: names.length });
  let count = 0;
  for (; listpack.next(entry); count++) {
    const name = names[count];
    if (name === undefined) throw differ();
    if (!walk.isNew(name)) throw new FormatError('rdb/duplicate-member', walk.text.offset);
    walk.items++;
    out.field(name, entry.text(), NEVER);
  }
  if (count !== names.length) throw differ();
}
