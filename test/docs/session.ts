import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { runCli } from '../cli/memory-io.js';
import { builtProgram } from '../support/built.js';
import { CORRUPT_SERVERS, corpusPath, corruptCases, testdata } from '../support/corpus.js';
import { RECOVERY_CASES, recoveryDirectory } from '../support/recovery.js';
import { temporaryDirectory } from '../support/temporary.js';
import type { Example } from './page.js';

/** What a command printed, both streams in the order of writing. */
export interface Output {
  readonly exit: number;
  readonly text: string;
}

/** What only a shell can do. */
const SHELL = /[|<>&;$*?`\\(]|\s#|^(?!(npx )?rekindle )/;

/**
 * A page's own directory, in which its commands run one after the other, as a reader would type them. Absolute paths
 * of the page (`/var/lib/redis`) lie below that directory, and are read back out of what is printed.
 */
export class DocsSession {
  readonly directory = temporaryDirectory('docs');

  constructor(
    /** What `redis://localhost:6379` stands for; empty where the page has no server. */
    private readonly serverAddress: string,
  ) {
    symlinkSync(resolve('testdata'), join(this.directory, 'testdata'));
    const bin = join(this.directory, '.bin');
    mkdirSync(bin);
    for (const name of ['rekindle', 'rekindle-check-aof', 'rekindle-check-rdb', 'npx']) {
      const program = name === 'npx' ? '' : ` ${join(dirname(builtProgram()), `${name}.js`)}`;
      const text = name === 'npx' ? '#!/bin/sh\nexec "$@"\n' : `#!/bin/sh\nexec node${program} "$@"\n`;
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
  }

  /** Puts in place what a block wants to find. */
  prepare(example: Example): void {
    for (const [name, source] of example.files) this.place(name, source);
    if (example.setup === '') return;
    const { exit, text } = this.shell(this.inHere(example.setup));
    if (exit !== 0) throw new Error(`line ${example.line}: what comes before the example failed: ${text}`);
  }

  /** Runs one command line; plain ones of rekindle in this process, the others in a shell. */
  async run(typed: string): Promise<Output> {
    // This run has done its set-up: it is what is running.
    const line = typed.replace(/^npm ci && /, '');
    const command = this.inHere(line);
    const { exit, text } = SHELL.test(line) ? this.shell(command) : await this.inProcess(command);
    return { exit, text: this.asWritten(text) };
  }

  private async inProcess(command: string): Promise<Output> {
    const argv = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c!);
    if (argv[0] === 'npx') argv.shift();
    const home = process.cwd();
    process.chdir(this.directory);
    try {
      const ran = await runCli(argv.slice(1));
      return { exit: ran.exit, text: ran.both };
    } finally {
      process.chdir(home);
    }
  }

  private shell(command: string): Output {
    const env = {
      ...process.env,
      SERVER_SOCKET: this.serverAddress.replace('unix://', ''),
      PATH: `${join(this.directory, '.bin')}:${process.env['PATH']}`,
      NO_COLOR: '1',
    };
    const ran = spawnSync('sh', ['-e', '-c', `exec 2>&1\n${command}`], {
      cwd: this.directory,
      encoding: 'utf8',
      env,
    });
    return { exit: ran.status ?? -1, text: ran.stdout };
  }

  private inHere(command: string): string {
    return command
      .replaceAll(/(^|[\s=])\/(?=(?:var|etc|srv|backups?|mnt|tmp)\/)/g, `$1${this.directory}/`)
      .replaceAll(/redis:\/\/localhost(?::\d+)?(?:\/\d+)?/g, this.serverAddress);
  }

  private asWritten(text: string): string {
    return text
      .replaceAll(this.serverAddress === '' ? '\0' : this.serverAddress, 'redis://localhost:6379')
      .replaceAll(new RegExp(`${this.directory}/(?=(?:var|etc|srv|backups?|mnt|tmp)/)`, 'g'), '/')
      .replaceAll(`${this.directory}/`, '');
  }

  private place(name: string, source: string): void {
    const path = join(this.directory, name);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { recursive: true, force: true });
    cpSync(sourcePath(source), path, { recursive: true, preserveTimestamps: true });
  }
}

/** `crashed`, `recovery/CASE`, `corrupt/SERVER/CASE` or a file of a server's folder: `redis-7.0.15/types.rdb`. */
export function sourcePath(source: string): string {
  const [folder, ...rest] = source.split('/');
  if (folder === 'crashed') return testdata(...source.split('/'));
  if (folder === 'recovery') {
    const name = rest.join('/');
    if (!RECOVERY_CASES.includes(name)) throw new Error(`no such crashed server: ${source}`);
    return recoveryDirectory(name);
  }
  if (folder === 'corrupt') {
    const server = CORRUPT_SERVERS.find((known) => known === rest[0]);
    const found =
      server === undefined ? undefined : corruptCases(server).find((each) => each.name === rest[1]);
    if (found === undefined) throw new Error(`no such damaged file: ${source}`);
    return found.path;
  }
  return corpusPath(folder as never, rest.join('/'));
}
