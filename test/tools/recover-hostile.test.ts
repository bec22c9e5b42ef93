import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../src/errors.js';
import { recover } from '../../src/tools/library.js';
import { THOROUGH } from '../support/effort.js';
import { recoveryDirectory } from '../support/recovery.js';
import { resp } from '../support/resp.js';
import { temporaryDirectory } from '../support/temporary.js';

// Directories that somebody made to hang, mislead or lead astray whoever looks at them.

const fresh = () => temporaryDirectory('hostile');
const LOG = resp('SELECT 0', 'SET a 1');

describe('links', () => {
  it('in circles, to nowhere and out of the directory are told and not followed', async () => {
    const outside = fresh();
    writeFileSync(join(outside, 'secret.rdb'), 'REDIS0009 secret');
    mkdirSync(join(outside, 'appendonlydir'));
    writeFileSync(join(outside, 'appendonlydir', 'appendonly.aof.1.incr.aof'), LOG);
    const directory = fresh();
    symlinkSync('dump.rdb', join(directory, 'dump.rdb'));
    symlinkSync('b.aof', join(directory, 'a.aof'));
    symlinkSync('a.aof', join(directory, 'b.aof'));
    symlinkSync('nowhere', join(directory, 'gone.rdb'));
    symlinkSync(join(outside, 'secret.rdb'), join(directory, 'other.rdb'));
    symlinkSync(join(outside, 'appendonlydir'), join(directory, 'appendonlydir'));
    symlinkSync('.', join(directory, 'itself'));
    symlinkSync('/dev/zero', join(directory, 'endless.aof'));
    const { candidates, ways } = await recover(directory);
    expect(Object.fromEntries(candidates.map(({ name, unread }) => [name, unread]))).toEqual({
      'a.aof': 'broken-link',
      'b.aof': 'broken-link',
      'dump.rdb': 'broken-link',
      'endless.aof': 'leads-outside',
      'gone.rdb': 'broken-link',
      'other.rdb': 'leads-outside',
    });
    expect(ways).toEqual([]);
  });

  it('inside the directory are followed, as a server does', async () => {
    const directory = recoveryDirectory('aof-deleted');
    mkdirSync(join(directory, 'old'));
    symlinkSync('../dump.rdb', join(directory, 'old', 'linked'));
    symlinkSync('old/linked', join(directory, 'again.rdb'));
    const { candidates } = await recover(directory);
    expect(candidates.find(({ name }) => name === 'again.rdb')).toMatchObject({
      state: 'intact',
      rdbKeys: 96,
    });
  });
});

it('what is no regular file is not opened', async () => {
  const directory = fresh();
  expect(spawnSync('mkfifo', [join(directory, 'appendonly.aof')]).status).toBe(0);
  expect(spawnSync('mkfifo', [join(directory, 'redis.conf')]).status).toBe(0);
  mkdirSync(join(directory, 'dump.rdb'));
  mkdirSync(join(directory, 'appendonlydir'));
  expect(spawnSync('mkfifo', [join(directory, 'appendonlydir/appendonly.aof.manifest')]).status).toBe(0);
  expect(spawnSync('mkfifo', [join(directory, 'appendonlydir/appendonly.aof.1.base.rdb')]).status).toBe(0);
  const server = createServer().listen(join(directory, 'temp-1.rdb'));
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { candidates, starts } = await recover(directory);
    expect(candidates.map(({ name, unread }) => `${name} ${unread}`).sort()).toEqual([
      'appendonly.aof not-a-file',
      'appendonlydir/appendonly.aof.1.base.rdb not-a-file',
      'appendonlydir/appendonly.aof.manifest not-a-file',
      'temp-1.rdb not-a-file',
    ]);
    expect(starts[0]).toMatchObject({ outcome: 'refuses', reason: 'not-readable' });
  } finally {
    server.close();
  }
});

describe('a manifest', () => {
  function withManifest(text: string): string {
    const directory = fresh();
    const log = join(directory, 'appendonlydir');
    mkdirSync(log);
    writeFileSync(join(directory, 'outside.aof'), LOG);
    writeFileSync(join(log, 'appendonly.aof.1.incr.aof'), LOG);
    writeFileSync(join(log, 'appendonly.aof.manifest'), text);
    return directory;
  }

  it.each(['../outside.aof', '/etc/passwd', '..', 'a\\\\b'])('naming %j leads nowhere', async (name) => {
    const { starts, ways } = await recover(withManifest(`file "${name}" seq 1 type i\n`));
    expect(starts[0]).toMatchObject({ outcome: 'refuses', reason: 'manifest-damaged' });
    const taken = ways.flatMap(({ way }) => way.parts.map(({ candidate }) => candidate.name));
    expect(new Set(taken)).toEqual(new Set(['appendonlydir/appendonly.aof.1.incr.aof', 'outside.aof']));
  });

  it('naming one file twice, or itself, is taken as it stands', async () => {
    const twice =
      'file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.1.incr.aof seq 2 type i\n';
    expect((await recover(withManifest(twice))).plan?.way.parts).toHaveLength(2);
    const itself = await recover(withManifest('file appendonly.aof.manifest seq 1 type i\n'));
    expect(itself.starts[0]?.outcome).toBe('refuses');
  });

  it('of many lines does not take long', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `file gone.${i + 1} seq ${i + 1} type i\n`);
    const { starts } = await recover(withManifest(lines.join('')));
    expect(starts[0]).toMatchObject({ outcome: 'refuses', reason: 'file-missing' });
  });
});

it('thousands of files are listed in no time, and what was not looked into is said', async () => {
  const directory = fresh();
  const count = THOROUGH ? 10_000 : 2000;
  for (let i = 0; i < count; i++) writeFileSync(join(directory, `note-${i}`), '');
  writeFileSync(join(directory, 'appendonly.aof'), LOG);
  const started = performance.now();
  const { survey, plan } = await recover(directory);
  expect(survey.passedOver).toBe(count - 200);
  expect(plan?.measured.measure?.keys).toBe(1);
  expect(performance.now() - started).toBeLessThan(5000);
});

it('a log that grows while it is read is taken as it was', async () => {
  const directory = fresh();
  const path = join(directory, 'appendonly.aof');
  writeFileSync(path, LOG.repeat(20_000));
  const growing = setInterval(() => appendFileSync(path, LOG.repeat(1000)), 1);
  try {
    const { plan } = await recover(directory);
    expect(plan?.way.damage).toBeNull();
    expect(plan?.measured.measure?.keys).toBe(1);
  } finally {
    clearInterval(growing);
  }
});

describe('a redis.conf', () => {
  it.each([
    ['that includes itself', 'include redis.conf\nappendonly yes\n'],
    ['that includes what is outside', 'include /etc/passwd\ninclude ../../x\nappendonly yes\n'],
    [
      'with names that are paths',
      'appendfilename ../../etc/passwd\ndbfilename /etc/passwd\nappendonly yes\n',
    ],
    [
      'that is no text',
      `${Buffer.from(Array.from({ length: 999 }, (_, i) => i % 256)).latin1Slice()}\nappendonly yes`,
    ],
  ])('%s', async (_what, text) => {
    const directory = fresh();
    writeFileSync(join(directory, 'redis.conf'), text, 'latin1');
    writeFileSync(join(directory, 'appendonly.aof'), LOG);
    const { effective, plan } = await recover(directory);
    expect(effective).toMatchObject({
      appendOnly: true,
      appendFilename: 'appendonly.aof',
      dbFilename: 'dump.rdb',
    });
    expect(plan?.measured.measure?.keys).toBe(1);
  });

  it('names files as they are called there', async () => {
    const directory = recoveryDirectory('manifest-lost');
    const conf = join(temporaryDirectory('conf'), 'my.conf');
    writeFileSync(conf, 'appendonly no\ndbfilename "my data.rdb"\ninclude more*.conf\n');
    writeFileSync(join(conf, '../more.conf'), 'appendfsync always\n');
    const out = join(temporaryDirectory('out'), 'new');
    const report = await recover(directory, { config: conf, output: { path: out, force: false } });
    expect(report.effective.appendFsync).toBe('always');
    expect(report.output?.files.map(({ name }) => name)).toEqual(['my data.rdb']);
    const again = await recover(out, { config: conf });
    expect(again.verdict).toBe('ready');
    expect(again.plan?.measured.measure?.digest).toBe(report.plan?.measured.measure?.digest);
  });

  it('that is not there or too large is said to be', async () => {
    await expect(recover(fresh(), { config: join(fresh(), 'none') })).rejects.toThrow(InputError);
    const large = join(fresh(), 'large.conf');
    writeFileSync(large, Buffer.alloc(5_000_000, '#'));
    await expect(recover(fresh(), { config: large })).rejects.toThrow(/too large for a redis.conf/);
  });
});

it('an output inside or around the directory is refused', async () => {
  const directory = recoveryDirectory('aof-deleted');
  const into = (path: string) => recover(directory, { output: { path, force: true } });
  await expect(into(join(directory, 'new'))).rejects.toThrow(UsageError);
  await expect(into(directory)).rejects.toThrow(UsageError);
  await expect(into(join(directory, '..'))).rejects.toThrow(UsageError);
});

it('garbage under every name a server uses ends in a report', async () => {
  for (const filler of [
    Buffer.alloc(3000),
    Buffer.alloc(3000, 0xff),
    Buffer.from('REDIS9999'),
    Buffer.from('*9\r\n$9'),
  ]) {
    const directory = fresh();
    const log = join(directory, 'appendonlydir');
    mkdirSync(log);
    for (const name of [
      'dump.rdb',
      'appendonly.aof',
      'temp-1.rdb',
      'temp-rewriteaof-bg-1.aof',
      'redis.conf',
    ]) {
      writeFileSync(join(directory, name), filler);
    }
    for (const name of ['manifest', '1.base.rdb', '1.incr.aof', '2.base.aof']) {
      writeFileSync(join(log, `appendonly.aof.${name}`), filler);
    }
    const { verdict, candidates } = await recover(directory);
    expect(verdict).toBe('nothing');
    expect(candidates.length).toBeGreaterThan(7);
  }
});
