import { FormatError } from '../../errors.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { NODE_PACKED, NODE_PLAIN } from '../constants.js';
import { type Cursor, SHORT } from '../cursor.js';
import { END_LOOP, LENGTH, LOOP, STRING } from '../skim.js';
import { counted } from './counted.js';
import { type PackedReader, packed, ziplistOf } from './packed-value.js';

const common = { kind: 'list', neverEmpty: true } as const;

export const list: TypeCodec = {
  ...common,
  encoding: 'linkedlist',
  unit: 'element',
  layout: [LOOP, STRING, END_LOOP],
  countAt: 0,
  decode: counted(readElement),
};

export const listZiplist: TypeCodec = {
  ...common,
  encoding: 'ziplist',
  unit: 'element',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed((walk, out) => readNode(ziplistOf(walk), walk, out)),
};

export const listQuicklist: TypeCodec = {
  ...common,
  encoding: 'quicklist',
  unit: 'node',
  layout: [LOOP, STRING, END_LOOP],
  countAt: COUNT_INSIDE,
  decode: counted(readZiplistNode),
};

export const listQuicklist2: TypeCodec = {
  ...common,
  encoding: 'quicklist',
  unit: 'node',
  layout: [LOOP, LENGTH, STRING, END_LOOP],
  countAt: COUNT_INSIDE,
  decode: counted(readContainer),
};

function readElement(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const at = walk.text.read(cursor, cursor.position);
  if (at === SHORT) return SHORT;
  walk.items++;
  out.element(walk.text.slice);
  return at;
}

function readZiplistNode(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const at = walk.text.read(cursor, cursor.position);
  if (at !== SHORT) readNode(walk.ziplist, walk, out);
  return at;
}

function readContainer(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const start = cursor.length(cursor.position);
  if (start === SHORT) return SHORT;
  const container = cursor.value;
  if (container !== NODE_PLAIN && container !== NODE_PACKED) {
    const offset = cursor.offsetOf(cursor.position);
    throw new FormatError('rdb/bad-quicklist', offset, { reason: 'unknown-container', container });
  }
  const at = walk.text.read(cursor, start);
  if (at === SHORT) return SHORT;
  if (container === NODE_PACKED) {
    readNode(walk.listpack, walk, out);
  } else {
    walk.items++;
    out.element(walk.text.slice);
  }
  return at;
}

/** All entries of the packed node in `walk.text`. */
function readNode(reader: PackedReader, walk: ValueWalk, out: ItemOutput): void {
  const { entry, items } = walk;
  reader.open(walk.text);
  while (reader.next(entry)) {
    walk.items++;
    out.element(entry.text());
  }
  if (walk.items === items) walk.emptyNodes++;
}
