import { ByteSlice } from '../../../bytes/slice.js';
import { parseSafeInteger } from '../../../kernels/decimal.js';
import type { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { STRING } from '../../forms.js';
import { indexAt } from '../../integers.js';
import { Failure, type Reply } from '../reply.js';
import {
  applied,
  NOT_INTEGER,
  ofKind,
  type ReplyRow,
  rangeAt,
  reads,
  SYNTAX,
  sizeAt,
  WRONG_TYPE,
  writes,
} from './row.js';
import { textOf } from './strings.js';

/** Replies of commands on the bits of strings. */
export const bitReplies: readonly ReplyRow[] = [
  reads('GETBIT', getBit),
  writes('SETBIT', (engine, command) => {
    const before = getBit(engine, command);
    return applied(engine, command) ?? before;
  }),
  reads('BITCOUNT', ofKind(STRING, 0, countBits)),
  reads('BITPOS', findBit),
  writes(
    'BITOP',
    (engine, command) => applied(engine, command) ?? sizeAt(engine, command, 2, STRING, lengthOf),
  ),
];

const BORROWED = new ByteSlice();
const NOT_AN_OFFSET = new Failure('ERR bit offset is not an integer or out of range');
const OFFSET_MAX = 2 ** 32 - 1;

function lengthOf(db: Engine['db'], entry: number): number {
  return db.getString(entry, BORROWED).length;
}

function getBit(engine: Engine, command: CommandSpans): Reply {
  const offset = parseSafeInteger(command.bytes, command.starts[2]!, command.ends[2]!);
  if (!(offset >= 0 && offset <= OFFSET_MAX)) return NOT_AN_OFFSET;
  const entry = engine.find(command, 1);
  if (entry < 0) return 0;
  if (engine.db.kindAt(entry) !== STRING) return WRONG_TYPE;
  const text = engine.db.getString(entry, engine.slice);
  const byte = Math.floor(offset / 8);
  return byte < text.length ? (text.bytes[text.start + byte]! >> (7 - (offset % 8))) & 1 : 0;
}

function countBits(engine: Engine, command: CommandSpans, entry: number): Reply {
  const text = textOf(engine, entry);
  if (command.argc !== 2 && command.argc !== 4) return SYNTAX;
  let range: readonly [number, number] | null = [0, text.length - 1];
  if (command.argc === 4) {
    const [start, stop] = [indexAt(command, 2), indexAt(command, 3)];
    if (start < 0 && stop < 0 && start > stop) return 0;
    range = rangeAt(command, 2, text.length);
    if (range === null) return NOT_INTEGER;
    if (stop < 0 && range[1] < 0) range = [range[0], 0];
  }
  let count = 0;
  for (let i = range[0]; i <= range[1] && i < text.length; i++) {
    for (let byte = text.charCodeAt(i); byte !== 0; byte &= byte - 1) count++;
  }
  return count;
}

function findBit(engine: Engine, command: CommandSpans): Reply {
  const bit = indexAt(command, 2);
  if (Number.isNaN(bit)) return NOT_INTEGER;
  if (bit !== 0 && bit !== 1) return new Failure('ERR The bit argument must be 1 or 0.');
  if (command.argc > 5) return SYNTAX;
  const entry = engine.find(command, 1);
  if (entry < 0) return bit === 1 ? -1 : 0;
  if (engine.db.kindAt(entry) !== STRING) return WRONG_TYPE;
  const text = textOf(engine, entry);
  let from = command.argc > 3 ? indexAt(command, 3) : 0;
  let to = command.argc > 4 ? indexAt(command, 4) : text.length - 1;
  if (Number.isNaN(from + to)) return NOT_INTEGER;
  if (from < 0) from = Math.max(0, from + text.length);
  if (to < 0) to = Math.max(0, to + text.length);
  to = Math.min(to, text.length - 1);
  if (from > to) return -1;
  for (let i = from; i <= to; i++) {
    const byte = bit === 1 ? text.charCodeAt(i) : text.charCodeAt(i) ^ 0xff;
    if (byte !== 0) return i * 8 + Math.clz32(byte) - 24;
  }
  // Without an end the string goes on with zeros.
  return bit === 0 && command.argc < 5 ? (to + 1) * 8 : -1;
}
