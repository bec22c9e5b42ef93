import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseOf, type Server } from '../../src/tools/family.js';
import { runCli } from '../cli/memory-io.js';
import { targetName } from './round.js';

/** What `replay` writes of a log for the server that it came from. */
export interface Replayed {
  /** As it printed it. */
  readonly digest: string;
  /** Paths: an RDB; and a log: an `appendonlydir` from 7.0 on, before that one file. */
  readonly rdb: string;
  readonly log: string;
}

/** Replays a log by the command line, twice, into a directory that is emptied before. @throws Error when it fails */
export async function replayedByCommand(
  log: Buffer,
  server: Server,
  nowMs: number,
  home: string,
): Promise<Replayed> {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const given = join(home, 'given.aof');
  writeFileSync(given, log);
  const rdb = join(home, 'out.rdb');
  const name = releaseOf(server) >= 700 ? 'appendonlydir' : 'out.aof';
  const digests: string[] = [];
  for (const out of [rdb, join(home, name)]) {
    const argv = ['replay', given, '--out', out, '--for', targetName(server), '--on-unknown', 'skip'];
    const as = `${server.product}-${server.version}`;
    const { exit, stdout, both } = await runCli([...argv, '--as', as, '--json'], { nowMs });
    if (exit !== 0) throw new Error(`replay --out ${out} exits ${exit}: ${both}`);
    digests.push((JSON.parse(stdout) as { digest: string }).digest);
  }
  const [digest, again] = digests;
  if (digest !== again) throw new Error(`replay says ${digest}, then ${again}`);
  return { digest: digest!, rdb, log: join(home, name) };
}
