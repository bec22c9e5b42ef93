import { ByteSlice } from '../../../bytes/slice.js';
import { CommandSpans } from '../../../resp/command.js';
import { sortedTexts } from '../../commands/sort.js';
import type { Engine } from '../../engine.js';
import { LIST, STRING, ZSET } from '../../forms.js';
import { listLength } from '../../lists.js';
import { zsetSize } from '../../zsets.js';
import { Failure, OK, type Reply } from '../reply.js';
import { applied, type ReplyRow, reads, sizeAt, unsupported, writes } from './row.js';

/** Replies of SORT, of HyperLogLogs and of searches that store what they find. */
export const computedReplies: readonly ReplyRow[] = [
  writes('SORT', sort),
  writes('PFADD', addToLog),
  writes('PFMERGE', (engine, command) => applied(engine, command) ?? OK),
  reads('PFCOUNT', countLogs),
  writes('GEORADIUS', (engine, command) => storedSearch(engine, command, 6)),
  writes('GEORADIUSBYMEMBER', (engine, command) => storedSearch(engine, command, 5)),
];

/** The argument behind the last of these words from argument `from` on; 0: none. */
function targetOf(command: CommandSpans, from: number, ...words: readonly string[]): number {
  let target = 0;
  for (let i = from; i + 1 < command.argc; i++) if (words.some((word) => command.is(i, word))) target = i + 1;
  return target;
}

function sort(engine: Engine, command: CommandSpans): Reply {
  const target = targetOf(command, 2, 'STORE');
  if (target > 0) return applied(engine, command) ?? sizeAt(engine, command, target, LIST, listLength);
  return sortedTexts(engine, command) ?? new Failure(engine.lastError);
}

function storedSearch(engine: Engine, command: CommandSpans, from: number): Reply {
  const target = targetOf(command, from, 'STORE', 'STOREDIST');
  if (target === 0) throw unsupported(command);
  return applied(engine, command) ?? sizeAt(engine, command, target, ZSET, zsetSize);
}

const slice = new ByteSlice();

function bytesAt(engine: Engine, command: CommandSpans): Buffer | null {
  const entry = engine.find(command, 1);
  return entry < 0 || engine.db.kindAt(entry) !== STRING ? null : engine.db.getString(entry, slice).copy();
}

/** 1 when the estimate may differ now: the string does then, too. */
function addToLog(engine: Engine, command: CommandSpans): Reply {
  const before = bytesAt(engine, command);
  const failure = applied(engine, command);
  if (failure !== null) return failure;
  const after = bytesAt(engine, command);
  return before !== null && after !== null && before.equals(after) ? 0 : 1;
}

/** A key that no command of a log names, for the time of one command. */
const UNION = '\0rekindle: what a script counts';
/** Where a HyperLogLog keeps the cardinality it was counted to. */
const CARDINALITY_AT = 8;

function countLogs(engine: Engine, command: CommandSpans): Reply {
  if (command.argc === 2) return applied(engine, command) ?? cardinality(bytesAt(engine, command));
  const sources = Array.from({ length: command.argc - 1 }, (_unused, i) => command.latin1(i + 1));
  const failure = applied(engine, CommandSpans.of('PFMERGE', UNION, ...sources));
  if (failure !== null) return failure;
  const counted = CommandSpans.of('PFCOUNT', UNION);
  const reply = applied(engine, counted) ?? cardinality(bytesAt(engine, counted));
  applied(engine, CommandSpans.of('DEL', UNION));
  return reply;
}

function cardinality(bytes: Buffer | null): number {
  return bytes === null ? 0 : Number(bytes.readBigUInt64LE(CARDINALITY_AT) & 0x7fffffffffffffffn);
}
