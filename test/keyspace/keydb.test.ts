import { describe, expect, test } from 'vitest';
import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../src/keyspace/load.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { type Depth, ITEMS, ItemSink, type KeyHead } from '../../src/model/handler.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { corpusBytes } from '../support/corpus.js';
import { decodeInto, memoryWriter } from '../support/rdb.js';
import { EngineDriver, NOW_MS } from './engine-driver.js';

/** When members go, one line each: `key member time`. */
class MemberTimes extends ItemSink {
  readonly lines: string[] = [];
  private name = '';

  static of(keyspace: Keyspace): string[] {
    const times = new MemberTimes();
    keyspace.walk(times).run();
    return times.lines.sort();
  }

  override key(head: KeyHead): Depth {
    this.name = head.key.latin1();
    return ITEMS;
  }

  override memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    this.lines.push(`${this.name} ${member.latin1()} ${expiresAtMs}`);
  }
}

function keydb(...commands: string[]): EngineDriver {
  const driver = new EngineDriver({ product: 'keydb', release: 603 });
  for (const command of commands) expect(driver.run(command), driver.engine.lastError).toBe(APPLIED);
  return driver;
}

const timesAfter = (...commands: string[]): string[] =>
  MemberTimes.of(keydb('SADD s a b c', 'PEXPIREMEMBERAT s a 5000', ...commands).engine.keyspace);

// What src/expire.cpp, src/db.cpp and src/cron.cpp of KeyDB 6.3 do; its logs in testdata hold these commands.
describe('members of KeyDB', () => {
  test('go at a time told in either unit, from now or absolute', () => {
    const { engine } = keydb(
      'HSET h f 1 g 2',
      'ZADD z 1 m',
      'SADD s a b c',
      'EXPIREMEMBER s a 10',
      'EXPIREMEMBER s b 10 ms',
      'EXPIREMEMBERAT h f 7',
      'PEXPIREMEMBERAT z m 9',
      'PEXPIREMEMBERAT z m 8',
      'PEXPIREMEMBERAT s nobody 8',
      'PEXPIREMEMBERAT nothing a 8',
    );
    expect(MemberTimes.of(engine.keyspace)).toEqual([
      'h f 7000',
      `s a ${NOW_MS + 10_000}`,
      `s b ${NOW_MS + 10}`,
      'z m 8',
    ]);
  });

  test.each([
    ['no integer', 'PEXPIREMEMBERAT s a soon'],
    ['another unit', 'EXPIREMEMBER s a 1 h'],
    ['a value without members', 'PEXPIREMEMBERAT text a 1'],
    ['too many words', 'PERSIST s a b'],
  ])('are refused: %s', (_, command) => {
    expect(keydb('SET text x', 'SADD s a').run(command)).toBe(FAILED);
  });

  test.each([
    ['moves', ['RENAME s t'], ['t a 5000']],
    ['is copied', ['COPY s t'], ['s a 5000', 't a 5000']],
    ['stays when the member goes and comes', ['SREM s a', 'SADD s a'], ['s a 5000']],
    ['stays as the set grows', [`SADD s ${'0123456789'.repeat(500)} d`], ['s a 5000']],
    ['goes with the key', ['DEL s', 'SADD s a'], []],
    ['goes with the last member', ['SREM s a b c', 'SADD s a'], []],
    ['goes with what replaces the value', ['SUNIONSTORE s s'], []],
    ['goes with a string in its place', ['SET s x'], []],
    ['is taken away', ['PERSIST s a'], []],
    ['is taken away with that of the key', ['PERSIST s'], []],
    ['is not that of another', ['PERSIST s b'], ['s a 5000']],
  ] as const)('a time %s', (_, commands, times) => {
    expect(timesAfter(...commands)).toEqual(times);
  });

  test('are not known elsewhere: PERSIST of Redis takes one key', () => {
    expect(new EngineDriver().run('PERSIST s a')).toBe(FAILED);
  });

  test('a field gets another name, and its value with it', () => {
    const driver = keydb('HSET h f 1 g 2', 'KEYDB.HRENAME h f e');
    expect(driver.run('KEYDB.HRENAME h f e')).toBe(FAILED);
    expect(driver.run('HINCRBY h e 4')).toBe(APPLIED);
  });
});

describe('jobs of KeyDB', () => {
  test.each([
    ['KEYDB.CRON job REPEAT 60 script 1 key arg', NOW_MS + 60],
    ['KEYDB.CRON job single 1000 60 script 1 key arg', 1060],
  ])('%s runs first when a member of its name goes', (command, first) => {
    const { engine } = keydb(command);
    expect(MemberTimes.of(engine.keyspace)).toEqual([`job job ${first}`]);
    const jobs: string[] = [];
    class Jobs extends ItemSink {
      override key(): Depth {
        return ITEMS;
      }
      override cron(script: ByteSlice, { interval }: { interval: Long }, keys: number): void {
        jobs.push(`${script.latin1()} ${interval} ${keys}`);
      }
      override element(value: ByteSlice): void {
        jobs.push(value.latin1());
      }
    }
    engine.keyspace.walk(new Jobs()).run();
    expect(jobs).toEqual(['script 60 1', 'key', 'arg']);
  });

  test.each([
    'KEYDB.CRON job SOMETIMES 60 script',
    'KEYDB.CRON job SINGLE soon script',
    'KEYDB.CRON job SINGLE 0 script',
    'KEYDB.CRON job SINGLE 60 script many',
    'KEYDB.CRON job SINGLE 60 script 2 key',
    'KEYDB.CRON job SINGLE 1 60',
  ])('%s is refused', (command) => {
    expect(keydb().run(command)).toBe(FAILED);
  });
});

describe('what a file of KeyDB tells of members', () => {
  const bytes = corpusBytes('keydb-6.3.4', 'types.rdb');

  async function loaded(file: Buffer): Promise<Keyspace> {
    const keyspace = new Keyspace();
    await decodeInto(new KeyspaceLoader(keyspace), file);
    return keyspace;
  }

  test('is kept, and written back', async () => {
    const keyspace = await loaded(bytes);
    const times = MemberTimes.of(keyspace);
    expect(times).toContain('cron:job cron:job 4102444900000');
    expect(times.length).toBeGreaterThan(2);

    const { writer, written } = memoryWriter('keydb-6.3', { copyValues: false });
    keyspace.walk(writer).run();
    writer.finish();
    expect(written().losses.map(({ what }) => what)).not.toContain('member-expiry');
    expect(MemberTimes.of(await loaded(written().bytes))).toEqual(times);
  });

  test('is a loss elsewhere, once for each', async () => {
    const keyspace = await loaded(bytes);
    const { writer, written } = memoryWriter('redis-6.2', { copyValues: false });
    keyspace.walk(writer).run();
    writer.finish();
    const lost = written().losses.filter(({ what }) => what === 'member-expiry');
    expect(lost.length).toBe(MemberTimes.of(keyspace).length);
  });

  test.each([
    ['keydb-6.3', 'PEXPIREMEMBERAT', 0],
    ['redis-7.0', '', 1],
  ])('in commands for %s', (server, command, lost) => {
    const memory = new MemoryTarget();
    const losses: string[] = [];
    const target = RDB_TARGETS.get(server)!;
    const emitter = new CommandEmitter(memory, { target, onLoss: (_head, what) => losses.push(what) });
    keydb('SADD s a b', 'PEXPIREMEMBERAT s a 5000').engine.keyspace.walk(emitter).run();
    emitter.finish();
    const text = memory.bytes().latin1Slice();
    if (command !== '')
      expect(text).toContain('$15\r\nPEXPIREMEMBERAT\r\n$1\r\ns\r\n$1\r\na\r\n$4\r\n5000\r\n');
    expect(losses.filter((what) => what === 'member-expiry').length).toBe(lost);
  });
});
