import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { alike } from '../support/same.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { BAD, damagedLog, dataDirectory, FIRST, REST, repair } from './repair-room.js';

let home = '';
beforeEach(() => (home = temporaryDirectory('repair')));

const read = (...path: string[]): string => readFileSync(join(home, ...path), 'latin1');

describe('in place', () => {
  it('stands behind a verified backup, and a second repair changes no byte', async () => {
    const source = dataDirectory(home);
    const before = tree(source);
    const answer = await repair(source, '--in-place', '--yes');
    expect(answer).toMatchObject({ exit: 0, ok: true, output: source });
    const after = tree(source);
    for (const { path } of answer.backups) {
      const [, name] = /^(.*)\.bak-20260301T120000Z$/.exec(path)!;
      const inside = name!.slice(source.length + 1);
      expect(after[`${inside}.bak-20260301T120000Z`]!.equals(before[inside]!), inside).toBe(true);
    }
    expect(answer.backups.map(({ path }) => basename(path).replace(/\.bak.*/, '')).sort()).toEqual([
      'appendonly.aof.1.incr.aof',
      'appendonly.aof.2.incr.aof',
      'appendonly.aof.manifest',
    ]);
    expect(after['appendonlydir/appendonly.aof.1.incr.aof']!.latin1Slice()).toBe(FIRST);
    // What the log no longer has must not be taken for an increment by a server that makes its next one.
    expect(Object.keys(after)).not.toContain('appendonlydir/appendonly.aof.2.incr.aof');
    expect(after['redis.conf']!.equals(before['redis.conf']!)).toBe(true);
    expect(await repair(source, '--in-place', '--yes')).toMatchObject({ exit: 0, ok: true, actions: [] });
    alike(tree(source), after);
  });

  it('takes a second name when the backup of another repair stands there', async () => {
    const log = damagedLog(home);
    await repair(log, '--in-place', '--yes');
    writeFileSync(log, FIRST + BAD, 'latin1');
    await repair(log, '--in-place', '--yes');
    expect(readdirSync(home)).toEqual([
      'log.aof',
      'log.aof.bak-20260301T120000Z',
      'log.aof.bak-20260301T120000Z-2',
    ]);
    expect(read('log.aof.bak-20260301T120000Z-2')).toBe(FIRST + BAD);
  });

  it('follows a link to the file, and leaves other names of the file alone', async () => {
    const log = damagedLog(home, 'real.aof');
    mkdirSync(join(home, 'links'));
    symlinkSync(log, join(home, 'links/log.aof'));
    linkSync(log, join(home, 'other.aof'));
    chmodSync(log, 0o640);
    expect((await repair(join(home, 'links/log.aof'), '--in-place', '--yes')).exit).toBe(0);
    expect(readlinkSync(join(home, 'links/log.aof'))).toBe(log);
    expect(readdirSync(join(home, 'links'))).toEqual(['log.aof']);
    expect(read('real.aof')).toBe(FIRST);
    expect(lstatSync(log).mode & 0o777).toBe(0o640);
    expect(read('other.aof')).toBe(FIRST + BAD + REST);
  });

  it('refuses a read-only file', async () => {
    const log = damagedLog(home);
    chmodSync(log, 0o444);
    const ran = await runCli(['repair', log, '--in-place', '--yes']);
    expect(ran).toMatchObject({ exit: 4 });
    expect(ran.stderr).toContain('is read-only: nothing was changed');
    expect(readdirSync(home)).toEqual(['log.aof']);
  });

  it('refuses while another process has the file open for writing, whatever it is told', async () => {
    const log = damagedLog(home);
    const descriptor = openSync(log, 'a');
    const writer = spawn('sleep', ['30'], { stdio: ['ignore', descriptor, 'ignore'] });
    closeSync(descriptor);
    try {
      const ran = await runCli(['repair', log, '--in-place', '--yes']);
      expect(ran.exit).toBe(4);
      expect(ran.stderr).toContain(`is in use by sleep (process ${writer.pid}): nothing was changed`);
      expect(readdirSync(home)).toEqual(['log.aof']);
      expect(read('log.aof')).toBe(FIRST + BAD + REST);
    } finally {
      writer.kill();
    }
  });
});

describe('usage', () => {
  it.each([
    [['--out', 'x', '--in-place']],
    [['--link']],
    [['--yes']],
    [['--strategy', 'guess']],
    [['--out', '-']],
  ])('%j is refused', async (flags) => {
    expect((await runCli(['repair', damagedLog(home), ...flags])).exit).toBe(2);
  });

  it('a missing file cannot be read', async () => {
    expect((await runCli(['repair', join(home, 'missing')])).exit).toBe(3);
  });
});

describe('what is packed or piped', () => {
  it('is repaired into a plain file, and not where it stands', async () => {
    const plain = Buffer.from(FIRST + BAD + REST, 'latin1');
    const packed = join(home, 'log.aof.gz');
    writeFileSync(packed, gzipSync(plain));
    const before = readFileSync(packed);
    expect((await repair(packed, '--out', join(home, 'out.aof'))).exit).toBe(0);
    expect(read('out.aof')).toBe(FIRST);
    const ran = await runCli(['repair', '-', '--strategy', 'skip', '--out', join(home, 'piped.aof')], {
      stdin: plain,
    });
    expect(ran.exit).toBe(0);
    expect(read('piped.aof')).toBe(FIRST + REST);
    for (const path of [packed, '-']) {
      expect((await runCli(['repair', path, '--in-place', '--yes'], { stdin: plain })).exit).toBe(2);
    }
    expect(readFileSync(packed).equals(before)).toBe(true);
  });

  it('of an archive the dataset is taken', async () => {
    const source = dataDirectory(home);
    const archive = join(home, 'data.tar.gz');
    execFileSync('tar', ['czf', archive, '-C', home, basename(source)]);
    expect((await repair(archive, '--out', join(home, 'out'), '--strategy', 'skip')).exit).toBe(0);
    expect(Object.keys(tree(join(home, 'out')))).toHaveLength(4);
    expect(read('out/appendonlydir/appendonly.aof.1.incr.aof')).toBe(FIRST + REST);
    expect((await runCli(['repair', archive, '--in-place', '--yes'])).exit).toBe(2);
  });
});
