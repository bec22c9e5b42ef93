import { describe, expect, test } from 'vitest';
import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { idOfKey } from '../../src/keyspace/stream/group.js';
import { readIdText } from '../../src/keyspace/stream/id-text.js';
import { StreamLoader } from '../../src/keyspace/stream/loader.js';
import type { StreamValue } from '../../src/keyspace/stream/stream.js';
import { ItemSink, type StreamMeta } from '../../src/model/handler.js';
import { formatId, type StreamId } from '../../src/model/stream-id.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { EngineDriver, NOW_MS } from './engine-driver.js';

/** What a stream tells, one line per event. */
function told(stream: StreamValue): string[] {
  const lines: string[] = [];
  class Listener extends ItemSink {
    override streamEntry(id: StreamId, fieldCount: number): void {
      lines.push(`entry ${formatId(id)} ${fieldCount}`);
    }
    override streamField(name: ByteSlice, value: ByteSlice): void {
      lines.push(`field ${name.latin1()} ${value.latin1()}`);
    }
    override streamMeta(meta: StreamMeta): void {
      const ids = [meta.firstId, meta.lastId, meta.maxDeletedId].map((id) => formatId(id)).join(' ');
      lines.push(`meta ${meta.length} ${meta.entriesAdded} ${ids}`);
    }
    override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
      lines.push(`group ${name.latin1()} ${formatId(lastId)} ${entriesRead}`);
    }
    override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
      lines.push(`pending ${formatId(id)} ${deliveredAtMs} ${deliveryCount}`);
    }
    override streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
      lines.push(`consumer ${name.latin1()} ${seenAtMs} ${activeAtMs}`);
    }
    override streamConsumerPending(id: StreamId): void {
      lines.push(`owns ${formatId(id)}`);
    }
  }
  stream.tell(new Listener());
  return lines;
}

/** Passes everything a stream tells on to a loader. */
function reloaded(stream: StreamValue): StreamValue {
  const loader = new StreamLoader();
  class Relay extends ItemSink {
    override streamEntry = loader.streamEntry.bind(loader);
    override streamField = loader.streamField.bind(loader);
    override streamMeta = loader.streamMeta.bind(loader);
    override streamGroup = loader.streamGroup.bind(loader);
    override streamPending = loader.streamPending.bind(loader);
    override streamConsumer = loader.streamConsumer.bind(loader);
    override streamConsumerPending = loader.streamConsumerPending.bind(loader);
  }
  stream.tell(new Relay());
  return loader.finish();
}

function ids(stream: StreamValue): string[] {
  return told(stream).flatMap((line) => (line.startsWith('entry') ? [line.split(' ')[1]!] : []));
}

/** Two entries, one of them pending twice over, and a consumer without anything. */
function withGroups(driver: EngineDriver): void {
  driver.run('XADD s 5-1 a 1 b 2');
  driver.run('XADD s 5-2 a 3 b 4');
  driver.run('XADD s 7-0 q z');
  driver.run('XGROUP CREATE s work 0 ENTRIESREAD 0');
  driver.run('XGROUP CREATE s Audit $');
  driver.run('XGROUP CREATECONSUMER s work idle');
  driver.run('XCLAIM s work bob 0 5-2 TIME 1000 RETRYCOUNT 3 FORCE JUSTID LASTID 5-2');
  driver.run('XCLAIM s work alice 0 5-1 TIME 2000 RETRYCOUNT 1 FORCE JUSTID LASTID 5-1');
}

describe('a stream', () => {
  test('tells entries, counters, groups by name, pending entries by id', () => {
    const driver = new EngineDriver();
    withGroups(driver);
    driver.run('XDEL s 7-0');
    expect(told(driver.stream('s'))).toEqual([
      'entry 5-1 2',
      'field a 1',
      'field b 2',
      'entry 5-2 2',
      'field a 3',
      'field b 4',
      'meta 2 3 5-1 7-0 7-0',
      'group Audit 7-0 -1',
      'group work 5-2 0',
      'pending 5-1 2000 1',
      'pending 5-2 1000 3',
      `consumer alice ${NOW_MS} ${NOW_MS}`,
      'owns 5-1',
      `consumer bob ${NOW_MS} ${NOW_MS}`,
      'owns 5-2',
      `consumer idle ${NOW_MS} -1`,
    ]);
  });

  test('is the same after a loader took what it told, and goes on from there', () => {
    const driver = new EngineDriver();
    withGroups(driver);
    for (let i = 0; i < 500; i++)
      driver.run(`XADD s ${10 + (i >> 3)}-* n ${i} ${i % 7 === 0 ? 'extra x' : 'v y'}`);
    driver.run('XDEL s 11-3 40-0');
    const stream = driver.stream('s');
    const copy = reloaded(stream);
    expect(told(copy)).toEqual(told(stream));
    expect(copy.delete([readIdText(Buffer.from('20-1'), 0, 4)!])).toBe(1);
    copy.groups.get('work')!.pending.removeOf(copy.groups.get('work')!.consumers.get('bob')!);
    expect(told(copy)).not.toEqual(told(stream));
  });

  test('has copies that do not follow it', () => {
    const driver = new EngineDriver();
    withGroups(driver);
    const copy = driver.stream('s').clone();
    const before = told(copy);
    driver.run('XDEL s 5-1');
    driver.run('XACK s work 5-1 5-2');
    driver.run('XADD s 9-9 a b');
    expect(told(copy)).toEqual(before);
    expect(copy.trimToLength(0, false)).toBe(3);
    expect(ids(driver.stream('s'))).toEqual(['5-2', '7-0', '9-9']);
  });

  test('keeps 64-bit ids and counts', () => {
    const driver = new EngineDriver();
    driver.run('XADD s 9007199254740993-18446744073709551615 a 1');
    expect(driver.run('XADD s 9007199254740993-* a 2')).toBe(FAILED);
    driver.run('XADD s 18446744073709551615-0 a 3');
    driver.run('XSETID s 18446744073709551615-7 ENTRIESADDED 9223372036854775806');
    driver.run('XADD s 18446744073709551615-* a 4');
    expect(told(driver.stream('s')).filter((line) => !line.startsWith('field'))).toEqual([
      'entry 9007199254740993-18446744073709551615 1',
      'entry 18446744073709551615-0 1',
      'entry 18446744073709551615-8 1',
      'meta 3 9223372036854775807 9007199254740993-18446744073709551615 18446744073709551615-8 0-0',
    ]);
  });

  test('removes whole nodes only for an approximate trim, of a hundred entries or four kilobytes', () => {
    const driver = new EngineDriver();
    for (let i = 1; i <= 250; i++) driver.run(`XADD s ${i} f ${i}`);
    driver.run('XTRIM s MAXLEN ~ 101');
    expect(driver.stream('s').length).toBe(150);
    driver.run('XTRIM s MINID ~ 200');
    expect(driver.stream('s').length).toBe(150);
    driver.run('XTRIM s MINID ~ 201');
    expect(driver.stream('s').length).toBe(50);
    driver.run('XADD s MAXLEN = 3 LIMIT 5 251-1 f x');
    expect(ids(driver.stream('s'))).toEqual(['249-0', '250-0', '251-1']);
    for (let i = 300; i < 310; i++) driver.run('XADD', 'wide', `${i}`, 'f', 'x'.repeat(1500));
    driver.run('XTRIM wide MAXLEN ~ 1');
    expect(ids(driver.stream('wide'))).toEqual(['308-0', '309-0']);
  });

  test('stores names that repeat once a node', () => {
    const driver = new EngineDriver();
    for (let i = 0; i < 5000; i++)
      driver.run(`XADD s ${NOW_MS + i * 7}-0 temperature ${i} humidity ${i % 90}`);
    // A hundred entries a node: with their names they would not fit into its four kilobytes.
    expect(driver.stream('s').entries.blockCount).toBe(50);
  });

  test('stays when it is empty; its counters remember', () => {
    const driver = new EngineDriver();
    driver.run('XADD s 3-3 a b');
    driver.run('XDEL s 3-3');
    driver.run('XGROUP CREATE t g $ MKSTREAM');
    expect(told(driver.stream('s'))).toEqual(['meta 0 1 0-0 3-3 3-3']);
    expect(told(driver.stream('t'))).toEqual(['meta 0 0 0-0 0-0 0-0', 'group g 0-0 -1']);
    expect(driver.run('XADD s 3-3 a b')).toBe(FAILED);
  });

  test('does not appear by a command that is refused, or told not to create it', () => {
    const driver = new EngineDriver();
    for (const command of ['XADD s 0-0 a b', 'XADD s x a b', 'XADD s 1 a', 'XADD s MAXLEN 1 MINID 1 5 a b']) {
      expect(driver.run(command)).toBe(FAILED);
    }
    expect(driver.run('XADD s NOMKSTREAM 1 a b')).toBe(APPLIED);
    expect(driver.run('XGROUP CREATE s g 0')).toBe(FAILED);
    expect(driver.run('XTRIM s MAXLEN 0')).toBe(APPLIED);
    expect(driver.engine.keyspace.size).toBe(0);
    driver.run('SET s text');
    for (const command of ['XADD s 1 a b', 'XDEL s 1', 'XTRIM s MAXLEN 1', 'XSETID s 1', 'XACK s g 1']) {
      expect(driver.run(command)).toBe(FAILED);
      expect(driver.engine.lastError).toMatch(/^WRONGTYPE/);
    }
  });
});

describe('what releases do differently', () => {
  /** Claims 1-1, which is pending with alice and deleted, for bob. */
  const claimDeleted = (release: number): string[] => {
    const driver = new EngineDriver({ release });
    driver.run('XADD s 1-1 a b');
    driver.run('XGROUP CREATE s g 0');
    driver.run('XCLAIM s g alice 0 1-1 TIME 5 FORCE JUSTID');
    driver.run('XDEL s 1-1');
    driver.run('XCLAIM s g bob 0 1-1 TIME 6 RETRYCOUNT 2 FORCE JUSTID');
    return told(driver.stream('s')).filter((line) => /^(pending|owns|consumer)/.test(line));
  };

  test('a claim of a deleted entry moves it up to 6.2 and drops it since 7.0', () => {
    const seen = `${NOW_MS} ${NOW_MS}`;
    expect(claimDeleted(602)).toEqual([
      'pending 1-1 6 2',
      `consumer alice ${seen}`,
      `consumer bob ${seen}`,
      'owns 1-1',
    ]);
    expect(claimDeleted(700)).toEqual([`consumer alice ${seen}`]);
    expect(claimDeleted(702)).toEqual([`consumer alice ${seen}`, `consumer bob ${NOW_MS} -1`]);
  });

  test('XSETID below the highest deleted id is refused since 7.2', () => {
    const setBelow = (release: number): number => {
      const driver = new EngineDriver({ release });
      driver.run('XADD s 5-5 a b');
      driver.run('XDEL s 5-5');
      return driver.run('XSETID s 3-3');
    };
    expect(setBelow(700)).toBe(APPLIED);
    expect(setBelow(702)).toBe(FAILED);
  });

  test('a repeated idempotent XADD, which is logged with a star, adds nothing', () => {
    const driver = new EngineDriver();
    driver.run('XADD s IDMP producer one 1-1 a b');
    driver.run('XADD s IDMP producer one * a b');
    driver.run('XADD s IDMPAUTO producer 2-1 a b c d');
    driver.run('XADD s IDMPAUTO producer * c d a b');
    expect(ids(driver.stream('s'))).toEqual(['1-1', '2-1']);
  });
});

// The replies and the digests of these were asked of Redis 8.8 (its development of June 2026) with random commands:
// test/keyspace/recorded.test.ts.
describe('what Redis 8.2 to 8.8 added', () => {
  const driven = (...commands: string[]): EngineDriver => {
    const driver = new EngineDriver();
    for (const command of commands) expect(driver.run(command), driver.engine.lastError).toBe(APPLIED);
    return driver;
  };
  const three = [
    'XADD s 1-1 a b',
    'XADD s 2-1 a b',
    'XADD s 3-1 a b',
    'XGROUP CREATE s g 0',
    'XGROUP CREATE s h 3-1',
  ];
  const claim = (id: string) => `XCLAIM s g alice 0 ${id} TIME 5 RETRYCOUNT 2 FORCE JUSTID LASTID 3-1`;
  const pendingOf = (driver: EngineDriver): string[] =>
    [...driver.stream('s').groups.get('g')!.pending.inOrder()].map(([, entry]) => `${entry.deliveryCount}`);

  test.each([
    ['keeps references', 'XDELEX s IDS 2 1-1 9-9', ['2-1', '3-1'], 2],
    ['drops references', 'XDELEX s DELREF IDS 1 1-1', ['2-1', '3-1'], 1],
    ['leaves what is pending', 'XDELEX s ACKED IDS 3 1-1 2-1 3-1', ['1-1', '2-1'], 2],
    ['trims what is acknowledged', 'XTRIM s MAXLEN = 0 ACKED', ['1-1', '2-1'], 2],
    ['trims with references', 'XTRIM s MINID 3-1 DELREF', ['3-1'], 0],
    ['acknowledges and deletes', 'XACKDEL s g IDS 1 1-1', ['2-1', '3-1'], 1],
    ['acknowledges nothing that is not pending', 'XACKDEL s h IDS 1 1-1', ['1-1', '2-1', '3-1'], 2],
  ] as const)('a deletion %s', (_, command, left, pending) => {
    const driver = driven(...three, claim('1-1'), claim('2-1'), command);
    expect(ids(driver.stream('s'))).toEqual(left);
    expect(driver.stream('s').groups.get('g')!.pending.size).toBe(pending);
  });

  test('entries that are given back belong to nobody, in that order, until they are claimed', () => {
    const driver = driven(
      ...three,
      claim('1-1'),
      claim('2-1'),
      'XNACK s g FAIL IDS 2 2-1 1-1',
      'XNACK s g SILENT IDS 1 2-1',
      'XNACK s g FATAL IDS 2 3-1 8-8 FORCE',
    );
    const { pending } = driver.stream('s').groups.get('g')!;
    expect([...pending.released].map((key) => formatId(idOfKey(key)))).toEqual(['1-1', '2-1', '3-1']);
    expect(pendingOf(driver)).toEqual(['2', '1', '9223372036854775807']);
    expect(driver.run('XCLAIM s g bob 0 3-1')).toBe(APPLIED);
    expect(driver.run('XACK s g 1-1')).toBe(APPLIED);
    expect([...pending.released].map((key) => formatId(idOfKey(key)))).toEqual(['2-1']);
    expect(pendingOf(driver)).toEqual(['1', '9223372036854775807']);
  });

  test('messages are remembered, up to a number, and forgotten with other settings', () => {
    const driver = driven('XADD s IDMP p one 1-1 a b', 'XADD s IDMP p one * a b', 'XIDMPRECORD s q two 1-1');
    const told = () => {
      const { durationSeconds, entriesMax, added, duplicates } = driver.stream('s').remembered;
      return [durationSeconds, entriesMax, added, duplicates];
    };
    expect(told()).toEqual([100, 100, 2, 1]);
    expect(driver.run('XIDMPRECORD s q two 9-9')).toBe(FAILED);
    driver.run('XCFGSET s IDMP-MAXSIZE 1');
    driver.run('XADD s IDMP p one 2-1 a b');
    driver.run('XADD s IDMP p two 3-1 a b');
    driver.run('XADD s IDMP p one 4-1 a b');
    expect(told()).toEqual([100, 1, 5, 1]);
    expect(ids(driver.stream('s'))).toEqual(['1-1', '2-1', '3-1', '4-1']);
  });

  test('all of it goes into commands for Redis 8.8, and comes back', () => {
    const driver = driven(
      ...three,
      claim('1-1'),
      claim('2-1'),
      'XNACK s g FAIL IDS 2 2-1 1-1',
      'XCFGSET s IDMP-DURATION 60',
      'XADD s IDMP p one 4-1 a b',
    );
    const memory = new MemoryTarget();
    const losses: string[] = [];
    const target = RDB_TARGETS.get('redis-8.8')!;
    const emitter = new CommandEmitter(memory, { target, onLoss: (_head, what) => losses.push(what) });
    driver.engine.keyspace.walk(emitter).run();
    emitter.finish();
    expect(losses).toEqual([]);
    const again = new EngineDriver();
    for (const words of wordsOf(memory.bytes())) expect(again.run(...words)).toBe(APPLIED);
    const lines = (from: EngineDriver) =>
      told(from.stream('s')).map((line) => line.replace(/ \d{13} .*/, ''));
    expect(lines(again)).toEqual(lines(driver));
    expect(again.stream('s').remembered).toEqual(driver.stream('s').remembered);
    const { pending } = again.stream('s').groups.get('g')!;
    expect([...pending.released].map((key) => formatId(idOfKey(key)))).toEqual(['2-1', '1-1']);
  });
});

/** The words of commands in RESP that hold no line ends. */
function wordsOf(bytes: Buffer): string[][] {
  const lines = bytes.latin1Slice().split('\r\n');
  const commands: string[][] = [];
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('*')) commands.push([]);
    else if (lines[i - 1]?.startsWith('$') === true) commands.at(-1)!.push(line);
  }
  return commands;
}

describe('ids as text', () => {
  const parse = (text: string): string | null => {
    const bytes = Buffer.from(`[${text}]`, 'latin1');
    const id = readIdText(bytes, 1, bytes.length - 1);
    return id === null ? null : formatId(id);
  };

  test.each([
    ['5', '5-0'],
    ['5-6', '5-6'],
    ['007-01', '7-1'],
    ['+5', '5-0'],
    ['18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551615'],
  ])('%s is %s', (text, id) => {
    expect(parse(text)).toBe(id);
  });

  test.each([
    '',
    '-',
    '+',
    '5-',
    '-5',
    '5-*',
    '1-2-3',
    '18446744073709551616',
    '5-18446744073709551616',
    'x',
    '5 ',
  ])('%s is none', (text) => {
    expect(parse(text)).toBeNull();
  });
});

describe('a consumer that was never given anything', () => {
  test.each([
    [700, NOW_MS],
    [702, -1],
  ])('release %d: active at %d', (release, activeAtMs) => {
    const driver = new EngineDriver({ release });
    driver.run('XGROUP CREATE s g $ MKSTREAM');
    driver.run('XGROUP CREATECONSUMER s g c');
    expect(driver.stream('s').groups.get('g')!.consumers.get('c')!.activeAtMs).toBe(activeAtMs);
  });
});
