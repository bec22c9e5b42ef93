import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { CORRUPT_SERVERS, type CorpusCase, type CorruptTruth, corruptCases } from '../support/corpus.js';
import { digestName } from '../support/verdict.js';

interface Verdict {
  readonly exit: 0 | 1;
  readonly why: string;
}

/**
 * Cases in which `check` deliberately says something else than the server that was started on the file. A case counts
 * for all servers unless it names one.
 */
const DISAGREEMENTS: Readonly<Record<string, Verdict>> = {
  'aof-bad-arity': { exit: 0, why: 'commands are not executed, so their arguments are not counted' },
  'aof-bad-command': { exit: 0, why: 'commands are not executed, so an unknown one is not met' },
  'aof-bad-command-in-multi': { exit: 0, why: 'commands are not executed, so an unknown one is not met' },
  'aof-empty-command': { exit: 0, why: 'commands are not executed, so an unknown one is not met' },
  'aof-discard-in-multi': {
    exit: 0,
    why: 'DISCARD is a command like others; only execution shows what it does',
  },
  'rdb-dup-key': { exit: 0, why: 'finding a key twice takes memory for every key' },
  'rdb-bad-selectdb': { exit: 0, why: 'how many databases there are is configuration' },
  'aof-exec-without-multi': {
    exit: 1,
    why: 'servers skip the EXEC; what belonged to it ran outside a transaction',
  },
  'aof-nested-multi': { exit: 1, why: 'servers go on as if the second MULTI were not there' },
  'aof-multi-no-exec-middle': { exit: 1, why: 'two transactions ran as one' },
  'manifest-absent': { exit: 1, why: 'the server starts, but empty: none of the files is loaded' },
  'redis-4.0.14/rdb-bitflip-1-crcfixed': {
    exit: 1,
    why: 'a damaged ziplist, which this server loads unseen',
  },
  'redis-4.0.14/rdb-bitflip-4-crcfixed': { exit: 1, why: 'a member twice, which this server loads unseen' },
  'redis-6.2.16/rdb-bitflip-3-crcfixed': {
    exit: 1,
    why: 'a damaged stream node, which this server loads unseen',
  },
};

/** Cases in which rekindle deliberately rebuilds something else than the server had, or nothing. */
const OTHER_DATA: Readonly<Record<string, string>> = {
  'aof-bad-select': 'a log that selects database 99 comes from a server that has one; this one had 16',
  'manifest-absent': 'the server starts empty: none of the files is loaded',
  'keydb-6.3.4/rdb-dup-key': 'the server loads the key twice and serves one of the two',
  'redis-2.8.24/aof-trunc-in-multi': 'the server applies the half of a transaction that is there',
  'redis-3.2.13/aof-trunc-in-multi': 'the server applies the half of a transaction that is there',
  'redis-4.0.14/rdb-bitflip-4-crcfixed': 'the server keeps a member twice',
  'redis-6.2.16/rdb-bitflip-3-crcfixed': 'the server serves a damaged stream node',
  'redis-7.4.1/aof-bad-arity':
    'the server executes a SET without a value: it takes what lies behind it in memory',
};

const used = new Set<string>();

describe.each(CORRUPT_SERVERS)('check of damaged files of %s', (server) => {
  for (const one of corruptCases(server)) {
    test(`${one.name}: ${one.truth.what}`, async () => {
      const startedAt = performance.now();
      const { exit, stdout } = await runCli(['check', one.path, '--json']);
      expect(performance.now() - startedAt).toBeLessThan(5000);
      const report = JSON.parse(stdout) as {
        ok: boolean;
        files: { bytes: number | null; validBytes: number | null }[];
      };
      expect(report.ok).toBe(exit === 0);
      for (const file of report.files) expect((file.validBytes ?? 0) <= (file.bytes ?? 0)).toBe(true);
      const expected = expectedExit(one);
      expect(exit).toBe(expected);
    });
  }
});

describe.each(CORRUPT_SERVERS)('what is rebuilt from damaged files of %s', (server) => {
  for (const { name, title, path, truth } of corruptCases(server)) {
    const { digest } = truth.load;
    // Starting from an RDB, unlike from a log, a server leaves out what has expired.
    const filter = truth.kind === 'rdb' ? ['--expired', 'drop'] : [];
    if (digest === undefined || name in OTHER_DATA || title in OTHER_DATA) continue;
    test(`${name} is what the server had in memory`, async () => {
      const { exit, stdout } = await runCli([
        'digest',
        path,
        '--json',
        '--as',
        digestName(server),
        ...filter,
      ]);
      expect(exit).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ digest });
    });
  }
});

test('every disagreement on the list exists', () => {
  expect(Object.keys(DISAGREEMENTS).filter((name) => !used.has(name))).toEqual([]);
});

function expectedExit(one: CorpusCase<CorruptTruth>): number {
  const byServer = startsAsItIs(one.truth) ? 0 : 1;
  for (const name of [one.title, one.name]) {
    const verdict = DISAGREEMENTS[name];
    if (verdict === undefined || verdict.exit === byServer) continue;
    used.add(name);
    return verdict.exit;
  }
  return byServer;
}

/** True when the server started and left nothing out: what it cuts off is damage all the same. */
function startsAsItIs({ load, load_truncated_no: strict }: CorruptTruth): boolean {
  if (!load.started || strict?.started === false) return false;
  return !load.log.some((line) => /Truncating the AOF|Revert incomplete|Unexpected end of file/i.test(line));
}
