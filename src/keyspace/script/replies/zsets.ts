import { format17g, formatShortest } from '../../../kernels/doubles.js';
import { Glob } from '../../../model/glob.js';
import type { CommandSpans } from '../../../resp/command.js';
import { memberBoundAt, ranksByMember, ranksByScore, scoreBoundAt } from '../../commands/zset-bounds.js';
import type { Engine } from '../../engine.js';
import { ZSET } from '../../forms.js';
import { indexAt } from '../../integers.js';
import { scoreOf, ZsetView, zsetSize } from '../../zsets.js';
import { Failure, type Reply } from '../reply.js';
import { scanPattern } from './keys.js';
import {
  applied,
  NOT_INTEGER,
  ofKind,
  type ReplyRow,
  rangeAt,
  reads,
  SYNTAX,
  sizeAt,
  writes,
} from './row.js';

/** Replies of commands on sorted sets. */
export const zsetReplies: readonly ReplyRow[] = [
  reads(
    'ZCARD',
    ofKind(ZSET, 0, (engine, _command, entry) => zsetSize(engine.db, entry)),
  ),
  reads(
    'ZSCORE',
    ofKind(ZSET, null, (engine, command, entry) => scoreReply(engine, command, entry, 2)),
  ),
  reads(
    'ZRANK',
    ofKind(ZSET, null, (engine, command, entry) => rankOf(engine, command, entry, false)),
  ),
  reads(
    'ZREVRANK',
    ofKind(ZSET, null, (engine, command, entry) => rankOf(engine, command, entry, true)),
  ),
  reads('ZRANGE', (engine, command) => rangeByRank(engine, command, false)),
  reads('ZREVRANGE', (engine, command) => rangeByRank(engine, command, true)),
  reads('ZRANGEBYSCORE', (engine, command) => rangeByBounds(engine, command, 'score', false)),
  reads('ZREVRANGEBYSCORE', (engine, command) => rangeByBounds(engine, command, 'score', true)),
  reads('ZRANGEBYLEX', (engine, command) => rangeByBounds(engine, command, 'member', false)),
  reads('ZREVRANGEBYLEX', (engine, command) => rangeByBounds(engine, command, 'member', true)),
  reads('ZCOUNT', (engine, command) => countBetween(engine, command, 'score')),
  reads('ZLEXCOUNT', (engine, command) => countBetween(engine, command, 'member')),
  reads('ZSCAN', ofKind(ZSET, ['0', []], scan)),
  writes('ZADD', add),
  writes('GEOADD', add),
  writes('ZINCRBY', (engine, command) => {
    const failure = applied(engine, command);
    return failure ?? scoreReply(engine, command, engine.find(command, 1), 3);
  }),
  ...['ZREM', 'ZREMRANGEBYRANK', 'ZREMRANGEBYSCORE', 'ZREMRANGEBYLEX'].map((name) => writes(name, shrinks)),
  ...['ZUNIONSTORE', 'ZINTERSTORE'].map((name) =>
    writes(name, (engine, command) => applied(engine, command) ?? sizeOf(engine, command)),
  ),
  writes('ZPOPMIN', (engine, command) => pop(engine, command, false)),
  writes('ZPOPMAX', (engine, command) => pop(engine, command, true)),
];

const view = new ZsetView();

function sizeOf(engine: Engine, command: CommandSpans): number {
  return sizeAt(engine, command, 1, ZSET, zsetSize);
}

/** A score as the server prints it. */
export function scoreText(engine: Engine, score: number): string {
  return engine.scoreText === '17g' ? format17g(score) : formatShortest(score);
}

function scoreAt(engine: Engine, command: CommandSpans, entry: number, i: number): number {
  return scoreOf(engine.db, entry, command.bytes, command.starts[i]!, command.ends[i]!);
}

function scoreReply(engine: Engine, command: CommandSpans, entry: number, i: number): string | null {
  const score = scoreAt(engine, command, entry, i);
  return Number.isNaN(score) ? null : scoreText(engine, score);
}

function rankOf(engine: Engine, command: CommandSpans, entry: number, reverse: boolean): Reply {
  const score = scoreAt(engine, command, entry, 2);
  if (Number.isNaN(score)) return null;
  view.open(engine.db, entry);
  const rank = view.firstAbove(
    ({ score: other, member }) =>
      other > score ||
      (other === score &&
        member.bytes.compare(command.bytes, command.starts[2]!, command.ends[2]!, member.start, member.end) >=
          0),
  );
  return reverse ? view.size - 1 - rank : rank;
}

/** Members of ranks `[from, to)` with their scores if those are wanted, from the back if `reverse`. */
function slice(
  engine: Engine,
  entry: number,
  from: number,
  to: number,
  scores: boolean,
  reverse: boolean,
): Reply {
  if (from >= to) return [];
  view.open(engine.db, entry).select(from, to);
  const replies: string[] = [];
  for (let n = 0; n < to - from; n++) {
    view.seek(reverse ? to - 1 - n : from + n);
    replies.push(view.member.latin1());
    if (scores) replies.push(scoreText(engine, view.score));
  }
  return replies;
}

function rangeByRank(engine: Engine, command: CommandSpans, reverse: boolean): Reply {
  const scores = command.argc > 4;
  if (scores && (command.argc > 5 || !command.is(4, 'WITHSCORES'))) return SYNTAX;
  if (Number.isNaN(indexAt(command, 2) + indexAt(command, 3))) return NOT_INTEGER;
  return ofKind(ZSET, [], (_engine, _command, entry) => {
    const size = zsetSize(engine.db, entry);
    const [from, to] = rangeAt(command, 2, size)!;
    return reverse
      ? slice(engine, entry, size - 1 - to, size - from, scores, true)
      : slice(engine, entry, from, to + 1, scores, false);
  })(engine, command);
}

type Bounds = 'score' | 'member';

/** Ranks `[from, to)` between arguments `low` and `high`, for an entry that may be absent; a failure when they are no bounds. */
function ranksBetween(
  engine: Engine,
  command: CommandSpans,
  by: Bounds,
  low: number,
  high: number,
): readonly [number, number, number] | Failure {
  const entry = engine.find(command, 1);
  const open = (): ZsetView => view.open(engine.db, entry);
  const isZset = entry >= 0 && engine.db.kindAt(entry) === ZSET;
  if (by === 'score') {
    const min = scoreBoundAt(command, low);
    const max = scoreBoundAt(command, high);
    if (min === null || max === null) return new Failure('ERR min or max is not a float');
    return isZset ? [entry, ...ranksByScore(open(), min, max)] : [entry, 0, 0];
  }
  const min = memberBoundAt(command, low);
  const max = memberBoundAt(command, high);
  if (min === null || max === null) return new Failure('ERR min or max not valid string range item');
  return isZset ? [entry, ...ranksByMember(open(), min, max)] : [entry, 0, 0];
}

function countBetween(engine: Engine, command: CommandSpans, by: Bounds): Reply {
  const ranks = ranksBetween(engine, command, by, 2, 3);
  if (ranks instanceof Failure) return ranks;
  return ofKind(ZSET, 0, () => Math.max(0, ranks[2] - ranks[1]))(engine, command);
}

function rangeByBounds(engine: Engine, command: CommandSpans, by: Bounds, reverse: boolean): Reply {
  const ranks = ranksBetween(engine, command, by, reverse ? 3 : 2, reverse ? 2 : 3);
  if (ranks instanceof Failure) return ranks;
  let scores = false;
  let offset = 0;
  let limit = -1;
  for (let i = 4; i < command.argc; i++) {
    if (by === 'score' && command.is(i, 'WITHSCORES')) scores = true;
    else if (command.is(i, 'LIMIT') && i + 2 < command.argc) {
      offset = indexAt(command, ++i);
      limit = indexAt(command, ++i);
      if (Number.isNaN(offset + limit)) return NOT_INTEGER;
    } else return SYNTAX;
  }
  return ofKind(ZSET, [], (_engine, _command, entry) => {
    let [, from, to] = ranks;
    if (offset < 0) return [];
    if (reverse) {
      to -= offset;
      if (limit >= 0) from = Math.max(from, to - limit);
    } else {
      from += offset;
      if (limit >= 0) to = Math.min(to, from + limit);
    }
    return slice(engine, entry, from, to, scores, reverse);
  })(engine, command);
}

function scan(engine: Engine, command: CommandSpans, entry: number): Reply {
  const pattern = scanPattern(command, 3);
  if (typeof pattern !== 'string') return pattern;
  const glob = new Glob(pattern);
  const all = slice(engine, entry, 0, zsetSize(engine.db, entry), true, false) as string[];
  const matching: string[] = [];
  for (let i = 0; i < all.length; i += 2) {
    if (glob.matches(Buffer.from(all[i]!, 'latin1'))) matching.push(all[i]!, all[i + 1]!);
  }
  return ['0', matching];
}

/** How many members are new; with CH how many changed, too; with INCR the score. */
function add(engine: Engine, command: CommandSpans): Reply {
  const isGeo = command.is(0, 'GEOADD');
  const step = isGeo ? 3 : 2;
  let first = 2;
  let changes = false;
  let increments = false;
  let ifAbsent = false;
  for (; first < command.argc; first++) {
    if (command.is(first, 'CH')) changes = true;
    else if (command.is(first, 'INCR')) increments = true;
    else if (command.is(first, 'NX')) ifAbsent = true;
    else if (!['XX', 'GT', 'LT'].some((option) => command.is(first, option))) break;
  }
  const entry = engine.find(command, 1);
  const isZset = entry >= 0 && engine.db.kindAt(entry) === ZSET;
  const size = sizeOf(engine, command);
  const before = new Map<string, number>();
  for (let i = first + step - 1; isZset && (changes || increments) && i < command.argc; i += step) {
    before.set(command.latin1(i), scoreAt(engine, command, entry, i));
  }
  const failure = applied(engine, command);
  if (failure !== null) return failure;
  const now = engine.find(command, 1);
  if (increments) {
    const barred = ifAbsent && !Number.isNaN(before.get(command.latin1(first + 1)) ?? Number.NaN);
    return now < 0 || barred ? null : scoreReply(engine, command, now, first + 1);
  }
  let changed = sizeOf(engine, command) - size;
  if (changes && now >= 0) {
    for (const [member, score] of before) {
      const bytes = Buffer.from(member, 'latin1');
      if (!Number.isNaN(score) && scoreOf(engine.db, now, bytes, 0, bytes.length) !== score) changed++;
    }
  }
  return changed;
}

function shrinks(engine: Engine, command: CommandSpans): Reply {
  const size = sizeOf(engine, command);
  return applied(engine, command) ?? size - sizeOf(engine, command);
}

function pop(engine: Engine, command: CommandSpans, highest: boolean): Reply {
  const entry = engine.find(command, 1);
  const size = sizeOf(engine, command);
  const count = Math.min(size, command.argc > 2 ? Math.max(0, indexAt(command, 2) || 0) : 1);
  const taken =
    size === 0 ? [] : slice(engine, entry, highest ? size - count : 0, highest ? size : count, true, highest);
  return applied(engine, command) ?? taken;
}
