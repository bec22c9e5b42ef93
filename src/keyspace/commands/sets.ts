import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { PACKED_SET, SET } from '../forms.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { addToSet, removeFromSet, SetCursor, setHas, setSize } from '../sets.js';
import { beginResult, storeResult } from './result.js';
import type { CommandRow } from './row.js';

/** Commands on sets. */
export const setCommands: readonly CommandRow[] = [
  { name: 'SADD', arity: -3, apply: add },
  { name: 'SREM', arity: -3, apply: remove },
  { name: 'SMOVE', arity: 4, apply: move },
  { name: 'SPOP', arity: -2, apply: pop },
  { name: 'SUNIONSTORE', arity: -3, apply: (engine, command) => store(engine, command, union) },
  { name: 'SINTERSTORE', arity: -3, apply: (engine, command) => store(engine, command, intersect) },
  { name: 'SDIFFSTORE', arity: -3, apply: (engine, command) => store(engine, command, subtract) },
];

function add(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends, argc } = command;
  const entry = db.findOrCreate(bytes, starts[1]!, ends[1]!, PACKED_SET);
  if (db.kindAt(entry) !== SET) return engine.wrongType();
  for (let i = 2; i < argc; i++) addToSet(db, entry, bytes, starts[i]!, ends[i]!);
  return APPLIED;
}

function remove(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends, argc } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== SET) return engine.wrongType();
  for (let i = 2; i < argc; i++) removeFromSet(db, entry, bytes, starts[i]!, ends[i]!);
  if (setSize(db, entry) === 0) db.delete(entry);
  return APPLIED;
}

function move(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  let target = engine.find(command, 2);
  if (db.kindAt(entry) !== SET || (target >= 0 && db.kindAt(target) !== SET)) return engine.wrongType();
  if (entry === target || !removeFromSet(db, entry, bytes, starts[3]!, ends[3]!)) return APPLIED;
  if (setSize(db, entry) === 0) db.delete(entry);
  if (target < 0) target = db.create(bytes, starts[2]!, ends[2]!, PACKED_SET);
  addToSet(db, target, bytes, starts[3]!, ends[3]!);
  return APPLIED;
}

/** Servers log what SPOP took, never SPOP: which members a foreign log means cannot be known. */
function pop(engine: Engine, command: CommandSpans): Outcome {
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== SET) return engine.wrongType();
  return engine.fail('ERR SPOP takes random members: its effect cannot be replayed');
}

/** Makes a set from others: entries in argument order, -1 for a key that does not exist. */
type Combination = (engine: Engine, sources: readonly number[], result: number) => void;

/** The first release that looks at the kinds of all keys of an intersection. */
const CHECKS_ALL_KINDS = 602;

function store(engine: Engine, command: CommandSpans, combine: Combination): Outcome {
  const sources: number[] = [];
  for (let i = 2; i < command.argc; i++) {
    const entry = engine.find(command, i);
    if (entry >= 0 && engine.db.kindAt(entry) !== SET) return engine.wrongType();
    sources.push(entry);
    // What stands behind a key that is not there was of no interest.
    if (entry < 0 && combine === intersect && engine.release < CHECKS_ALL_KINDS) break;
  }
  const result = beginResult(engine, PACKED_SET);
  combine(engine, sources, result);
  storeResult(engine, command, 1, setSize(engine.keyspace.scratch, result));
  return APPLIED;
}

const cursor = new SetCursor();

function union(engine: Engine, sources: readonly number[], result: number): void {
  for (const source of sources) if (source >= 0) addWhere(engine, source, result, everything);
}

function everything(): boolean {
  return true;
}

function intersect(engine: Engine, sources: readonly number[], result: number): void {
  if (sources.includes(-1)) return;
  const { db } = engine;
  const ordered = [...sources].sort((a, b) => setSize(db, a) - setSize(db, b));
  const { member } = cursor;
  addWhere(engine, ordered[0]!, result, () =>
    ordered.every((other, i) => i === 0 || setHas(db, other, member.bytes, member.start, member.end)),
  );
}

function subtract(engine: Engine, sources: readonly number[], result: number): void {
  const [first = -1, ...others] = sources;
  if (first < 0) return;
  const { member } = cursor;
  addWhere(
    engine,
    first,
    result,
    () =>
      !others.some((other) => other >= 0 && setHas(engine.db, other, member.bytes, member.start, member.end)),
  );
}

/** Adds the members of a set that pass a test of what the cursor stands on. */
function addWhere(engine: Engine, source: number, result: number, passes: () => boolean): void {
  cursor.open(engine.db, source);
  const { member } = cursor;
  const { scratch } = engine.keyspace;
  while (cursor.next()) {
    if (passes()) addToSet(scratch, result, member.bytes, member.start, member.end);
  }
}
