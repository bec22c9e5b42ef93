import { ByteSlice } from '../../../bytes/slice.js';
import { Glob } from '../../../model/glob.js';
import type { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { HASH_KIND, LIST, SET, STREAM, STRING, ZSET } from '../../forms.js';
import { indexAt } from '../../integers.js';
import { Failure, OK, type Reply, Status } from '../reply.js';
import { applied, confirms, NOT_INTEGER, type ReplyRow, reads, writes } from './row.js';

/** Replies of commands about keys, the connection and the server. */
export const keyReplies: readonly ReplyRow[] = [
  writes('DEL', remove),
  writes('UNLINK', remove),
  reads('EXISTS', count),
  reads('TOUCH', count),
  reads('TYPE', typeOf),
  reads('TTL', (engine, command) => remaining(engine, command, 1000)),
  reads('PTTL', (engine, command) => remaining(engine, command, 1)),
  ...['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT'].map((name) => writes(name, expire)),
  writes('PERSIST', persist),
  confirms('RENAME'),
  writes('RENAMENX', (engine, command) => {
    const taken = engine.find(command, 2) >= 0;
    return applied(engine, command) ?? (taken ? 0 : 1);
  }),
  writes('MOVE', vanishes),
  confirms('RESTORE'),
  confirms('FLUSHDB'),
  confirms('FLUSHALL'),
  confirms('SWAPDB'),
  reads('SELECT', (engine, command) => applied(engine, command) ?? OK),
  reads('DBSIZE', (engine) => engine.db.size),
  reads('KEYS', (engine, command) => keysLike(engine, command.latin1(1))),
  reads('RANDOMKEY', (engine) => keysLike(engine, '*')[0] ?? null),
  reads('SCAN', scan),
  reads('TIME', ({ nowMs }) => [String(Math.floor(nowMs / 1000)), String(Math.floor(nowMs % 1000) * 1000)]),
  reads('PING', (_engine, command) => (command.argc > 1 ? command.latin1(1) : new Status('PONG'))),
  reads('ECHO', (_engine, command) => command.latin1(1)),
  reads('PUBLISH', () => 0),
];

const MISSING = -2;
const ENDLESS = -1;

function remove(engine: Engine, command: CommandSpans): Reply {
  const { size } = engine.db;
  return applied(engine, command) ?? size - engine.db.size;
}

function count(engine: Engine, command: CommandSpans): Reply {
  let found = 0;
  for (let i = 1; i < command.argc; i++) if (engine.find(command, i) >= 0) found++;
  return found;
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [STRING]: 'string',
  [LIST]: 'list',
  [SET]: 'set',
  [ZSET]: 'zset',
  [HASH_KIND]: 'hash',
  [STREAM]: 'stream',
};

function typeOf(engine: Engine, command: CommandSpans): Reply {
  const entry = engine.find(command, 1);
  return new Status(entry < 0 ? 'none' : (TYPE_NAMES[engine.db.kindAt(entry)] ?? 'unknown'));
}

/** Nothing expires while a log is loaded: what is over has nothing left, and is still there. */
function remaining(engine: Engine, command: CommandSpans, unitMs: number): Reply {
  const entry = engine.find(command, 1);
  if (entry < 0) return MISSING;
  if (!engine.db.hasExpiry(entry)) return ENDLESS;
  const leftMs = Math.max(0, Number(engine.db.expiryAt(entry)) - engine.nowMs);
  return unitMs === 1 ? leftMs : Math.floor((leftMs + 500) / unitMs);
}

function expire(engine: Engine, command: CommandSpans): Reply {
  const found = engine.find(command, 1) >= 0;
  return applied(engine, command) ?? (found ? 1 : 0);
}

function persist(engine: Engine, command: CommandSpans): Reply {
  const entry = engine.find(command, 1);
  const expires = entry >= 0 && engine.db.hasExpiry(entry);
  return applied(engine, command) ?? (expires ? 1 : 0);
}

/** 1 when the key of argument 1 is gone afterwards and was there before. */
function vanishes(engine: Engine, command: CommandSpans): Reply {
  const { size } = engine.db;
  return applied(engine, command) ?? (engine.db.size < size ? 1 : 0);
}

/** The names of all keys of the selected database that match, in no particular order. */
function keysLike({ db }: Engine, pattern: string): string[] {
  const glob = new Glob(pattern);
  const key = new ByteSlice();
  const names: string[] = [];
  for (let entry = 0; entry < db.entriesEnd; entry++) {
    if (!db.isLive(entry)) continue;
    db.keyAt(entry, key);
    if (glob.matches(key.bytes, key.start, key.end)) names.push(key.latin1());
  }
  return names;
}

function scan(engine: Engine, command: CommandSpans): Reply {
  const pattern = scanPattern(command, 2);
  return typeof pattern === 'string' ? ['0', keysLike(engine, pattern)] : pattern;
}

/** The MATCH of a scan whose options begin at argument i: everything is told at once, so that the others do not matter. */
export function scanPattern(command: CommandSpans, i: number): string | Failure {
  if (Number.isNaN(indexAt(command, i - 1))) return new Failure('ERR invalid cursor');
  let pattern = '*';
  for (let at = i; at < command.argc; at += 2) {
    if (at + 1 >= command.argc) return new Failure('ERR syntax error');
    if (command.is(at, 'MATCH')) pattern = command.latin1(at + 1);
    else if (!command.is(at, 'COUNT')) return new Failure('ERR syntax error');
    else if (Number.isNaN(indexAt(command, at + 1))) return NOT_INTEGER;
  }
  return pattern;
}
