import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { PACKED_ZSET, ZSET } from '../forms.js';
import { indexAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { putMember, removeByScore, removeRanks, ZsetView, zsetSize } from '../zsets.js';
import { beginResult, storeResult } from './result.js';
import type { CommandRow } from './row.js';
import { memberBoundAt, ranksByMember, ranksByScore, scoreBoundAt } from './zset-bounds.js';

/** Commands on ranges of sorted sets. */
export const zsetRangeCommands: readonly CommandRow[] = [
  { name: 'ZREMRANGEBYRANK', arity: 4, apply: removeByRank },
  { name: 'ZREMRANGEBYSCORE', arity: 4, apply: removeScores },
  { name: 'ZREMRANGEBYLEX', arity: 4, apply: removeByMember },
  { name: 'ZRANGESTORE', arity: -5, apply: store },
];

const view = new ZsetView();

function removeFrom(engine: Engine, entry: number, [from, to]: readonly [number, number]): Outcome {
  const { db } = engine;
  if (from < to) removeRanks(db, entry, from, to);
  if (zsetSize(db, entry) === 0) db.delete(entry);
  return APPLIED;
}

/** Ranks `[from, to)` of a range with both ends in it and negative ones counted from the end. */
function ranksByIndex(start: number, stop: number, size: number): [number, number] {
  const from = start < 0 ? Math.max(0, start + size) : start;
  const to = stop < 0 ? stop + size : stop;
  return [from, Math.min(size, to + 1)];
}

function removeByRank(engine: Engine, command: CommandSpans): Outcome {
  const start = indexAt(command, 2);
  const stop = indexAt(command, 3);
  if (Number.isNaN(start) || Number.isNaN(stop)) return engine.notInteger();
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== ZSET) return engine.wrongType();
  return removeFrom(engine, entry, ranksByIndex(start, stop, zsetSize(engine.db, entry)));
}

function removeScores(engine: Engine, command: CommandSpans): Outcome {
  const min = scoreBoundAt(command, 2);
  const max = scoreBoundAt(command, 3);
  if (min === null || max === null) return engine.fail('ERR min or max is not a float');
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  const { db } = engine;
  if (db.kindAt(entry) !== ZSET) return engine.wrongType();
  if (db.formAt(entry) === PACKED_ZSET) {
    removeByScore(db, entry, min.score, min.excluded, max.score, max.excluded);
    if (zsetSize(db, entry) === 0) db.delete(entry);
    return APPLIED;
  }
  return removeFrom(engine, entry, ranksByScore(view.open(db, entry), min, max));
}

function removeByMember(engine: Engine, command: CommandSpans): Outcome {
  const min = memberBoundAt(command, 2);
  const max = memberBoundAt(command, 3);
  if (min === null || max === null) return engine.fail('ERR min or max not valid string range item');
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== ZSET) return engine.wrongType();
  return removeFrom(engine, entry, ranksByMember(view.open(engine.db, entry), min, max));
}

/** What ZRANGESTORE asks for beyond its two ends. */
interface RangeOptions {
  by: 'rank' | 'score' | 'member';
  reverse: boolean;
  offset: number;
  limit: number;
}

function parseRange(engine: Engine, command: CommandSpans): RangeOptions | Outcome {
  const options: RangeOptions = { by: 'rank', reverse: false, offset: 0, limit: -1 };
  for (let i = 5; i < command.argc; i++) {
    if (!options.reverse && command.is(i, 'REV')) options.reverse = true;
    else if (options.by === 'rank' && command.is(i, 'BYSCORE')) options.by = 'score';
    else if (options.by === 'rank' && command.is(i, 'BYLEX')) options.by = 'member';
    else if (command.is(i, 'LIMIT') && i + 2 < command.argc) {
      options.offset = indexAt(command, ++i);
      options.limit = indexAt(command, ++i);
      if (Number.isNaN(options.offset + options.limit)) return engine.notInteger();
    } else return engine.syntaxError();
  }
  if (options.by === 'rank') options.offset = 0;
  if (options.by === 'rank' && options.limit !== -1) {
    return engine.fail(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    );
  }
  return options;
}

function store(engine: Engine, command: CommandSpans): Outcome {
  const options = parseRange(engine, command);
  if (typeof options === 'number') return options;
  const { db, thresholds } = engine;
  const { reverse } = options;
  const entry = engine.find(command, 2);
  const ranks = ranksOf(engine, command, entry, options);
  if (typeof ranks === 'number') return ranks;
  let [from, to] = ranks;
  if (options.offset < 0 || from >= to) {
    to = from;
  } else if (reverse) {
    to -= options.offset;
    if (options.limit >= 0) from = Math.max(from, to - options.limit);
  } else {
    from += options.offset;
    if (options.limit >= 0) to = Math.min(to, from + options.limit);
  }
  const result = beginResult(engine, PACKED_ZSET);
  const { scratch } = engine.keyspace;
  if (from < to) {
    if (to - from > thresholds.zsetMaxPackedEntries && engine.release >= 702) scratch.mark(result);
    view.open(db, entry).select(from, to);
    for (let n = 0; n < to - from; n++) {
      view.seek(reverse ? to - 1 - n : from + n);
      const { bytes, start, end } = view.member;
      putMember(scratch, result, bytes, start, end, view.score, thresholds);
    }
  }
  storeResult(engine, command, 1, zsetSize(scratch, result));
  return APPLIED;
}

/** The ranks that ZRANGESTORE means, before its limit; an outcome when it is refused. */
function ranksOf(
  engine: Engine,
  command: CommandSpans,
  entry: number,
  { by, reverse }: RangeOptions,
): readonly [number, number] | Outcome {
  const { db } = engine;
  const wrong = entry >= 0 && db.kindAt(entry) !== ZSET;
  const size = entry < 0 || wrong ? 0 : zsetSize(db, entry);
  const [low, high] = reverse && by !== 'rank' ? [4, 3] : [3, 4];
  if (by === 'score') {
    const min = scoreBoundAt(command, low);
    const max = scoreBoundAt(command, high);
    if (min === null || max === null) return engine.fail('ERR min or max is not a float');
    if (wrong) return engine.wrongType();
    return size === 0 ? [0, 0] : ranksByScore(view.open(db, entry), min, max);
  }
  if (by === 'member') {
    const min = memberBoundAt(command, low);
    const max = memberBoundAt(command, high);
    if (min === null || max === null) return engine.fail('ERR min or max not valid string range item');
    if (wrong) return engine.wrongType();
    return size === 0 ? [0, 0] : ranksByMember(view.open(db, entry), min, max);
  }
  const start = indexAt(command, 3);
  const stop = indexAt(command, 4);
  if (Number.isNaN(start) || Number.isNaN(stop)) return engine.notInteger();
  if (wrong) return engine.wrongType();
  const [from, to] = ranksByIndex(start, stop, size);
  return reverse ? [size - to, size - from] : [from, to];
}
