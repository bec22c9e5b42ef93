import { Int64Words } from '../../kernels/decimal.js';
import { murmurHash64A } from '../../kernels/murmur.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { STRING } from '../forms.js';
import {
  cacheCardinality,
  DENSE,
  denseOf,
  emptyHyperLogLog,
  encodingOf,
  hasValidCache,
  histogramOf,
  invalidateCache,
  RegisterMaxima,
  raiseDense,
  registerOfHash,
  runOfHash,
  SparseRegisters,
} from '../hyperloglog.js';
import { estimate } from '../hyperloglog-estimate.js';
import { APPLIED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** Commands on HyperLogLog strings. PFCOUNT is one of them: it writes the cardinality it found into the string. */
export const hyperLogLogCommands: readonly CommandRow[] = [
  { name: 'PFADD', arity: -2, apply: pfadd },
  { name: 'PFMERGE', arity: -2, apply: pfmerge },
  { name: 'PFCOUNT', arity: -2, apply: pfcount },
  { name: 'PFDEBUG', arity: -3, apply: pfdebug },
];

const SEED = 0xadc83b19;
const NOT_HLL = 'WRONGTYPE Key is not a valid HyperLogLog string value.';
const CORRUPT = 'INVALIDOBJ Corrupted HLL object detected';

/** The first release whose PFMERGE of sparse strings is sparse. */
const KEEPS_MERGES_SPARSE = 400;

const hash = new Int64Words();

/** A HyperLogLog that is being changed, away from its place: sparse until it must become dense. */
class Draft {
  private readonly sparse = new SparseRegisters(0);
  private dense: Buffer | null = null;

  load(bytes: Buffer, start: number, end: number, sparseMaxBytes: number): void {
    this.dense = null;
    this.sparse.maxBytes = sparseMaxBytes;
    this.sparse.load(bytes, start, end);
  }

  /** False when the sparse form is corrupt. */
  becomeDense(): boolean {
    this.dense ??= denseOf(this.sparse.bytes, 0, this.sparse.length);
    return this.dense !== null;
  }

  /** 1: raised, 0: was that high already, -1: corrupt. */
  raise(register: number, count: number): -1 | 0 | 1 {
    if (this.dense === null) {
      const change = this.sparse.raise(register, count);
      if (change === 'same') return 0;
      if (change === 'raised') return 1;
      if (change === 'corrupt' || !this.becomeDense()) return -1;
    }
    return raiseDense(this.dense!, 0, register, count) ? 1 : 0;
  }

  /** Makes the key of argument 1 hold the draft, keeping its expiry. */
  store(engine: Engine, command: CommandSpans): void {
    const bytes = this.dense ?? this.sparse.bytes;
    const length = this.dense?.length ?? this.sparse.length;
    engine.db.setString(command.bytes, command.starts[1]!, command.ends[1]!, bytes, 0, length, true);
  }

  invalidate(): void {
    invalidateCache(this.dense ?? this.sparse.bytes, 0);
  }
}

const draft = new Draft();

/**
 * Sets `engine.slice` to the HyperLogLog of a key. Returns its encoding, null when there is no such key, or an error
 * message.
 */
function locate(engine: Engine, command: CommandSpans, i: number): number | null | string {
  const entry = engine.find(command, i);
  if (entry < 0) return null;
  if (engine.db.kindAt(entry) !== STRING)
    return 'WRONGTYPE Operation against a key holding the wrong kind of value';
  const { bytes, start, end } = engine.db.getString(entry, engine.slice);
  const encoding = encodingOf(bytes, start, end);
  return encoding < 0 ? NOT_HLL : encoding;
}

function loadDraft(engine: Engine, exists: boolean): void {
  const { hllSparseMaxBytes } = engine.thresholds;
  if (exists) draft.load(engine.slice.bytes, engine.slice.start, engine.slice.end, hllSparseMaxBytes);
  else draft.load(EMPTY, 0, EMPTY.length, hllSparseMaxBytes);
}

const EMPTY = emptyHyperLogLog();

function pfadd(engine: Engine, command: CommandSpans): Outcome {
  const encoding = locate(engine, command, 1);
  if (typeof encoding === 'string') return engine.fail(encoding);
  const { bytes, start } = engine.slice;
  const isDense = encoding === DENSE;
  if (!isDense) loadDraft(engine, encoding !== null);
  let changed = encoding === null;
  let corrupt = false;
  for (let i = 2; i < command.argc && !corrupt; i++) {
    murmurHash64A(command.bytes, command.starts[i]!, command.ends[i]!, SEED, hash);
    const register = registerOfHash(hash.low);
    const count = runOfHash(hash.high, hash.low);
    const raised = isDense ? Number(raiseDense(bytes, start, register, count)) : draft.raise(register, count);
    if (raised > 0) changed = true;
    else if (raised < 0) corrupt = true;
  }
  // A server that meets corruption half way keeps what it has added.
  if (changed && isDense) invalidateCache(bytes, start);
  else if (changed) {
    draft.invalidate();
    draft.store(engine, command);
  }
  return corrupt ? engine.fail(CORRUPT) : APPLIED;
}

function pfmerge(engine: Engine, command: CommandSpans): Outcome {
  const maxima = new RegisterMaxima();
  let anyDense = engine.release < KEEPS_MERGES_SPARSE;
  for (let i = 1; i < command.argc; i++) {
    const encoding = locate(engine, command, i);
    if (encoding === null) continue;
    if (typeof encoding === 'string') return engine.fail(encoding);
    if (encoding === DENSE) anyDense = true;
    const { bytes, start, end } = engine.slice;
    if (!maxima.merge(bytes, start, end)) return engine.fail(CORRUPT);
  }
  const target = locate(engine, command, 1);
  const { values } = maxima;
  if (target === DENSE) {
    const { bytes, start } = engine.slice;
    for (let i = 0; i < values.length; i++) if (values[i]! > 0) raiseDense(bytes, start, i, values[i]!);
    invalidateCache(bytes, start);
    return APPLIED;
  }
  loadDraft(engine, target !== null);
  if (anyDense && !draft.becomeDense()) return engine.fail(CORRUPT);
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) draft.raise(i, values[i]!);
  draft.invalidate();
  draft.store(engine, command);
  return APPLIED;
}

function pfcount(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc > 2) return APPLIED;
  const encoding = locate(engine, command, 1);
  if (encoding === null) return APPLIED;
  if (typeof encoding === 'string') return engine.fail(encoding);
  const { bytes, start, end } = engine.slice;
  if (hasValidCache(bytes, start)) return APPLIED;
  const histogram = histogramOf(bytes, start, end);
  if (histogram === null) return engine.fail(CORRUPT);
  cacheCardinality(bytes, start, estimate(histogram, engine.release));
  return APPLIED;
}

function pfdebug(engine: Engine, command: CommandSpans): Outcome {
  const encoding = locate(engine, command, 2);
  if (encoding === null) return engine.fail('ERR The specified key does not exist');
  if (typeof encoding === 'string') return engine.fail(encoding);
  if (command.argc !== 3) return engine.fail('ERR Wrong number of arguments');
  if (encoding === DENSE || !(command.is(1, 'TODENSE') || command.is(1, 'GETREG'))) return APPLIED;
  const dense = denseOf(engine.slice.bytes, engine.slice.start, engine.slice.end);
  if (dense === null) return engine.fail(CORRUPT);
  const { bytes, starts, ends } = command;
  engine.db.setString(bytes, starts[2]!, ends[2]!, dense, 0, dense.length, true);
  return APPLIED;
}
