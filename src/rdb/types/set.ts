import { FormatError } from '../../errors.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import { END_LOOP, LOOP, STRING } from '../skim.js';
import { counted } from './counted.js';
import { packed } from './packed-value.js';

const common = { kind: 'set', unit: 'member', neverEmpty: true } as const;

export const set: TypeCodec = {
  ...common,
  encoding: 'hashtable',
  layout: [LOOP, STRING, END_LOOP],
  countAt: 0,
  decode: counted(readMember),
};

export const setIntset: TypeCodec = {
  ...common,
  encoding: 'intset',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed(readIntset),
};

export const setListpack: TypeCodec = {
  ...common,
  encoding: 'listpack',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed(readListpack),
};

function readMember(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const { text } = walk;
  const at = text.read(cursor, cursor.position);
  if (at === SHORT) return SHORT;
  if (!walk.isNew(text.slice)) throw new FormatError('rdb/duplicate-member', text.offset);
  walk.items++;
  out.element(text.slice);
  return at;
}

function readIntset(walk: ValueWalk, out: ItemOutput): void {
  const { intset, entry } = walk;
  intset.open(walk.text);
  while (intset.next(entry)) {
    walk.items++;
    out.element(entry.text());
  }
}

function readListpack(walk: ValueWalk, out: ItemOutput): void {
  const { listpack, entry } = walk;
  listpack.open(walk.text);
  while (listpack.next(entry)) {
    const member = entry.text();
    if (!walk.isNew(member)) throw listpack.lastError('rdb/duplicate-member', {});
    walk.items++;
    out.element(member);
  }
}
