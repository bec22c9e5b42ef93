import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BrokenPipe, Interrupted } from '../../src/cli/io.js';
import { VERSION } from '../../src/cli/version.js';
import { corpusPath } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

describe('the frame of the command line', () => {
  it('prints the version of the package', async () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(manifest.version);
    for (const argv of [['--version'], ['-V'], ['-V', '--no-color']]) {
      expect(await runCli(argv)).toMatchObject({ exit: 0, stdout: `${VERSION}\n`, stderr: '' });
    }
    for (const argv of [
      ['--version', '--json'],
      ['--json', '-V'],
    ]) {
      const { stdout, exit } = await runCli(argv);
      expect({ exit, report: JSON.parse(stdout) }).toEqual({
        exit: 0,
        report: { schemaVersion: 1, version: VERSION },
      });
    }
  });

  it('explains itself on standard output when asked, on standard error when not', async () => {
    const asked = await runCli(['--help']);
    expect(asked.exit).toBe(0);
    expect(asked.stderr).toBe('');
    expect(asked.stdout).toContain('Exit codes:');
    const unasked = await runCli([]);
    expect(unasked.exit).toBe(2);
    expect(unasked.stdout).toBe('');
    expect(unasked.stderr).toBe(asked.stdout);
  });

  it('says which formats it knows, and what is installed beside it', async () => {
    const { stdout, exit } = await runCli(['--version', '--verbose']);
    expect(exit).toBe(0);
    expect(stdout).toContain(`rekindle ${VERSION} on Node.js ${process.version}`);
    expect(stdout).toMatch(/redis +1-16: real files of 1-12, 14\n/);
    expect(stdout).toMatch(/valkey +.*80: real files of /);
    expect(stdout).toMatch(/^for .*redis-2\.4, .*valkey-9\.1/m);
    expect(stdout).toMatch(/ioredis +found: live servers/);
    const json = JSON.parse((await runCli(['-V', '-v', '--json'])).stdout);
    expect(json).toMatchObject({ schemaVersion: 1, version: VERSION, reads: { unpacks: expect.anything() } });
    expect(json.packages.map(({ name }: { name: string }) => name)).toContain('hyparquet-writer');
  });

  it('answers an unknown option or command with 2, and shows no control bytes of it', async () => {
    const option = await runCli(['--jsn']);
    expect(option).toMatchObject({ exit: 2, stdout: '' });
    expect(option.stderr).toContain('did you mean --json?');
    const command = await runCli(['\u001b[2Jcheck']);
    expect(command.exit).toBe(2);
    expect(command.stderr).not.toContain('\u001b');
  });

  it('answers them with an object where --json asks for one', async () => {
    const error = (ran: { stdout: string }) => (JSON.parse(ran.stdout) as { error: unknown }).error;
    expect(error(await runCli(['chekc', '--json']))).toEqual({
      code: 'usage',
      path: null,
      message: "unknown command 'chekc'",
      hint: 'rekindle check',
    });
    expect(error(await runCli(['check', 'x', '--qick', '--json']))).toMatchObject({
      message: "unknown option '--qick'; did you mean --quick?",
      hint: 'rekindle help check',
    });
  });

  it('does not end doctor without a word where no line came', async () => {
    const { exit, stderr } = await runCli(['doctor'], { stdin: Buffer.from('\n') });
    expect(exit).toBe(1);
    expect(stderr).toContain('there was no line to explain');
  });
});

it('a strange file is quoted, but not with --redact', async () => {
  const path = join(temporaryDirectory('strange'), 'secret.txt');
  writeFileSync(path, 'the password is hunter2');
  for (const command of ['check', 'digest']) {
    expect((await runCli([command, path])).stderr).toContain("text: 'the password is hunter2'");
    const hidden = await runCli([command, path, '--redact', '--json']);
    expect([hidden.exit, hidden.both.includes('password')]).toEqual([3, false]);
    expect(hidden.both).toContain('is no known format');
  }
});

describe('an interrupt', () => {
  it('ends the wait for a pipe that says nothing', async () => {
    const stop = new AbortController();
    const running = runCli(['check', '-'], { stdin: new PassThrough(), signal: stop.signal });
    setTimeout(() => stop.abort(new Interrupted('interrupted')), 20);
    expect(await running).toMatchObject({
      exit: 130,
      stdout: '',
      stderr: 'rekindle: interrupted; nothing half-written is left behind\n',
    });
  });

  it('in the middle of the work leaves no output, complete or not', async () => {
    const directory = temporaryDirectory('interrupted');
    for (const out of ['out.rdb', 'out.aof', 'out']) {
      const stop = new AbortController();
      // The engine asks once a chunk how much is held: that is in the middle of the log.
      const heldBytes = () => {
        stop.abort(new Interrupted('interrupted'));
        return 0;
      };
      const source = corpusPath('redis-7.0.15', 'seed-app');
      const ran = await runCli(['replay', source, '--out', join(directory, out)], {
        signal: stop.signal,
        heldBytes,
      });
      expect(ran).toMatchObject({ exit: 130, stdout: '' });
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  it('because nobody reads any more is no failure and says nothing', async () => {
    const stop = new AbortController();
    stop.abort(new BrokenPipe('gone'));
    const ran = await runCli(['digest', corpusPath('redis-7.0.15', 'small.rdb')], { signal: stop.signal });
    expect(ran).toMatchObject({ exit: 0, stdout: '', stderr: '' });
  });
});

it('a dataset that outgrows --memory ends with 2 and no output', async () => {
  const directory = temporaryDirectory('memory');
  const source = corpusPath('redis-7.0.15', 'seed-app');
  const out = join(directory, 'out.rdb');
  const ran = await runCli(['replay', source, '--memory', '1GB', '--out', out], { heldBytes: () => 1e9 + 1 });
  expect(ran).toMatchObject({ exit: 2, stdout: '' });
  expect(ran.stderr).toContain('1000000001 bytes are held, 1000000000 are allowed');
  expect(readdirSync(directory)).toEqual([]);
});

it('a file that may not be read is a source that cannot be read', async () => {
  const path = join(temporaryDirectory('forbidden'), 'dump.rdb');
  writeFileSync(path, 'REDIS0010');
  chmodSync(path, 0);
  // Root reads everything; nobody else may be needed for the proof. All modules are loaded by now.
  const isRoot = process.geteuid?.() === 0;
  await runCli(['check', path]);
  if (isRoot) process.seteuid!(65534);
  try {
    const ran = await runCli(['check', path]);
    expect(ran).toMatchObject({ exit: 3, stdout: '' });
    expect(ran.stderr).toMatch(/^rekindle: .*dump\.rdb: permission denied\n {2}try: /);
  } finally {
    if (isRoot) process.seteuid!(0);
  }
});

describe('a terminal', () => {
  const damaged = '*3\r\n!';

  it('gets colours, and none with NO_COLOR, --no-color or a dumb one', async () => {
    const path = join(temporaryDirectory('terminal'), 'x.aof');
    writeFileSync(path, damaged);
    const shown = async (args: string[], env: Record<string, string> = {}, terminal = true) =>
      (await runCli(['check', path, ...args], { terminal, env })).stdout.includes('\u001b[');
    expect(await shown([])).toBe(true);
    expect(await shown([], {}, false)).toBe(false);
    expect(await shown(['--no-color'])).toBe(false);
    expect(await shown([], { NO_COLOR: '1' })).toBe(false);
    expect(await shown([], { TERM: 'dumb' })).toBe(false);
  });
});
