import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusBytes, corpusPath } from '../support/corpus.js';
import { resp } from '../support/resp.js';
import { alike } from '../support/same.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { BAD, damagedLog, dataDirectory, FIRST, REST, repair } from './repair-room.js';

let home = '';
beforeEach(() => (home = temporaryDirectory('repair')));

const read = (...path: string[]): string => readFileSync(join(home, ...path), 'latin1');
const exists = (name: string): boolean => readdirSync(home).includes(name);

describe('a plan', () => {
  it('tells what each way out costs, changes nothing, and ends with 1', async () => {
    const source = dataDirectory(home);
    const before = tree(home);
    const answer = await repair(source);
    expect(answer).toMatchObject({ exit: 1, ok: false, output: null, refusal: null });
    expect(answer.strategies).toMatchObject([
      {
        name: 'truncate',
        possible: true,
        lostBytes: (BAD + REST).length + resp('SELECT 0', 'SET d 4').length,
      },
      { name: 'skip', possible: true, lostBytes: BAD.length },
    ]);
    expect(
      answer.actions.map(({ file, kind, lostCommands }) => [basename(file), kind, lostCommands]),
    ).toEqual([
      ['appendonly.aof.1.incr.aof', 'truncate', 3],
      ['appendonly.aof.2.incr.aof', 'leave-out', 2],
      ['appendonly.aof.manifest', 'rebuild-manifest', 0],
    ]);
    alike(tree(home), before);
  });

  it('ends with 0 where there is nothing to repair', async () => {
    expect(await repair(corpusPath('redis-7.0.15', 'workload'))).toMatchObject({
      exit: 0,
      ok: true,
      actions: [],
    });
    expect(await repair(corpusPath('redis-7.0.15', 'small.rdb'))).toMatchObject({
      exit: 0,
      ok: true,
      actions: [],
    });
  });
});

describe('a packed file', () => {
  const laid = (bytes: Buffer): string => {
    const path = join(home, 'log.aof.gz');
    writeFileSync(path, bytes);
    return path;
  };

  it('is repaired as it would be unpacked', async () => {
    const path = laid(gzipSync(FIRST + BAD + REST));
    const plan = await repair(path);
    expect(plan).toMatchObject({ exit: 1, strategies: [{ name: 'truncate' }, { name: 'skip' }] });
    expect(plan.strategies[1]).toMatchObject({ possible: true, lostBytes: BAD.length });
    const out = join(home, 'fixed.aof');
    expect(await repair(path, '--strategy', 'skip', '--out', out)).toMatchObject({ exit: 0 });
    expect(read('fixed.aof')).toBe(FIRST + REST);
  });

  it('that cannot be unpacked says so', async () => {
    const packed = gzipSync(resp(...Array.from({ length: 5000 }, (_, i) => `SET ${i} ${Math.sin(i)}`)));
    const path = laid(packed.subarray(0, packed.length >> 1));
    const { exit, stderr } = await runCli(['repair', path]);
    expect([exit, stderr]).toEqual([1, expect.stringContaining('packed/truncated')]);
  });
});

describe('a repaired copy', () => {
  it('of a file is cut, or lacks the damage alone', async () => {
    const log = damagedLog(home);
    expect(await repair(log, '--out', join(home, 'cut.aof'))).toMatchObject({ exit: 0, ok: true });
    expect(read('cut.aof')).toBe(FIRST);
    expect(await repair(log, '--out', join(home, 'skip.aof'), '--strategy', 'skip')).toMatchObject({
      exit: 0,
    });
    expect(read('skip.aof')).toBe(FIRST + REST);
    expect(read('log.aof')).toBe(FIRST + BAD + REST);
  });

  it('of an intact dataset is the dataset', async () => {
    const source = corpusPath('redis-7.0.15', 'workload');
    const out = join(home, 'out');
    expect(await repair(source, '--out', out)).toMatchObject({ exit: 0, output: out, actions: [] });
    const [was, is] = [tree(source), tree(out)];
    for (const [name, bytes] of Object.entries(is)) expect(bytes.equals(was[name]!), name).toBe(true);
    expect(Object.keys(is)).toContain('appendonlydir/appendonly.aof.manifest');
  });

  it('of a directory is one that a server starts from', async () => {
    const source = dataDirectory(home);
    const out = join(home, 'out');
    const answer = await repair(source, '--out', out);
    expect(answer).toMatchObject({ exit: 0, output: out });
    expect(Object.keys(tree(out))).toEqual([
      'appendonlydir/appendonly.aof.1.base.rdb',
      'appendonlydir/appendonly.aof.1.incr.aof',
      'appendonlydir/appendonly.aof.manifest',
      'dump.rdb',
      'redis.conf',
    ]);
    expect(answer.leftBehind).toEqual(['dump.rdb.bak-20260301T120000Z', 'redis.pid', 'temp-1234.rdb']);
    expect(read('out/appendonlydir/appendonly.aof.manifest')).toBe(
      'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
    );
    expect((await runCli(['check', out])).exit).toBe(0);
  });

  it('of a log directory is a data directory, or that directory when it is named so', async () => {
    const source = join(dataDirectory(home), 'appendonlydir');
    for (const given of [source, join(source, 'appendonly.aof.manifest')]) {
      const out = join(home, `out-${basename(given)}`);
      expect((await repair(given, '--out', out)).exit).toBe(0);
      expect(readdirSync(out)).toEqual(['appendonlydir']);
      expect(readdirSync(join(out, 'appendonlydir'))).toHaveLength(3);
    }
    mkdirSync(join(home, 'new'));
    const named = join(home, 'new', 'appendonlydir');
    expect((await repair(source, '--out', named)).exit).toBe(0);
    expect(readdirSync(named)).toHaveLength(3);
  });

  it('has the modes of the original', async () => {
    const source = dataDirectory(home);
    chmodSync(join(source, 'appendonlydir'), 0o750);
    chmodSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), 0o640);
    chmodSync(join(source, 'redis.conf'), 0o400);
    await repair(source, '--out', join(home, 'out'));
    const mode = (name: string) => statSync(join(home, 'out', name)).mode & 0o777;
    expect(mode('appendonlydir')).toBe(0o750);
    expect(mode('appendonlydir/appendonly.aof.1.incr.aof')).toBe(0o640);
    expect(mode('redis.conf')).toBe(0o400);
  });

  it('shares with --link only what no server changes', async () => {
    const source = dataDirectory(home);
    await repair(source, '--out', join(home, 'out'), '--strategy', 'skip', '--link');
    const same = (name: string) => statSync(join(source, name)).ino === statSync(join(home, 'out', name)).ino;
    expect(same('appendonlydir/appendonly.aof.1.base.rdb')).toBe(true);
    expect(same('dump.rdb')).toBe(true);
    expect(same('appendonlydir/appendonly.aof.1.incr.aof')).toBe(false);
    // The server appends to it.
    expect(same('appendonlydir/appendonly.aof.2.incr.aof')).toBe(false);
    expect(same('redis.conf')).toBe(false);
  });

  it('is not written over anything, nor into the source', async () => {
    const log = damagedLog(home);
    writeFileSync(join(home, 'precious'), 'precious');
    expect((await runCli(['repair', log, '--out', join(home, 'precious')])).exit).toBe(2);
    expect(read('precious')).toBe('precious');
    expect((await runCli(['repair', log, '--out', log, '--force'])).exit).toBe(2);
    const source = dataDirectory(home);
    expect((await runCli(['repair', source, '--out', join(source, 'new')])).exit).toBe(2);
    expect(read('log.aof')).toBe(FIRST + BAD + REST);
  });
});

describe('--max-loss', () => {
  it('repairs only when no more bytes than that are lost', async () => {
    const log = damagedLog(home);
    const out = join(home, 'out.aof');
    const skip = ['--strategy', 'skip', '--out', out];
    const less = await repair(log, ...skip, '--max-loss', String(BAD.length - 1));
    expect(less).toMatchObject({ exit: 1, ok: false, refusal: 'max-loss', output: null });
    expect(exists('out.aof')).toBe(false);
    expect(await repair(log, ...skip, '--max-loss', String(BAD.length))).toMatchObject({ exit: 0, ok: true });
    expect((await runCli(['repair', log, '--max-loss', 'much'])).exit).toBe(2);
  });

  it('never accepts a loss that nobody can tell', async () => {
    const source = dataDirectory(home);
    writeFileSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), FIRST);
    const path = join(source, 'appendonlydir/appendonly.aof.manifest');
    writeFileSync(path, `${readFileSync(path, 'utf8')}file appendonly.aof.3.incr.aof seq 3 type i\n`);
    const answer = await repair(source, '--out', join(home, 'out'), '--max-loss', '1gb');
    expect(answer).toMatchObject({ exit: 1, refusal: 'max-loss' });
    expect(answer.actions).toMatchObject([
      { kind: 'forget-missing', lostCommands: null },
      { kind: 'rebuild-manifest' },
    ]);
    expect((await repair(source, '--out', join(home, 'out'))).exit).toBe(0);
  });
});

describe('--quarantine', () => {
  it('holds exactly what is dropped, and where it was', async () => {
    for (const strategy of ['truncate', 'skip']) {
      const source = dataDirectory(home, `data-${strategy}`);
      const file = join(home, `lost-${strategy}`);
      const out = join(home, `out-${strategy}`);
      await repair(source, '--out', out, '--strategy', strategy, '--quarantine', file);
      const bytes = readFileSync(file);
      const index = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as {
        bytes: number;
        ranges: { file: string; from: number; to: number; at: number }[];
      };
      expect(index.bytes).toBe(bytes.length);
      let taken = 0;
      for (const { file: from, ...range } of index.ranges) {
        const lost = readFileSync(from).subarray(range.from, range.to);
        expect(bytes.subarray(range.at, range.at + lost.length).equals(lost)).toBe(true);
        taken += lost.length;
      }
      expect(taken).toBe(bytes.length);
      const sum = (files: Record<string, Buffer>) =>
        Object.entries(files)
          .filter(([name]) => /incr\.aof$|base\.rdb$/.test(name))
          .reduce((total, [, each]) => total + each.length, 0);
      expect(sum(tree(out)) + bytes.length).toBe(sum(tree(source)));
    }
  });

  it('is not written when nothing else is', async () => {
    const log = damagedLog(home);
    const lost = join(home, 'lost');
    await repair(log, '--out', join(home, 'out.aof'), '--max-loss', '0', '--quarantine', lost);
    expect(readdirSync(home)).toEqual(['log.aof']);
    writeFileSync(lost, 'precious');
    expect((await runCli(['repair', log, '--out', join(home, 'out.aof'), '--quarantine', lost])).exit).toBe(
      2,
    );
    expect(readdirSync(home)).toEqual(['log.aof', 'lost']);
    expect(read('lost')).toBe('precious');
  });
});

describe('a damaged base', () => {
  /** Two bytes far from each other: no checksum can tell what they were. */
  function withDamagedBase(): string {
    const source = dataDirectory(home);
    writeFileSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), FIRST);
    const path = join(source, 'appendonlydir/appendonly.aof.1.base.rdb');
    const bytes = readFileSync(path);
    bytes.fill(0xff, 200, 240);
    writeFileSync(path, bytes);
    return source;
  }

  it('leaves no state that existed: truncate is not possible and says what is', async () => {
    const source = withDamagedBase();
    const answer = await repair(source, '--out', join(home, 'out'));
    expect(answer).toMatchObject({ exit: 1, refusal: 'obstacle', output: null });
    expect(answer.strategies).toMatchObject([
      { name: 'truncate', possible: false, obstacle: 'base-damaged' },
      { name: 'skip', possible: true },
    ]);
    expect(exists('out')).toBe(false);
    const { stdout } = await runCli(['repair', source, '--out', join(home, 'out')]);
    expect(stdout).toContain('not repaired: this way is not possible; --strategy skip loses');
  });

  it('is salvaged by skip, and the log behind it kept', async () => {
    const out = join(home, 'out');
    const answer = await repair(withDamagedBase(), '--out', out, '--strategy', 'skip');
    expect(answer).toMatchObject({ exit: 0, ok: true });
    expect(read('out/appendonlydir/appendonly.aof.1.incr.aof')).toBe(FIRST);
    const ran = await runCli(['info', join(out, 'appendonlydir/appendonly.aof.1.base.rdb'), '--json']);
    const { keys } = JSON.parse(ran.stdout) as { keys: number };
    expect(keys).toBeGreaterThan(10);
    expect(keys).toBeLessThan(19);
  });

  it('of which one byte is wrong is put right by its checksum, so that even truncate can be done', async () => {
    const source = dataDirectory(home);
    writeFileSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), FIRST);
    const path = join(source, 'appendonlydir/appendonly.aof.1.base.rdb');
    const bytes = readFileSync(path);
    const whole = Buffer.from(bytes);
    bytes[220]! ^= 0x10;
    writeFileSync(path, bytes);
    const out = join(home, 'out');
    expect((await repair(source, '--out', out)).actions).toMatchObject([
      { kind: 'correct', from: 220, lostBytes: 0 },
    ]);
    expect(readFileSync(join(out, 'appendonlydir/appendonly.aof.1.base.rdb')).equals(whole)).toBe(true);
  });
});

describe('an RDB', () => {
  it('comes back without its damaged key, its checksum made anew', async () => {
    const bytes = Buffer.from(corpusBytes('redis-7.0.15', 'small.rdb'));
    bytes.fill(0xff, 200, 240);
    writeFileSync(join(home, 'dump.rdb'), Buffer.concat([bytes, Buffer.from('trailing')]));
    const out = join(home, 'out.rdb');
    const answer = await repair(join(home, 'dump.rdb'), '--out', out, '--quarantine', join(home, 'lost'));
    expect(answer.exit).toBe(0);
    expect(answer.actions.map(({ kind }) => kind)).toContain('drop-trailing');
    expect(read('lost').endsWith('trailing')).toBe(true);
    expect((await runCli(['check', out])).exit).toBe(0);
    expect(await repair(out)).toMatchObject({ exit: 0, actions: [] });
  });

  it('of which nothing reads is not made an empty one', async () => {
    writeFileSync(join(home, 'dump.rdb'), 'REDIS0010');
    const answer = await repair(join(home, 'dump.rdb'), '--out', join(home, 'out.rdb'));
    expect(answer).toMatchObject({
      exit: 1,
      refusal: 'obstacle',
      strategies: [{ obstacle: 'nothing-left' }],
    });
    expect(exists('out.rdb')).toBe(false);
  });
});

describe('a manifest', () => {
  const manifest = (source: string) => join(source, 'appendonlydir/appendonly.aof.manifest');
  const RIGHT =
    'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n';
  const [BASE, ONE, TWO] = RIGHT.split(/(?<=\n)/) as [string, string, string];

  it.each([
    ['is empty', ''],
    ['is rubbish', '\x00\xff rubbish'],
    ['lists increments in the wrong order', BASE + TWO + ONE],
    ['lists the base twice', BASE + BASE + ONE + TWO],
    ['lists an increment twice', BASE + ONE + TWO + TWO],
    ['gives two increments one number', BASE + ONE + TWO.replace('seq 2', 'seq 1')],
    ['has a type of its own', BASE + ONE + TWO.replace('type i', 'type x')],
    ['has a line cut short', RIGHT.slice(0, -7)],
    ['lacks its last line end', RIGHT.slice(0, -1)],
    ['names a path', BASE + ONE + TWO.replace('appendonly', '../../appendonly')],
    ['has a blank line', `${BASE}\n${ONE}${TWO}`],
  ])('that %s is written anew from the files', async (_, text) => {
    const source = dataDirectory(home);
    writeFileSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), FIRST);
    writeFileSync(manifest(source), text, 'latin1');
    const answer = await repair(source, '--out', join(home, 'out'));
    expect(answer).toMatchObject({ exit: 0, actions: [{ kind: 'rebuild-manifest', lostBytes: 0 }] });
    expect(readFileSync(manifest(join(home, 'out')), 'latin1')).toBe(RIGHT);
  });

  it('that names what is not there no longer does, and a file that nobody named stays out', async () => {
    const source = dataDirectory(home);
    writeFileSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), FIRST);
    writeFileSync(manifest(source), BASE + ONE + TWO.replaceAll('2', '3'));
    const answer = await repair(source, '--out', join(home, 'out'));
    expect(answer.actions.map(({ kind }) => kind)).toEqual(['forget-missing', 'rebuild-manifest']);
    expect(readFileSync(manifest(join(home, 'out')), 'latin1')).toBe(BASE + ONE);
    expect(answer.leftBehind).toContain('appendonlydir/appendonly.aof.2.incr.aof');
  });

  it('without its base: truncate has nothing to build on, skip keeps the increments', async () => {
    const source = dataDirectory(home);
    writeFileSync(join(source, 'appendonlydir/appendonly.aof.1.incr.aof'), FIRST);
    writeFileSync(manifest(source), RIGHT.replace('aof.1.base', 'aof.7.base'));
    expect(await repair(source, '--out', join(home, 'out'))).toMatchObject({ exit: 1, refusal: 'obstacle' });
    expect((await repair(source, '--out', join(home, 'out'), '--strategy', 'skip')).exit).toBe(0);
    expect(readFileSync(manifest(join(home, 'out')), 'latin1')).toBe(ONE + TWO);
  });
});
