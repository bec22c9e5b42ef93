import { parseDouble } from '../../kernels/doubles.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Database } from '../database.js';
import type { Engine } from '../engine.js';
import { PACKED_ZSET, SET, ZSET } from '../forms.js';
import { indexAt } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { SetCursor, setHas, setSize } from '../sets.js';
import { packZset, putMember, removeMember, scoreOf, ZsetCursor, zsetSize } from '../zsets.js';
import { beginResult, storeResult } from './result.js';
import type { CommandRow } from './row.js';

/** Commands that combine sets and sorted sets into one. */
export const zsetStoreCommands: readonly CommandRow[] = [
  { name: 'ZUNIONSTORE', arity: -4, apply: (engine, command) => combine(engine, command, 'union') },
  { name: 'ZINTERSTORE', arity: -4, apply: (engine, command) => combine(engine, command, 'intersection') },
  { name: 'ZDIFFSTORE', arity: -4, apply: (engine, command) => combine(engine, command, 'difference') },
];

type Operation = 'union' | 'intersection' | 'difference';
type Aggregate = 'SUM' | 'MIN' | 'MAX';

interface Source {
  /** -1: no such key. */
  readonly entry: number;
  readonly size: number;
  weight: number;
}

function combine(engine: Engine, command: CommandSpans, operation: Operation): Outcome {
  const count = indexAt(command, 2);
  if (Number.isNaN(count)) return engine.notInteger();
  if (count < 1) {
    return engine.fail(`ERR at least 1 input key is needed for '${command.latin1(0).toLowerCase()}' command`);
  }
  if (count > command.argc - 3) return engine.syntaxError();
  const sources: Source[] = [];
  for (let i = 3; i < 3 + count; i++) {
    const entry = engine.find(command, i);
    const size = entry < 0 ? 0 : sizeOf(engine.db, entry);
    if (size < 0) return engine.wrongType();
    sources.push({ entry, size, weight: 1 });
  }
  const aggregate = parseTail(engine, command, 3 + count, sources, operation);
  if (typeof aggregate === 'number') return FAILED;
  // The order of a sum of floats shows in its last bits: servers add from the smallest set to the largest.
  if (operation !== 'difference') sources.sort((a, b) => a.size - b.size);
  const result = beginResult(engine, PACKED_ZSET);
  const { scratch } = engine.keyspace;
  // The server builds a skiplist and packs it at the end; only then can a -0 be lost.
  scratch.mark(result);
  if (operation === 'union') unite(engine, sources, aggregate, result);
  else if (operation === 'intersection') intersect(engine, sources, aggregate, result);
  else subtract(engine, sources, result);
  const size = zsetSize(scratch, result);
  packZset(scratch, result, engine.thresholds);
  storeResult(engine, command, 1, size);
  return APPLIED;
}

/** Members of a set or sorted set; -1 for anything else. */
function sizeOf(db: Database, entry: number): number {
  const kind = db.kindAt(entry);
  if (kind === ZSET) return zsetSize(db, entry);
  return kind === SET ? setSize(db, entry) : -1;
}

/** Reads WEIGHTS and AGGREGATE from argument `from` on. */
function parseTail(
  engine: Engine,
  command: CommandSpans,
  from: number,
  sources: readonly Source[],
  operation: Operation,
): Aggregate | Outcome {
  let aggregate: Aggregate = 'SUM';
  for (let i = from; i < command.argc; i++) {
    const left = command.argc - i - 1;
    if (operation !== 'difference' && left >= sources.length && command.is(i, 'WEIGHTS')) {
      for (const source of sources) {
        i++;
        source.weight = parseDouble(command.bytes, command.starts[i]!, command.ends[i]!);
        if (Number.isNaN(source.weight)) return engine.fail('ERR weight value is not a float');
      }
    } else if (operation !== 'difference' && left >= 1 && command.is(i, 'AGGREGATE')) {
      i++;
      const found = (['SUM', 'MIN', 'MAX'] as const).find((word) => command.is(i, word));
      if (found === undefined) return engine.syntaxError();
      aggregate = found;
    } else {
      return engine.syntaxError();
    }
  }
  return aggregate;
}

function merged(present: number, score: number, aggregate: Aggregate): number {
  if (aggregate === 'MIN') return score < present ? score : present;
  if (aggregate === 'MAX') return score > present ? score : present;
  const sum = present + score;
  return Number.isNaN(sum) ? 0 : sum;
}

/** 0 x inf counts as 0. */
function weighted(score: number, weight: number): number {
  const product = score * weight;
  return Number.isNaN(product) ? 0 : product;
}

/** Visits the members of a set or sorted set; those of a set score 1. */
class MemberCursor {
  private readonly set = new SetCursor();
  private readonly zset = new ZsetCursor();
  private isSet = false;
  score = 1;

  open(db: Database, entry: number): this {
    this.isSet = db.kindAt(entry) === SET;
    if (this.isSet) this.set.open(db, entry);
    else this.zset.open(db, entry);
    this.score = 1;
    return this;
  }

  get member() {
    return this.isSet ? this.set.member : this.zset.member;
  }

  next(): boolean {
    if (this.isSet) return this.set.next();
    if (!this.zset.next()) return false;
    this.score = this.zset.score;
    return true;
  }
}

const cursor = new MemberCursor();

function unite(engine: Engine, sources: readonly Source[], aggregate: Aggregate, result: number): void {
  const { scratch } = engine.keyspace;
  for (const { entry, size, weight } of sources) {
    if (size === 0) continue;
    cursor.open(engine.db, entry);
    while (cursor.next()) {
      const { bytes, start, end } = cursor.member;
      const score = weighted(cursor.score, weight);
      const present = scoreOf(scratch, result, bytes, start, end);
      const next = Number.isNaN(present) ? score : merged(present, score, aggregate);
      setExactly(engine, result, bytes, start, end, next, present);
    }
  }
}

function intersect(engine: Engine, sources: readonly Source[], aggregate: Aggregate, result: number): void {
  const [first, ...others] = sources;
  if (first === undefined || first.size === 0) return;
  const { db, thresholds } = engine;
  cursor.open(db, first.entry);
  next: while (cursor.next()) {
    const { bytes, start, end } = cursor.member;
    let score = weighted(cursor.score, first.weight);
    for (const other of others) {
      const found = scoreIn(db, other.entry, bytes, start, end);
      if (Number.isNaN(found)) continue next;
      score = merged(score, other.weight * found, aggregate);
    }
    putMember(engine.keyspace.scratch, result, bytes, start, end, score, thresholds);
  }
}

function scoreIn(db: Database, entry: number, bytes: Buffer, start: number, end: number): number {
  if (db.kindAt(entry) === ZSET) return scoreOf(db, entry, bytes, start, end);
  return setHas(db, entry, bytes, start, end) ? 1 : Number.NaN;
}

function subtract(engine: Engine, sources: readonly Source[], result: number): void {
  const [first, ...others] = sources;
  if (first === undefined || first.size === 0) return;
  const { db, thresholds } = engine;
  cursor.open(db, first.entry);
  next: while (cursor.next()) {
    const { bytes, start, end } = cursor.member;
    for (const { entry, size } of others) {
      if (size > 0 && !Number.isNaN(scoreIn(db, entry, bytes, start, end))) continue next;
    }
    putMember(engine.keyspace.scratch, result, bytes, start, end, cursor.score, thresholds);
  }
}

/** Sets a score even where it compares equal to the present one: 0 and -0 differ in a sum to come. */
function setExactly(
  engine: Engine,
  result: number,
  bytes: Buffer,
  start: number,
  end: number,
  score: number,
  present: number,
): void {
  const { scratch } = engine.keyspace;
  if (present === score && !Object.is(present, score)) removeMember(scratch, result, bytes, start, end);
  putMember(scratch, result, bytes, start, end, score, engine.thresholds);
}
