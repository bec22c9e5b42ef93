import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { testdata } from './corpus.js';
import { readTarGz } from './tar.js';
import { temporaryDirectory } from './temporary.js';

/** A start of a real server on a copy of the directory, with settings on top of those of its redis.conf. */
export interface RecoveryStart {
  /** `appendonly yes aof-load-truncated no` and the like; '' for redis.conf alone. */
  readonly settings: string;
  readonly started: boolean;
  readonly log: readonly string[];
  readonly digest?: string;
  readonly dbsize?: Readonly<Record<string, number>>;
  readonly filesAfter?: readonly string[];
}

export interface RecoveryTruth {
  readonly case: string;
  /** What happened to the server or its files. */
  readonly what: string;
  /** What the server held right before. */
  readonly held: { readonly digest: string };
  /** Milliseconds since the epoch, by path below the directory. */
  readonly modified: Readonly<Record<string, number>>;
  readonly starts: readonly RecoveryStart[];
}

const ARCHIVE = 'redis-7.0.15.tar.gz';
let files: ReadonlyMap<string, Buffer> | null = null;

function archive(): ReadonlyMap<string, Buffer> {
  files ??= readTarGz(readFileSync(testdata('recovery', ARCHIVE)));
  return files;
}

/** Names of the directories of crashed servers. */
export const RECOVERY_CASES: readonly string[] = [...archive().keys()]
  .filter((path) => path.endsWith('/truth.json'))
  .map((path) => dirname(path))
  .sort();

export function recoveryTruth(name: string): RecoveryTruth {
  return JSON.parse(archive().get(`${name}/truth.json`)!.toString('utf8')) as RecoveryTruth;
}

/** A fresh copy of the directory, its files as old as they were. */
export function recoveryDirectory(name: string, into = join(temporaryDirectory('recovery'), name)): string {
  const prefix = `${name}/data/`;
  const { modified } = recoveryTruth(name);
  mkdirSync(into, { recursive: true });
  for (const [path, bytes] of archive()) {
    if (!path.startsWith(prefix)) continue;
    const below = path.slice(prefix.length);
    const to = join(into, below);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, bytes);
    // A quarter of a millisecond more: releases of Node.js differ in how they round what is not quite a whole one.
    const seconds = ((modified[below] ?? 0) + 0.25) / 1000;
    utimesSync(to, seconds, seconds);
  }
  return into;
}
