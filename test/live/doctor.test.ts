import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { describeServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

// A real server is made to log what it logs about damaged files, and its own log is given to doctor.

interface Answer {
  readonly exit: number;
  readonly ids: readonly string[];
  readonly commands: readonly string[];
  readonly diagnoses: readonly { readonly id: string; readonly found: Readonly<Record<string, string>> }[];
}

/** Starts a server on a directory and lets it end: what it cannot load ends it, SHUTDOWN in its input the rest. */
async function askAbout(directory: string, settings: readonly string[]): Promise<Answer> {
  const log = join(directory, 'redis.log');
  const line = [
    'redis-server --port 0 --save "" --unixsocket s --logfile redis.log',
    ...settings,
    '& server=$!; for i in $(seq 200); do grep -qi "ready to accept" redis.log 2>/dev/null && break;',
    'kill -0 $server 2>/dev/null || break; sleep 0.02; done; kill -9 $server 2>/dev/null; wait $server',
  ].join(' ');
  spawnSync('sh', ['-c', line], { cwd: directory });
  const { exit, stdout } = await runCli(['doctor', log, '--json']);
  const { diagnoses } = JSON.parse(stdout) as {
    diagnoses: (Answer['diagnoses'][number] & { remedies: { command: string }[] })[];
  };
  const commands = diagnoses.flatMap(({ remedies }) => remedies.map(({ command }) => command));
  return { exit, diagnoses, commands, ids: diagnoses.map(({ id }) => id) };
}

function damaged(name: string): string {
  const directory = temporaryDirectory('doctor');
  const { path } = corruptCases('redis-7.0.15').find((each) => each.name === name)!;
  if (name.startsWith('rdb-')) copyFileSync(path, join(directory, 'dump.rdb'));
  else cpSync(path, directory, { recursive: true });
  return directory;
}

type Case = readonly [name: string, id: string, found: Readonly<Record<string, string>>];

/** Every third of them every day: what the servers logged about each is recorded, and asked in test/tools/doctor. */
const some = (cases: readonly Case[]): readonly Case[] => cases.filter((_, i) => THOROUGH || i % 3 === 0);

describeServer('what a real server logs', () => {
  it.each(
    some([
      ['rdb-version-9999', 'rdb/version', { version: '9999' }],
      ['rdb-bad-magic', 'rdb/signature', {}],
      ['rdb-trunc-50pct', 'rdb/short-read', {}],
      ['rdb-wrong-crc', 'rdb/checksum', {}],
      ['rdb-type-99', 'rdb/unknown-type', { type: '99' }],
      ['rdb-dup-key', 'rdb/duplicate-key', {}],
    ]),
  )('about %s is %s', async (name, id, found) => {
    const directory = damaged(name);
    const answer = await askAbout(directory, []);
    expect(answer.ids[0]).toBe(id);
    expect(answer.diagnoses[0]!.found).toMatchObject(found);
    expect(answer.exit).toBe(0);
    // The log lies beside the data, so the advice names the file itself.
    expect(answer.commands.some((command) => command.includes(join(directory, 'dump.rdb')))).toBe(true);
  });

  it.each(
    some([
      ['aof-garbage-mid', 'aof/bad-format', { file: 'appendonly.aof.3.incr.aof' }],
      ['aof-bad-command', 'aof/unknown-command', { command: 'FOOBAR' }],
      ['aof-trunc-mid-bulk', 'aof/short-read', { file: 'appendonly.aof.3.incr.aof' }],
      ['manifest-first-incr-truncated', 'aof/not-last', {}],
      ['manifest-bad-type', 'manifest/type', { line: '2' }],
      ['manifest-empty', 'manifest/empty', {}],
      ['manifest-missing-file', 'aof/missing-file', {}],
      ['manifest-absent', 'aof/started-empty', {}],
    ]),
  )('about %s is %s', async (name, id, found) => {
    const answer = await askAbout(damaged(name), ['--appendonly yes']);
    expect(answer.ids).toContain(id);
    expect(answer.diagnoses.find((each) => each.id === id)!.found).toMatchObject(found);
    expect(answer.commands.join('\n')).toMatch(/rekindle (check|recover|repair|log) /);
  });

  it('about a dump.rdb that is not looked at is that it started empty', async () => {
    const directory = temporaryDirectory('doctor');
    copyFileSync(corpusPath('redis-7.0.15', 'small.rdb'), join(directory, 'dump.rdb'));
    const answer = await askAbout(directory, ['--appendonly yes']);
    expect(answer.ids).toContain('aof/started-empty');
    expect(answer.commands).toContain(`cp ${directory}/dump.rdb ${directory}/dump.rdb.saved`);
  });

  it('about a save it could not make is where and why', async () => {
    const directory = temporaryDirectory('doctor');
    const line =
      'redis-server --port 0 --unixsocket s --logfile redis.log & server=$!; ' +
      'for i in $(seq 200); do redis-cli -s s ping 2>/dev/null | grep -q PONG && break; sleep 0.02; done; ' +
      'mkdir dump.rdb; redis-cli -s s save > reply; redis-cli -s s shutdown nosave; wait $server';
    spawnSync('sh', ['-c', line], { cwd: directory });
    const { stdout } = await runCli(['doctor', join(directory, 'redis.log')]);
    expect(stdout).toContain('write/save-rename');
    expect(stdout).toContain('Is a directory');
  });
});
