import { ByteSlice } from '../../../bytes/slice.js';
import type { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { LIST } from '../../forms.js';
import { indexAt } from '../../integers.js';
import { ListCursor, listLength, peekHead, peekTail } from '../../lists.js';
import type { Reply } from '../reply.js';
import {
  applied,
  confirms,
  NOT_INTEGER,
  ofKind,
  type ReplyRow,
  rangeAt,
  reads,
  sizeAt,
  writes,
} from './row.js';

/** Replies of commands on lists. */
export const listReplies: readonly ReplyRow[] = [
  reads(
    'LLEN',
    ofKind(LIST, 0, (engine, _command, entry) => listLength(engine.db, entry)),
  ),
  reads('LINDEX', ofKind(LIST, null, elementAt)),
  reads('LRANGE', ofKind(LIST, [], range)),
  ...['LPUSH', 'RPUSH', 'LPUSHX', 'RPUSHX'].map((name) =>
    writes(name, (engine, command) => applied(engine, command) ?? lengthOf(engine, command)),
  ),
  writes('LINSERT', insert),
  confirms('LSET'),
  confirms('LTRIM'),
  writes('LREM', (engine, command) => {
    const length = lengthOf(engine, command);
    return applied(engine, command) ?? length - lengthOf(engine, command);
  }),
  writes('LPOP', (engine, command) => pop(engine, command, true)),
  writes('RPOP', (engine, command) => pop(engine, command, false)),
  writes('RPOPLPUSH', (engine, command) => carry(engine, command, false)),
  writes('LMOVE', (engine, command) => carry(engine, command, command.is(3, 'LEFT'))),
];

const element = new ByteSlice();

function lengthOf(engine: Engine, command: CommandSpans): number {
  return sizeAt(engine, command, 1, LIST, listLength);
}

/** Elements `[from, to]` of a list. */
function elements(engine: Engine, entry: number, from: number, to: number): string[] {
  const cursor = new ListCursor().open(engine.db, entry);
  const texts: string[] = [];
  for (let i = 0; i <= to && cursor.next(); i++) if (i >= from) texts.push(cursor.element.latin1());
  return texts;
}

function elementAt(engine: Engine, command: CommandSpans, entry: number): Reply {
  const index = indexAt(command, 2);
  if (Number.isNaN(index)) return NOT_INTEGER;
  const length = listLength(engine.db, entry);
  const at = index < 0 ? index + length : index;
  if (at < 0 || at >= length) return null;
  if (at === 0) return peekHead(engine.db, entry, element).latin1();
  if (at === length - 1) return peekTail(engine.db, entry, element).latin1();
  return elements(engine, entry, at, at)[0]!;
}

function range(engine: Engine, command: CommandSpans, entry: number): Reply {
  const ends = rangeAt(command, 2, listLength(engine.db, entry));
  return ends === null ? NOT_INTEGER : elements(engine, entry, ends[0], ends[1]);
}

/** The length, -1 when the pivot is not there, 0 when the key is not. */
function insert(engine: Engine, command: CommandSpans): Reply {
  const length = lengthOf(engine, command);
  const failure = applied(engine, command);
  if (failure !== null) return failure;
  const now = lengthOf(engine, command);
  return now === length && length > 0 ? -1 : now;
}

function endOf(engine: Engine, command: CommandSpans, fromHead: boolean): string | null {
  const entry = engine.find(command, 1);
  if (entry < 0 || engine.db.kindAt(entry) !== LIST) return null;
  return (fromHead ? peekHead : peekTail)(engine.db, entry, element).latin1();
}

function pop(engine: Engine, command: CommandSpans, fromHead: boolean): Reply {
  if (command.argc === 2) {
    const end = endOf(engine, command, fromHead);
    return applied(engine, command) ?? end;
  }
  const length = lengthOf(engine, command);
  const entry = engine.find(command, 1);
  const count = Math.min(length, Math.max(0, indexAt(command, 2) || 0));
  let taken: string[] = [];
  if (length > 0 && fromHead) taken = elements(engine, entry, 0, count - 1);
  else if (length > 0) taken = elements(engine, entry, length - count, length - 1).reverse();
  return applied(engine, command) ?? (length === 0 ? null : taken);
}

function carry(engine: Engine, command: CommandSpans, fromHead: boolean): Reply {
  const end = endOf(engine, command, fromHead);
  return applied(engine, command) ?? end;
}
