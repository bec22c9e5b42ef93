import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { corpusPath } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

const SOURCE = corpusPath('redis-7.0.15', 'seed-app');

const replay = (out: string, ...options: string[]) =>
  runCli(['replay', SOURCE, '--until-command', '10', '--out', out, ...options]);

describe('an output', () => {
  let directory = '';
  beforeEach(() => (directory = temporaryDirectory('outputs')));

  it('does not take the place of a file that is there, unless it is told to', async () => {
    const out = join(directory, 'out.rdb');
    writeFileSync(out, 'precious');
    expect(await replay(out)).toMatchObject({ exit: 2, stdout: '' });
    expect(readFileSync(out, 'utf8')).toBe('precious');
    expect(await replay(out, '--force')).toMatchObject({ exit: 0 });
    expect(readFileSync(out, 'latin1').slice(0, 9)).toBe('REDIS0010');
    expect(readdirSync(directory)).toEqual(['out.rdb']);
  });

  it.each(['rdb', 'aof', 'resp'])('is compressed where its name says so, as %s', async (form) => {
    const digest = async (path: string): Promise<string> =>
      (await runCli(['digest', path, '--as', 'redis-7.0'])).stdout;
    const plain = join(directory, `out.${form}`);
    await replay(plain);
    for (const ending of ['gz', 'lz4']) {
      const out = `${plain}.${ending}`;
      const { exit, stdout } = await replay(out, '--json');
      expect(exit).toBe(0);
      const bytes = readFileSync(out);
      expect(JSON.parse(stdout)).toMatchObject({ output: out, outputForm: form, outputBytes: bytes.length });
      expect(bytes.subarray(0, 2).toString('hex')).toBe(ending === 'gz' ? '1f8b' : '0422');
      expect(await digest(out)).toBe(await digest(plain));
    }
    expect(readdirSync(directory).length).toBe(3);
  });

  it('is not compressed as a directory or a copy, and nothing is left of one that is refused', async () => {
    for (const options of [['--to', 'aofdir'], ['--no-execute']]) {
      expect(await replay(join(directory, 'out.aof.gz'), ...options)).toMatchObject({ exit: 2, stdout: '' });
    }
    const digest = ['--expect-digest', '0'.repeat(40)];
    expect((await replay(join(directory, 'out.rdb.gz'), ...digest)).exit).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('puts a directory that is there aside, and says where', async () => {
    const out = join(directory, 'out');
    mkdirSync(out);
    writeFileSync(join(out, 'precious'), '');
    expect(await replay(out)).toMatchObject({ exit: 2, stdout: '' });
    const ran = await replay(out, '--force');
    expect(ran.exit).toBe(0);
    const [, backup] = /what stood there is now (.*)\n/.exec(ran.stderr)!;
    expect(readdirSync(backup!)).toEqual(['precious']);
    expect(readdirSync(out)).toEqual(['appendonlydir']);
  });

  it('takes the place of an empty directory', async () => {
    expect(await replay(directory)).toMatchObject({ exit: 0 });
    expect(readdirSync(directory)).toEqual(['appendonlydir']);
  });

  it('that cannot be made ends with 4 before anything is read', async () => {
    const ran = await replay(join(directory, 'no/such/out.rdb'));
    expect(ran).toMatchObject({ exit: 4, stdout: '' });
    expect(ran.stderr).toMatch(/^rekindle: .*out\.rdb: /);
  });

  it('is refused inside the source by whatever name', async () => {
    const link = join(directory, 'link');
    symlinkSync(SOURCE, link);
    for (const out of [join(link, 'appendonlydir/x.rdb'), join(link, 'x'), link]) {
      const ran = await replay(out, '--force');
      expect(ran).toMatchObject({ exit: 2, stdout: '' });
      expect(ran.stderr).toContain('the source');
    }
  });

  it('is refused in place of a file that is read', async () => {
    const path = join(directory, 'appendonly.aof');
    writeFileSync(path, '*1\r\n$8\r\nFLUSHALL\r\n');
    const ran = await runCli(['replay', path, '--out', path, '--force']);
    expect(ran).toMatchObject({ exit: 2, stdout: '' });
    expect(readFileSync(path, 'latin1')).toContain('FLUSHALL');
  });

  it('is what --expect-digest wants or nothing', async () => {
    const out = join(directory, 'out.rdb');
    const { stdout } = await replay(join(directory, 'first.rdb'), '--json');
    const { digest } = JSON.parse(stdout) as { digest: string };
    expect(await replay(out, '--expect-digest', digest.replace(/^./, '!'))).toMatchObject({ exit: 2 });
    expect(await replay(out, '--expect-digest', '0'.repeat(40))).toMatchObject({ exit: 1 });
    expect(readdirSync(directory)).toEqual(['first.rdb']);
    expect(await replay(out, '--expect-digest', digest.toUpperCase())).toMatchObject({ exit: 0 });
    expect(readFileSync(out).equals(readFileSync(join(directory, 'first.rdb')))).toBe(true);
  });
});
