import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatManifest } from '../../src/aof/manifest.js';
import { runCli } from '../cli/memory-io.js';
import { corpusBytes, corpusPath } from '../support/corpus.js';
import { resp } from '../support/resp.js';

/** What `repair --json` prints. */
export interface Answer {
  readonly ok: boolean;
  readonly output: string | null;
  readonly refusal: string | null;
  readonly actions: readonly {
    readonly file: string;
    readonly kind: string;
    readonly from: number;
    readonly to: number;
    readonly lostBytes: number;
    readonly lostCommands: number | null;
    readonly lostKeys: number | null;
  }[];
  readonly strategies: readonly {
    readonly name: string;
    readonly possible: boolean;
    readonly lostBytes: number;
  }[];
  readonly backups: readonly { readonly path: string }[];
  readonly leftBehind: readonly string[];
}

/** Runs the command. */
export async function repair(
  ...args: string[]
): Promise<Answer & { readonly exit: number; readonly stderr: string }> {
  const { exit, stdout, stderr } = await runCli(['repair', ...args, '--json']);
  return { exit, stderr, ...(JSON.parse(stdout) as Answer) };
}

export const FIRST = resp('SELECT 0', 'SET a 1');
export const BAD = '!!damaged!!';
export const REST = resp('SET b 2', 'SET c 3');

/** A data directory with a base and two increments; the first of them is damaged. */
export function dataDirectory(home: string, name = 'data'): string {
  const path = join(home, name);
  const log = join(path, 'appendonlydir');
  mkdirSync(log, { recursive: true });
  cpSync(corpusPath('redis-7.0.15', 'small.rdb'), join(log, 'appendonly.aof.1.base.rdb'));
  writeFileSync(join(log, 'appendonly.aof.1.incr.aof'), FIRST + BAD + REST, 'latin1');
  writeFileSync(join(log, 'appendonly.aof.2.incr.aof'), resp('SELECT 0', 'SET d 4'));
  const line = (file: string, seq: number, type: 'b' | 'i') => ({
    name: `appendonly.aof.${file}`,
    seq,
    type,
  });
  const base = line('1.base.rdb', 1, 'b');
  const increments = [line('1.incr.aof', 1, 'i'), line('2.incr.aof', 2, 'i')];
  writeFileSync(join(log, 'appendonly.aof.manifest'), formatManifest({ base, increments }));
  writeFileSync(join(path, 'redis.conf'), 'appendonly yes\n');
  writeFileSync(join(path, 'dump.rdb'), corpusBytes('redis-7.0.15', 'empty.rdb'));
  for (const left of ['temp-1234.rdb', 'redis.pid', 'dump.rdb.bak-20260301T120000Z']) {
    writeFileSync(join(path, left), 'left over');
  }
  return path;
}

/** A log with a damage in its middle. */
export function damagedLog(home: string, name = 'log.aof'): string {
  const path = join(home, name);
  writeFileSync(path, FIRST + BAD + REST, 'latin1');
  return path;
}
