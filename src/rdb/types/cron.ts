import { signedLong } from '../../bytes/int64.js';
import { NEED, type Progress } from '../../bytes/window.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import { BYTES_8, END_LOOP, LOOP, STRING } from '../skim.js';
import { readCount, readItems } from './counted.js';

const HEAD = 0;
const KEYS = 1;
const ARGUMENT_COUNT = 2;

/** A script of KeyDB that runs at times, with its keys and arguments. */
export const cron: TypeCodec = {
  kind: 'cron',
  encoding: 'raw',
  unit: 'argument',
  layout: [STRING, BYTES_8, BYTES_8, LOOP, STRING, END_LOOP, LOOP, STRING, END_LOOP],
  countAt: COUNT_INSIDE,
  neverEmpty: false,
  decode(walk, cursor, out): Progress {
    if (walk.step === HEAD && !readHead(walk, cursor, out)) return NEED;
    if (walk.step === KEYS) {
      const progress = readItems(walk, cursor, out, readText);
      if (walk.left > 0) return progress;
      walk.step = ARGUMENT_COUNT;
    }
    if (walk.step === ARGUMENT_COUNT && !readCount(walk, cursor, ARGUMENT_COUNT + 1)) return NEED;
    return readItems(walk, cursor, out, readText);
  },
};

function readHead(walk: ValueWalk, cursor: Cursor, out: ItemOutput): boolean {
  const timesAt = walk.text.read(cursor, cursor.position);
  if (timesAt === SHORT) return false;
  const countAt = timesAt + 16;
  if (countAt > cursor.end) {
    cursor.short(countAt);
    return false;
  }
  const at = cursor.length(countAt);
  if (at === SHORT) return false;
  walk.left = cursor.value;
  walk.index = 0;
  out.cron(
    walk.text.slice,
    { startMs: int64(cursor, timesAt), interval: int64(cursor, timesAt + 8) },
    cursor.value,
  );
  cursor.position = at;
  walk.step = KEYS;
  return true;
}

function int64({ bytes }: Cursor, at: number) {
  return signedLong(bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at));
}

function readText(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const at = walk.text.read(cursor, cursor.position);
  if (at !== SHORT) out.element(walk.text.slice);
  return at;
}
