import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from '../support/temporary.js';

const HOME = temporaryDirectory('peers');

/** True where the tools of Redis 7.0 are installed; with REKINDLE_REQUIRE_SERVER=1 anything else is a failure. */
export const ORIGINALS_HERE = findOriginals();

function findOriginals(): boolean {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  const here = /v=7\.0\.\d+/.test(stdout ?? '');
  if (!here && process.env['REKINDLE_REQUIRE_SERVER'] === '1') throw new Error('Redis 7.0 is wanted');
  if (!here) console.warn('no Redis 7.0 here: what its own tools do is not shown');
  return here;
}

export interface Official {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

export interface OfficialOptions {
  /** What it reads from standard input; the end of the file when left out. */
  readonly answer?: string;
  /** As another user. */
  readonly uid?: number;
}

/** Runs an official checker. */
export function official(
  program: 'redis-check-aof' | 'redis-check-rdb',
  words: readonly string[],
  { answer = '', uid }: OfficialOptions = {},
): Official {
  const identity = uid === undefined ? {} : { uid, gid: uid };
  const ran = spawnSync(program, words, { encoding: 'utf8', input: answer, ...identity });
  return { code: ran.status, signal: ran.signal, output: ran.stdout + ran.stderr };
}

/** A new directory that everybody may read. */
export function place(): string {
  for (let open = HOME; open !== tmpdir() && dirname(open) !== open; open = dirname(open)) {
    chmodSync(open, 0o755);
  }
  const directory = mkdtempSync(join(HOME, 'case-'));
  chmodSync(directory, 0o755);
  return directory;
}

/** A new file with these bytes, in a directory of its own. */
export function fileOf(bytes: Buffer | string, name = 'appendonly.aof'): string {
  const path = join(place(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, 'latin1');
  return path;
}

/** A data directory whose log is one increment. */
export function logDirectory(log: string): { readonly directory: string; readonly log: string } {
  const directory = place();
  const name = 'appendonly.aof.1.incr.aof';
  mkdirSync(join(directory, 'appendonlydir'));
  writeFileSync(join(directory, 'appendonlydir', 'appendonly.aof.manifest'), `file ${name} seq 1 type i\n`);
  const path = join(directory, 'appendonlydir', name);
  writeFileSync(path, log, 'latin1');
  return { directory, log: path };
}

/** Runs with the rights of nobody in particular, where this process has more. */
export async function asNobody<T>(what: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return what();
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await what();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/** The user without rights on Debian. */
export const NOBODY = 65534;
