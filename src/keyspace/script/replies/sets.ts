import { Glob } from '../../../model/glob.js';
import { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { SET } from '../../forms.js';
import { indexAt } from '../../integers.js';
import { SetCursor, setHas, setSize } from '../../sets.js';
import type { Reply } from '../reply.js';
import { scanPattern } from './keys.js';
import { applied, NOT_INTEGER, ofKind, type ReplyRow, reads, sizeAt, unsupported, writes } from './row.js';

/** Replies of commands on sets. */
export const setReplies: readonly ReplyRow[] = [
  reads(
    'SISMEMBER',
    ofKind(SET, 0, (engine, command, entry) => (has(engine, command, entry, 2) ? 1 : 0)),
  ),
  reads(
    'SCARD',
    ofKind(SET, 0, (engine, _command, entry) => setSize(engine.db, entry)),
  ),
  reads(
    'SMEMBERS',
    ofKind(SET, [], (engine, _command, entry) => members(engine, entry)),
  ),
  reads('SRANDMEMBER', randomMembers),
  reads('SSCAN', ofKind(SET, ['0', []], scan)),
  reads('SINTER', combined),
  reads('SUNION', combined),
  reads('SDIFF', combined),
  writes('SADD', (engine, command) => {
    const size = sizeOf(engine, command);
    return applied(engine, command) ?? sizeOf(engine, command) - size;
  }),
  writes('SREM', (engine, command) => {
    const size = sizeOf(engine, command);
    return applied(engine, command) ?? size - sizeOf(engine, command);
  }),
  writes('SMOVE', (engine, command) => {
    const entry = engine.find(command, 1);
    const moves = entry >= 0 && engine.db.kindAt(entry) === SET && has(engine, command, entry, 3);
    return applied(engine, command) ?? (moves ? 1 : 0);
  }),
  writes(
    'SPOP',
    ofKind(SET, null, (_engine, command) => {
      throw unsupported(command);
    }),
  ),
  ...['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE'].map((name) =>
    writes(name, (engine, command) => applied(engine, command) ?? sizeOf(engine, command)),
  ),
];

function sizeOf(engine: Engine, command: CommandSpans): number {
  return sizeAt(engine, command, 1, SET, setSize);
}

function has(engine: Engine, command: CommandSpans, entry: number, i: number): boolean {
  return setHas(engine.db, entry, command.bytes, command.starts[i]!, command.ends[i]!);
}

function members(engine: Engine, entry: number, glob?: Glob): string[] {
  const cursor = new SetCursor().open(engine.db, entry);
  const { member } = cursor;
  const texts: string[] = [];
  while (cursor.next()) {
    if (glob === undefined || glob.matches(member.bytes, member.start, member.end))
      texts.push(member.latin1());
  }
  return texts;
}

function scan(engine: Engine, command: CommandSpans, entry: number): Reply {
  const pattern = scanPattern(command, 3);
  return typeof pattern === 'string' ? ['0', members(engine, entry, new Glob(pattern))] : pattern;
}

/** Any members: a script that asked for some may not write any more, so that which they are leaves no trace. */
function randomMembers(engine: Engine, command: CommandSpans): Reply {
  const counted = command.argc > 2;
  const count = counted ? indexAt(command, 2) : 1;
  if (Number.isNaN(count)) return NOT_INTEGER;
  return ofKind(SET, counted ? [] : null, (_engine, _command, entry) => {
    const all = members(engine, entry);
    if (!counted) return all[0]!;
    if (count >= 0) return all.slice(0, count);
    return Array.from({ length: Math.min(-count, 1_000_000) }, (_unused, i) => all[i % all.length]!);
  })(engine, command);
}

/** A key that no command of a log names, for the time of one command. */
const RESULT = '\0rekindle: what a script asked for';

/** SINTER, SUNION, SDIFF: what their storing forms store. */
function combined(engine: Engine, command: CommandSpans): Reply {
  const sources = Array.from({ length: command.argc - 1 }, (_unused, i) => command.latin1(i + 1));
  const failure = applied(engine, CommandSpans.of(`${command.latin1(0)}STORE`, RESULT, ...sources));
  if (failure !== null) return failure;
  const entry = engine.db.find(RESULT_BYTES, 0, RESULT_BYTES.length);
  if (entry < 0) return [];
  const texts = members(engine, entry);
  engine.db.delete(entry);
  return texts;
}

const RESULT_BYTES = Buffer.from(RESULT, 'latin1');
