import type { Long } from '../../bytes/int64.js';
import { TYPE_KEYDB_CRON } from '../../rdb/constants.js';
import { RdbOutput } from '../../rdb/encode/output.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { CRON_OBJECT, HASH_KIND, SET, TEXT, ZSET } from '../forms.js';
import { fieldValue, findField, putField, removeField } from '../hashes.js';
import { indexAt, longAt, sumOf } from '../integers.js';
import { OpaqueValue } from '../opaque-value.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { setHas } from '../sets.js';
import { scoreOf } from '../zsets.js';
import { momentOf } from './deadline.js';
import type { CommandRow } from './row.js';

/** Commands that KeyDB alone has. */
export const keydbCommands: readonly CommandRow[] = [
  { name: 'EXPIREMEMBER', arity: -4, apply: expireMemberIn },
  { name: 'EXPIREMEMBERAT', arity: 4, apply: (engine, command) => expireMember(engine, command, 1000, true) },
  { name: 'PEXPIREMEMBERAT', arity: 4, apply: (engine, command) => expireMember(engine, command, 1, true) },
  { name: 'KEYDB.CRON', arity: -5, apply: cron },
  { name: 'KEYDB.HRENAME', arity: 4, apply: renameField },
];

/** EXPIREMEMBER key member delay [s | ms] */
function expireMemberIn(engine: Engine, command: CommandSpans): Outcome {
  if (longAt(command, 3) === null) return engine.notInteger();
  if (command.argc > 5) return engine.fail('ERR Invalid number of arguments');
  const inMs = command.argc === 5 && command.is(4, 'MS');
  if (command.argc === 5 && !inMs && !command.is(4, 'S')) return engine.fail('ERR Invalid unit arg');
  return expireMember(engine, command, inMs ? 1 : 1000, false);
}

function expireMember(engine: Engine, command: CommandSpans, unitMs: number, absolute: boolean): Outcome {
  const units = longAt(command, 3);
  if (units === null) return engine.notInteger();
  const when = momentOf(engine, units, unitMs, absolute);
  if (when === null) return engine.notInteger();
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  const kind = db.kindAt(entry);
  const start = starts[2]!;
  const end = ends[2]!;
  let present = false;
  if (kind === SET) present = setHas(db, entry, bytes, start, end);
  else if (kind === HASH_KIND) present = findField(db, entry, bytes, start, end) >= 0;
  else if (kind === ZSET) present = !Number.isNaN(scoreOf(db, entry, bytes, start, end));
  else return engine.fail('ERR object type is unsupported');
  if (present) db.memberExpiries.set(entry, command.latin1(2), when);
  return APPLIED;
}

/** KEYDB.CRON name SINGLE|REPEAT [start] interval script [numkeys key … argument …], times in milliseconds. */
function cron(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  if (!command.is(2, 'SINGLE') && !command.is(2, 'REPEAT')) return engine.syntaxError();
  let startMs: Long = engine.nowMs;
  let interval = longAt(command, 3);
  if (interval === null) return engine.notInteger();
  const second = longAt(command, 4);
  const scriptAt = second === null ? 4 : 5;
  if (second !== null) [startMs, interval] = [interval, second];
  if (interval <= 0) return engine.fail('ERR interval must be positive');
  if (scriptAt >= argc) return engine.wrongArity('keydb.cron');
  const keyCount = scriptAt + 1 < argc ? indexAt(command, scriptAt + 1) : 0;
  if (Number.isNaN(keyCount)) return engine.notInteger();
  if (keyCount < 0 || (keyCount > 0 && scriptAt + 2 + keyCount > argc)) {
    return engine.fail('ERR Missing arguments or numkeys is too big');
  }
  const first = sumOf(startMs, interval);
  if (first === null) return engine.notInteger();
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const value = jobOf(command, scriptAt, startMs, interval, keyCount);
  const entry = db.reset(bytes, starts[1]!, ends[1]!, TEXT);
  db.setObject(entry, CRON_OBJECT, new OpaqueValue(TYPE_KEYDB_CRON, value));
  // The server has a job run when a member of the job's own name expires.
  db.memberExpiries.set(entry, command.latin1(1), first);
  return APPLIED;
}

/** A job as an RDB holds it. */
function jobOf(
  { bytes, starts, ends, argc }: CommandSpans,
  scriptAt: number,
  startMs: Long,
  interval: Long,
  keyCount: number,
): Buffer {
  const parts: Buffer[] = [];
  const output = new RdbOutput((part) => parts.push(Buffer.from(part)), false);
  output.text(bytes, starts[scriptAt]!, ends[scriptAt]!);
  output.int64(startMs);
  output.int64(interval);
  const texts = (from: number, to: number): void => {
    output.length(Math.max(0, to - from));
    for (let i = from; i < to; i++) output.text(bytes, starts[i]!, ends[i]!);
  };
  const keysAt = scriptAt + 2;
  texts(keysAt, keysAt + keyCount);
  texts(keysAt + keyCount, argc);
  output.flush();
  return Buffer.concat(parts);
}

/** KEYDB.HRENAME key field name */
function renameField(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const place = findField(db, entry, bytes, starts[2]!, ends[2]!);
  if (place < 0) return engine.fail("ERR hash key doesn't exist");
  const value = fieldValue(db, entry, place, engine.slice).copy();
  removeField(db, entry, bytes, starts[2]!, ends[2]!);
  putField(db, entry, bytes, starts[3]!, ends[3]!, value, 0, value.length);
  return APPLIED;
}
