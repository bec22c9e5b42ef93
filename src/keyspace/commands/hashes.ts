import { highWord, type Long, lowWord } from '../../bytes/int64.js';
import { INT64_TEXT_MAX, writeInt64 } from '../../kernels/decimal.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { HASH_KIND, PACKED_HASH } from '../forms.js';
import {
  type FieldPlace,
  fieldValue,
  findField,
  hashSize,
  putField,
  putFieldAt,
  removeField,
} from '../hashes.js';
import { longAt, longOf, sumOf } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { sumOfFloats } from './floats.js';
import type { CommandRow } from './row.js';

/** Commands on the fields of hashes. */
export const hashCommands: readonly CommandRow[] = [
  { name: 'HSET', arity: -4, apply: set },
  { name: 'HMSET', arity: -4, apply: set },
  { name: 'HSETNX', arity: 4, apply: setIfAbsent },
  { name: 'HDEL', arity: -3, apply: remove },
  { name: 'HINCRBY', arity: 4, apply: increment },
  { name: 'HINCRBYFLOAT', arity: 4, apply: incrementFloat },
];

/** The entry of the hash in argument 1, created when there was no key; -1 when the key is something else. */
function findOrCreate(engine: Engine, command: CommandSpans): number {
  const { db } = engine;
  const entry = db.findOrCreate(command.bytes, command.starts[1]!, command.ends[1]!, PACKED_HASH);
  return db.kindAt(entry) === HASH_KIND ? entry : -1;
}

function set(engine: Engine, command: CommandSpans): Outcome {
  const { bytes, starts, ends, argc } = command;
  if (argc % 2 !== 0) return engine.wrongArity(command.latin1(0).toLowerCase());
  const entry = findOrCreate(engine, command);
  if (entry < 0) return engine.wrongType();
  const { db } = engine;
  for (let i = 2; i < argc; i += 2) {
    putField(db, entry, bytes, starts[i]!, ends[i]!, bytes, starts[i + 1]!, ends[i + 1]!);
  }
  return APPLIED;
}

function setIfAbsent(engine: Engine, command: CommandSpans): Outcome {
  const { bytes, starts, ends } = command;
  const { db } = engine;
  const entry = findOrCreate(engine, command);
  if (entry < 0) return engine.wrongType();
  if (findField(db, entry, bytes, starts[2]!, ends[2]!) < 0) {
    putField(db, entry, bytes, starts[2]!, ends[2]!, bytes, starts[3]!, ends[3]!);
  }
  return APPLIED;
}

function remove(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends, argc } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  for (let i = 2; i < argc; i++) removeField(db, entry, bytes, starts[i]!, ends[i]!);
  if (hashSize(db, entry) === 0) db.delete(entry);
  return APPLIED;
}

const text = Buffer.alloc(INT64_TEXT_MAX + 1);

function increment(engine: Engine, command: CommandSpans): Outcome {
  const { db, slice } = engine;
  const delta = longAt(command, 3);
  if (delta === null) return engine.notInteger();
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  let value: Long | null = 0;
  const place = entry < 0 ? -1 : findField(db, entry, command.bytes, command.starts[2]!, command.ends[2]!);
  if (place >= 0) {
    fieldValue(db, entry, place, slice);
    value = longOf(slice.bytes, slice.start, slice.end);
    if (value === null) return engine.fail('ERR hash value is not an integer');
  }
  const sum = sumOf(value, delta);
  if (sum === null) return engine.fail('ERR increment or decrement would overflow');
  putResult(engine, command, entry, place, text, writeInt64(highWord(sum), lowWord(sum), text, 0));
  return APPLIED;
}

function incrementFloat(engine: Engine, command: CommandSpans): Outcome {
  const { db, slice } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const place = entry < 0 ? -1 : findField(db, entry, command.bytes, command.starts[2]!, command.ends[2]!);
  const value = place < 0 ? '0' : fieldValue(db, entry, place, slice).latin1();
  const sum = sumOfFloats(engine, value, command.latin1(3), 'ERR hash value is not a float');
  if (sum === null) return FAILED;
  const bytes = Buffer.from(sum, 'latin1');
  putResult(engine, command, entry, place, bytes, bytes.length);
  return APPLIED;
}

/** Sets the field of argument 2, which was found at `place`, to a computed value; an expiry it has stays. */
function putResult(
  engine: Engine,
  command: CommandSpans,
  found: number,
  place: FieldPlace,
  value: Buffer,
  length: number,
): void {
  const { bytes, starts, ends } = command;
  const entry = found >= 0 ? found : engine.db.create(bytes, starts[1]!, ends[1]!, PACKED_HASH);
  putFieldAt(engine.db, entry, place, bytes, starts[2]!, ends[2]!, value, 0, length, true);
}
