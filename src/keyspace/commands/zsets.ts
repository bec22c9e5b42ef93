import { parseDouble } from '../../kernels/doubles.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { PACKED_ZSET, ZSET } from '../forms.js';
import { indexAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { putMember, removeMember, removeRanks, scoreOf, zsetSize } from '../zsets.js';
import { type Ends, popFirst, popMany, waiting } from './pops.js';
import type { CommandRow } from './row.js';

/** Commands on the members of sorted sets. */
export const zsetCommands: readonly CommandRow[] = [
  { name: 'ZADD', arity: -4, apply: add },
  { name: 'ZINCRBY', arity: 4, apply: increment },
  { name: 'ZREM', arity: -3, apply: remove },
  { name: 'ZPOPMIN', arity: -2, apply: (engine, command) => pop(engine, command, true) },
  { name: 'ZPOPMAX', arity: -2, apply: (engine, command) => pop(engine, command, false) },
  {
    name: 'BZPOPMIN',
    arity: -3,
    apply: waiting(-1, (engine, command) => popFirst(engine, command, ZSETS, true)),
  },
  {
    name: 'BZPOPMAX',
    arity: -3,
    apply: waiting(-1, (engine, command) => popFirst(engine, command, ZSETS, false)),
  },
  { name: 'ZMPOP', arity: -4, apply: (engine, command) => popMany(engine, command, ZSETS, 1) },
  { name: 'BZMPOP', arity: -5, apply: waiting(1, (engine, command) => popMany(engine, command, ZSETS, 2)) },
];

const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;
const INCR = 16;

/** Scores of the command at hand, parsed before anything changes. */
let scores = new Float64Array(64);

function add(engine: Engine, command: CommandSpans): Outcome {
  let flags = 0;
  let i = 2;
  for (; i < command.argc; i++) {
    // A score starts with a sign, a digit, a point or i; no option does.
    if (command.bytes[command.starts[i]!]! < 65) break;
    if (command.is(i, 'NX')) flags |= NX;
    else if (command.is(i, 'XX')) flags |= XX;
    else if (command.is(i, 'GT')) flags |= GT;
    else if (command.is(i, 'LT')) flags |= LT;
    else if (command.is(i, 'INCR')) flags |= INCR;
    else if (!command.is(i, 'CH')) break;
  }
  const words = command.argc - i;
  if (words === 0 || words % 2 !== 0) return engine.syntaxError();
  if ((flags & NX) !== 0 && (flags & XX) !== 0) {
    return engine.fail('ERR XX and NX options at the same time are not compatible');
  }
  const order = flags & (GT | LT | NX);
  if (order !== 0 && (order & (order - 1)) !== 0) {
    return engine.fail('ERR GT, LT, and/or NX options at the same time are not compatible');
  }
  if ((flags & INCR) !== 0 && words > 2) {
    return engine.fail('ERR INCR option supports a single increment-element pair');
  }
  return addFrom(engine, command, i, flags);
}

function increment(engine: Engine, command: CommandSpans): Outcome {
  return addFrom(engine, command, 2, INCR);
}

/** Adds the pairs from argument `first` on. */
function addFrom(engine: Engine, command: CommandSpans, first: number, flags: number): Outcome {
  const { db, thresholds } = engine;
  const { bytes, starts, ends, argc } = command;
  const count = (argc - first) >> 1;
  if (count > scores.length) scores = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    const at = first + 2 * i;
    const score = parseDouble(bytes, starts[at]!, ends[at]!);
    if (Number.isNaN(score)) return engine.notFloat();
    scores[i] = score;
  }
  const entry =
    (flags & XX) === 0 ? db.findOrCreate(bytes, starts[1]!, ends[1]!, PACKED_ZSET) : engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== ZSET) return engine.wrongType();
  // Servers from 7.2 on choose the encoding for the whole command before its first member.
  if (count > thresholds.zsetMaxPackedEntries && engine.release >= 702) db.mark(entry);
  for (let i = 0; i < count; i++) {
    const at = first + 2 * i + 1;
    let score = scores[i]!;
    if (flags !== 0) {
      const present = scoreOf(db, entry, bytes, starts[at]!, ends[at]!);
      const exists = !Number.isNaN(present);
      if ((flags & INCR) !== 0 && exists) score += present;
      if (Number.isNaN(score)) return engine.fail('ERR resulting score is not a number (NaN)');
      if (exists ? (flags & NX) !== 0 : (flags & XX) !== 0) continue;
      if (exists && (flags & GT) !== 0 && score <= present) continue;
      if (exists && (flags & LT) !== 0 && score >= present) continue;
    }
    putMember(db, entry, bytes, starts[at]!, ends[at]!, score, thresholds);
  }
  return APPLIED;
}

function remove(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends, argc } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== ZSET) return engine.wrongType();
  for (let i = 2; i < argc; i++) removeMember(db, entry, bytes, starts[i]!, ends[i]!);
  if (zsetSize(db, entry) === 0) db.delete(entry);
  return APPLIED;
}

const ZSETS: Ends = { kind: ZSET, first: 'MIN', last: 'MAX', drop };

function drop(engine: Engine, entry: number, count: number, lowest: boolean): void {
  const { db } = engine;
  const size = zsetSize(db, entry);
  if (count >= size) {
    db.delete(entry);
    return;
  }
  if (lowest) removeRanks(db, entry, 0, count);
  else removeRanks(db, entry, size - count, size);
}

function pop(engine: Engine, command: CommandSpans, lowest: boolean): Outcome {
  if (command.argc > 3) return engine.syntaxError();
  const count = command.argc === 3 ? indexAt(command, 2) : 1;
  if (!(count >= 0)) return engine.fail('ERR value is out of range, must be positive');
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== ZSET) return engine.wrongType();
  drop(engine, entry, count, lowest);
  return APPLIED;
}
