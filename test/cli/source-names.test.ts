import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SourceNames, sourceWord } from '../../src/cli/source-names.js';
import { corruptCases } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

describe('the name of a source in a command to be copied', () => {
  const named = (...paths: string[]): SourceNames => {
    const names = new SourceNames();
    for (const path of paths) names.add(path);
    return names;
  };

  it('is quoted where a shell asks for it, and never an option or the address of a server', () => {
    expect(sourceWord("it's.rdb")).toBe("'it'\\''s.rdb'");
    expect(sourceWord('-x.rdb')).toBe('./-x.rdb');
    expect(sourceWord('-')).toBe('-');
    expect(sourceWord('/var/lib/redis', 'rdb')).toBe('/var/lib/redis --prefer rdb');
    expect(sourceWord('redis://user:secret@host')).toBe('');
    expect(sourceWord('unix://user:secret@/run/redis.sock')).toBe('');
  });

  it('is that of the only one, whatever its files are called', () => {
    expect(named('-').of('<stdin>')).toBe('-');
  });

  it('is found among several by the file: the nearest around it', () => {
    const names = named('./a/', 'a/deep', 'b.tgz', 'c.rdb', 'logs/x.aof.manifest', 'redis://host');
    expect(names.of('a/dump.rdb')).toBe('./a/');
    expect(names.of('a/deep/dump.rdb')).toBe('a/deep');
    expect(names.of('b.tgz:/dump.rdb')).toBe('b.tgz');
    expect(names.of('c.rdb')).toBe('c.rdb');
    expect(names.of('logs/x.aof.1.incr.aof')).toBe('logs/x.aof.manifest');
    expect(names.of('c.rdb2')).toBe('');
    expect(names.of('redis://host')).toBe('');
    expect(named('.', '/elsewhere').of('dump.rdb')).toBe('.');
  });
});

describe('hints of every command', () => {
  const place = join(temporaryDirectory('hints'), "it's here");
  mkdirSync(place);
  const cut = corruptCases('redis-7.0.15').find(({ name }) => name === 'rdb-trunc-50pct')!;
  const rdb = join(place, 'dump.rdb');
  writeFileSync(rdb, readFileSync(cut.path));
  const packed = join(place, 'dump.rdb.gz');
  const whole = gzipSync(readFileSync(rdb));
  writeFileSync(packed, whole.subarray(0, whole.length - 500));
  const shell = (path: string): string => `'${path.replace("'", "'\\''")}'`;
  const out = (name: string): string => join(place, name);

  const COMMANDS: readonly (readonly [string, (path: string) => string[]])[] = [
    ['check', (path) => [path]],
    ['info', (path) => [path]],
    ['digest', (path) => [path]],
    ['memory', (path) => [path]],
    ['log', (path) => [path]],
    ['history', (path) => [path, 'key']],
    ['replay', (path) => [path]],
    ['compact', (path) => [path, '--out', out('compacted')]],
    ['convert', (path) => [path, out('converted.ndjson')]],
    ['diff', (path) => [path, rdb]],
    ['diff', (path) => [rdb, path]],
    ['verify', (path) => [path]],
    ['report', (path) => [path, '-o', out('report.html'), '--force']],
  ];

  it.each(COMMANDS)('%s names the source as a shell takes it', async (command, args) => {
    for (const json of [[], ['--json']]) {
      const { both, exit } = await runCli([command, ...args(rdb), ...json]);
      expect(exit).toBe(1);
      const told = command === 'report' ? readFileSync(out('report.html'), 'utf8') : both;
      expect(told.replaceAll('&#39;', "'").replaceAll('\\\\', '\\')).toContain(
        `rekindle repair ${shell(rdb)} --out FILE`,
      );
      expect(both).not.toContain('SOURCE');
    }
  });

  const TELLING = ['check', 'info', 'log', 'verify', 'report'];
  const ENDING = COMMANDS.filter(([command], i) => !TELLING.includes(command) && i !== 10);

  it.each([...ENDING, ['repair', (path: string) => [path]] as const])(
    '%s says how to get at what a packed file still holds, as it tells nothing of it',
    async (command, args) => {
      const { stderr } = await runCli([command, ...args(packed)]);
      expect(stderr).toContain(`\`gzip -dc ${shell(packed)} | rekindle repair - --out FILE\``);
      expect(stderr).not.toContain('told all the same');
    },
  );

  const ALL = [...COMMANDS, ['repair', (path: string) => [path]] as const];

  it.each(ALL)('%s takes what is named .rdb for one, however it starts', async (command, args) => {
    for (const [bytes, code] of [
      [Buffer.from('$\xbb\xbe\x9e'.repeat(50), 'latin1'), 'rdb/bad-magic'],
      [Buffer.from('*1\xff\r\n'.repeat(50), 'latin1').subarray(1), 'rdb/bad-magic'],
      [Buffer.alloc(0), 'rdb/truncated'],
    ] as const) {
      const path = join(place, 'random.rdb');
      writeFileSync(path, bytes);
      const good = corruptCases('redis-7.0.15').find(({ name }) => name === 'rdb-intact')!.path;
      const given = args(path).map((word) => (word === rdb ? good : word));
      const { both, exit } = await runCli([command, ...given]);
      expect(exit).toBe(1);
      const told = command === 'report' ? readFileSync(out('report.html'), 'utf8') : both;
      expect(told).toContain(code);
      expect(told).not.toContain('aof/');
    }
  });

  it.each(['tgz', 'tar.zst'])('an archive (%s) that is cut is taken apart as one', async (ending) => {
    const path = join(place, `cut.${ending}`);
    writeFileSync(path, whole.subarray(0, 200));
    const { both } = await runCli(['digest', path]);
    expect(both).toContain(`\`tar -xf ${shell(path)}\` takes out the files`);
  });
});
