import { NO_CUT } from '../../../src/aof/cut.js';
import { singleFileSet } from '../../../src/aof/set.js';
import { MemorySource } from '../../../src/bytes/source.js';
import { MemoryTarget } from '../../../src/bytes/target.js';
import { END } from '../../../src/bytes/window.js';
import { FormatError } from '../../../src/errors.js';
import { CommandEmitter } from '../../../src/keyspace/emit.js';
import { Engine } from '../../../src/keyspace/engine.js';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../../src/keyspace/load.js';
import { Walk } from '../../../src/keyspace/walk.js';
import { DigestHandler } from '../../../src/model/digest.js';
import { ELEMENTS, type ItemHandler } from '../../../src/model/handler.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import { RdbWriter } from '../../../src/rdb/writer.js';
import { RDB_TARGETS } from '../../../src/rdb/writer-target.js';
import type { CommandSpans } from '../../../src/resp/command.js';
import { RespScanner, WHOLE } from '../../../src/resp/scanner.js';
import { rebuild } from '../../../src/tools/rebuild.js';
import { feed } from '../feed.js';
import { Fingerprint } from '../fingerprint.js';
import { command, commands } from '../grammars.js';
import { withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { argumentTokens, engineNames } from '../tokens.js';
import { still } from '../works.js';
import { logSeeds } from './resp.js';

const RELEASES = [9999, 804, 704, 702, 700, 602, 500, 208] as const;
const NOW_MS = 1772366400000;

/** Families of commands at small keys, so that they meet each other's values. */
const SEEDS: readonly (readonly string[])[] = [
  [
    'SET s abc',
    'APPEND s def',
    'SETRANGE s 10 x',
    'INCR n',
    'INCRBYFLOAT n 1.5',
    'GETDEL s',
    'SETEX s 10 v',
    'MSET a 1 b 2',
  ],
  [
    'RPUSH l a b c',
    'LPUSH l 1 2 3',
    'LINSERT l BEFORE a z',
    'LSET l 0 y',
    'LTRIM l 0 3',
    'LREM l 0 a',
    'RPOPLPUSH l l',
    'LMOVE l m LEFT RIGHT',
    'LPOP l 2',
  ],
  [
    'SADD s 1 2 3',
    'SADD s a',
    'SREM s 1',
    'SMOVE s t 2',
    'SUNIONSTORE u s t',
    'SINTERSTORE i s u',
    'SDIFFSTORE d s u',
    'SPOP s',
  ],
  [
    'ZADD z 1 a 2 b',
    'ZADD z XX CH INCR 3 a',
    'ZINCRBY z 2 b',
    'ZREM z a',
    'ZREMRANGEBYSCORE z -inf (5',
    'ZUNIONSTORE y 2 z z WEIGHTS 1 2',
    'ZRANGESTORE x z 0 -1',
    'ZPOPMIN z',
  ],
  [
    'HSET h f v g w',
    'HINCRBY h n 3',
    'HINCRBYFLOAT h n 1.5',
    'HDEL h f',
    'HSETNX h f x',
    'HPEXPIRE h 100000 FIELDS 1 g',
    'HPERSIST h FIELDS 1 g',
    'HGETDEL h FIELDS 1 g',
  ],
  [
    'XADD x 1-1 f v',
    'XADD x * f v',
    'XGROUP CREATE x g 0',
    'XREADGROUP GROUP g c STREAMS x >',
    'XACK x g 1-1',
    'XCLAIM x g d 0 1-1',
    'XTRIM x MAXLEN 1',
    'XDEL x 1-1',
    'XSETID x 9-9',
  ],
  [
    'SETBIT b 100 1',
    'BITOP NOT c b',
    'BITFIELD b SET u8 0 255 INCRBY i5 #1 3',
    'PFADD p a b c',
    'PFMERGE q p',
    'GEOADD g 13.36 38.11 P',
    'GEOSEARCHSTORE r g FROMMEMBER P BYRADIUS 1 km',
  ],
  [
    'SET k v',
    'EXPIRE k 100',
    'PERSIST k',
    'RENAME k j',
    'COPY j k',
    'MOVE k 1',
    'SELECT 1',
    'SWAPDB 0 1',
    'DEL k j',
    'FLUSHDB',
    'FLUSHALL',
  ],
  [
    'SORT l BY nosort STORE m',
    'RESTORE r 0 \0\x01a\x0b\0\0\0\0\0\0\0\0\0',
    'VADD v VALUES 2 1 2 e',
    'VADD v VALUES 2 3 4 f',
    'VREM v e',
    'VSETATTR v f {"a":1}',
  ],
];

function engineSeeds(): Buffer[] {
  const own = SEEDS.map((lines) => Buffer.concat(lines.map((line) => command(line.split(' ')))));
  return [...own, ...logSeeds().filter(({ length }) => length < 1000)];
}

/** Runs every command of a log; what does not scan ends it. */
function executed(bytes: Buffer, release: number): Keyspace {
  const keyspace = new Keyspace();
  const engine = new Engine(keyspace, { nowMs: NOW_MS, scoreText: '17g', release });
  const runner = {
    full: false,
    stopped: false,
    command: (spans: CommandSpans) => {
      // Scripts need a state of Lua each, which is a target of its own.
      if (spans.held !== spans.argc || /^(EVAL|FCALL|SCRIPT)/i.test(spans.latin1(0))) return;
      engine.execute(spans);
    },
    annotation: () => {},
    flaw: () => {},
  };
  try {
    feed(new RespScanner(runner, WHOLE), bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return keyspace;
}

function walked(keyspace: Keyspace, handler: ItemHandler): void {
  if (new Walk(keyspace, handler).run() !== END) throw new Broken('a walk went to its end');
}

function told(keyspace: Keyspace): string {
  // The graph of a vector set is laid anew when it is saved.
  const fingerprint = new Fingerprint(ELEMENTS, false);
  walked(keyspace, fingerprint);
  return fingerprint.text32;
}

function digestOf(keyspace: Keyspace): string {
  const digest = new DigestHandler({
    scoreText: '17g',
    fieldTtls: true,
    skipsExpiredFields: false,
    nowMs: null,
    onKey: null,
  });
  walked(keyspace, digest);
  return digest.result();
}

/** What commands leave is written as an RDB, read, held again, and says the same; as commands likewise. */
const engine: Target = {
  name: 'engine',
  modeBytes: 1,
  bytesMax: 1500,
  weight: 4,
  tokens: argumentTokens(),
  grammar: commands(engineNames()),
  seeds: () => withMode(engineSeeds(), [0], [1], [2], [3]),
  run(bytes) {
    const mode = bytes[0] ?? 0;
    const keyspace = executed(bytes.subarray(1), RELEASES[(mode >> 4) & 7]!);
    const before = told(keyspace);
    if ((mode & 1) === 0) return;
    const target = new MemoryTarget();
    const losses: string[] = [];
    const writer = new RdbWriter(target, {
      target: RDB_TARGETS.get('redis-8.8')!,
      compress: (mode & 2) !== 0,
      checksum: true,
      copyValues: false,
      aofBase: false,
      nowSeconds: NOW_MS / 1000,
      onLoss: (_head, what) => losses.push(what),
    });
    walked(keyspace, writer);
    writer.finish();
    const loaded = new Keyspace();
    const options = { verifyChecksum: true, deep: true };
    try {
      feed(new RdbDecoder(new KeyspaceLoader(loaded), options), Buffer.from(target.bytes()));
    } catch (error) {
      if (error instanceof FormatError)
        throw new Broken('what commands left is written so that it reads', `${error.code} ${error.offset}`);
      throw error;
    }
    if (losses.length > 0) return;
    if (told(loaded) !== before)
      throw new Broken('what commands left is the same once it was saved', [before, told(loaded)]);
    if ((mode & 4) !== 0 && digestOf(loaded) !== digestOf(keyspace))
      throw new Broken('a digest is the same once it was saved');
  },
};

/** The same through the tool: files, transactions, cuts; and again from the commands that would build it up. */
const replay: Target = {
  name: 'replay',
  modeBytes: 1,
  bytesMax: 1500,
  tokens: [...argumentTokens(), Buffer.from('MULTI'), Buffer.from('EXEC'), Buffer.from('#TS:1772366400\r\n')],
  grammar: commands([...engineNames(), 'MULTI', 'EXEC', 'DISCARD', 'EVAL']),
  seeds: () => withMode(engineSeeds(), [0], [1]),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const set = await singleFileSet(new MemorySource(bytes.subarray(1), 'appendonly.aof'));
    const options = { cut: NO_CUT, as: null, onUnknown: 'skip', dialect: null } as const;
    const { keyspace, skipped } = await rebuild(set, options, still);
    if ((mode & 1) === 0 || skipped.length > 0) return;
    const log = new MemoryTarget();
    let losses = 0;
    const emitter = new CommandEmitter(log, {
      target: RDB_TARGETS.get('redis-8.8')!,
      onLoss: () => losses++,
    });
    walked(keyspace, emitter);
    emitter.finish();
    const again = await rebuild(
      await singleFileSet(new MemorySource(log.bytes(), 'appendonly.aof')),
      options,
      still,
    );
    if (again.refusedCount > 0 || again.skipped.length > 0)
      throw new Broken('commands that were emitted are executed', again.refused);
    if (losses > 0) return;
    const [before, after] = [digestOf(keyspace), digestOf(again.keyspace)];
    if (before !== after) throw new Broken('commands that were emitted build the same', [before, after]);
  },
};

export const targets: readonly Target[] = [engine, replay];
