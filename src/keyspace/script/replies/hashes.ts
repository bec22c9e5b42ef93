import { Glob } from '../../../model/glob.js';
import type { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { HASH_KIND } from '../../forms.js';
import { fieldValue, findField, HashCursor, hashSize } from '../../hashes.js';
import type { Reply } from '../reply.js';
import { scanPattern } from './keys.js';
import { applied, confirms, ofKind, type ReplyRow, reads, sizeAt, WRONG_TYPE, writes } from './row.js';

/** Replies of commands on hashes. */
export const hashReplies: readonly ReplyRow[] = [
  reads(
    'HGET',
    ofKind(HASH_KIND, null, (engine, command, entry) => valueAt(engine, command, entry, 2)),
  ),
  reads('HMGET', getMany),
  reads(
    'HGETALL',
    ofKind(HASH_KIND, [], (engine, _command, entry) => fields(engine, entry, true, true)),
  ),
  reads(
    'HKEYS',
    ofKind(HASH_KIND, [], (engine, _command, entry) => fields(engine, entry, true, false)),
  ),
  reads(
    'HVALS',
    ofKind(HASH_KIND, [], (engine, _command, entry) => fields(engine, entry, false, true)),
  ),
  reads(
    'HLEN',
    ofKind(HASH_KIND, 0, (engine, _command, entry) => hashSize(engine.db, entry)),
  ),
  reads(
    'HEXISTS',
    ofKind(HASH_KIND, 0, (engine, command, entry) => (placeOf(engine, command, entry, 2) < 0 ? 0 : 1)),
  ),
  reads(
    'HSTRLEN',
    ofKind(HASH_KIND, 0, (engine, command, entry) => valueAt(engine, command, entry, 2)?.length ?? 0),
  ),
  reads('HSCAN', ofKind(HASH_KIND, ['0', []], scan)),
  writes('HSET', grows),
  writes('HSETNX', grows),
  confirms('HMSET'),
  writes('HDEL', (engine, command) => {
    const size = sizeOf(engine, command);
    return applied(engine, command) ?? size - sizeOf(engine, command);
  }),
  writes('HINCRBY', (engine, command) => applied(engine, command) ?? Number(presentValue(engine, command))),
  writes('HINCRBYFLOAT', (engine, command) => applied(engine, command) ?? presentValue(engine, command)),
];

function sizeOf(engine: Engine, command: CommandSpans): number {
  return sizeAt(engine, command, 1, HASH_KIND, hashSize);
}

function placeOf(engine: Engine, command: CommandSpans, entry: number, i: number): number {
  return findField(engine.db, entry, command.bytes, command.starts[i]!, command.ends[i]!);
}

function valueAt(engine: Engine, command: CommandSpans, entry: number, i: number): string | null {
  const place = placeOf(engine, command, entry, i);
  return place < 0 ? null : fieldValue(engine.db, entry, place, engine.slice).latin1();
}

/** The value of the field in argument 2, which was just set. */
function presentValue(engine: Engine, command: CommandSpans): string | null {
  return valueAt(engine, command, engine.find(command, 1), 2);
}

function getMany(engine: Engine, command: CommandSpans): Reply {
  const entry = engine.find(command, 1);
  if (entry >= 0 && engine.db.kindAt(entry) !== HASH_KIND) return WRONG_TYPE;
  const values: Reply[] = [];
  for (let i = 2; i < command.argc; i++) values.push(entry < 0 ? null : valueAt(engine, command, entry, i));
  return values;
}

function fields(engine: Engine, entry: number, names: boolean, values: boolean, glob?: Glob): string[] {
  const cursor = new HashCursor().open(engine.db, entry);
  const texts: string[] = [];
  while (cursor.next()) {
    const { bytes, start, end } = cursor.name;
    if (glob !== undefined && !glob.matches(bytes, start, end)) continue;
    if (names) texts.push(cursor.name.latin1());
    if (values) texts.push(cursor.value.latin1());
  }
  return texts;
}

function scan(engine: Engine, command: CommandSpans, entry: number): Reply {
  const pattern = scanPattern(command, 3);
  return typeof pattern === 'string' ? ['0', fields(engine, entry, true, true, new Glob(pattern))] : pattern;
}

function grows(engine: Engine, command: CommandSpans): Reply {
  const size = sizeOf(engine, command);
  return applied(engine, command) ?? sizeOf(engine, command) - size;
}
