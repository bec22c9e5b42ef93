import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recover } from '../../src/tools/library.js';
import type { ForeseenStart } from '../../src/tools/recover/plan.js';
import type { RecoverReport } from '../../src/tools/recover.js';
import { CORPUS_NOW, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { RECOVERY_CASES, type RecoveryTruth, recoveryDirectory, recoveryTruth } from '../support/recovery.js';
import { temporaryDirectory } from '../support/temporary.js';

const EMPTY = '0'.repeat(40);

/** Where everything that the server held is still in the files, in whatever disorder. */
const NOTHING_LOST = [
  'enabling-aof',
  'everysec-kill',
  'legacy-rewrite',
  'manifest-lost',
  'manifest-lost-first',
  'appendonly-switched',
  'preamble-damaged',
  'preamble-damaged-alone',
  'rewrite-1-increment',
  'rewrite-2-child',
  'rewrite-3-temporary',
  'rewrite-4-base',
  'rewrite-4-base-damaged',
  'rewrite-5-manifest',
  'rewrite-6-history',
  'rewrite-6-history-damaged',
  'single-log-beside',
  'torn-in-the-middle',
];

describe.each(RECOVERY_CASES)('%s', (name) => {
  const truth = recoveryTruth(name);

  const directory = recoveryDirectory(name);
  const out = join(temporaryDirectory('out'), 'recovered');
  let carried: Promise<{ readonly before: Record<string, string>; readonly report: RecoverReport }> | null =
    null;

  /** The plan is carried out once, for both tests. */
  function carryOut() {
    carried ??= (async () => {
      const before = contentOf(directory);
      return { before, report: await recover(directory, { output: { path: out, force: false } }) };
    })();
    return carried;
  }

  it('foresees every start as the real server did it', async () => {
    const { report } = await carryOut();
    expect(report.starts.length).toBeGreaterThanOrEqual(2);
    if (NOTHING_LOST.includes(name)) expect(report.plan?.measured.measure?.digest).toBe(truth.held.digest);
    // The plan saves no less than the server would.
    expect(report.plan?.measured.measure?.keys ?? 0).toBeGreaterThanOrEqual(report.starts[0]!.keys ?? 0);
    for (const start of report.starts) {
      const real = realStart(truth, start);
      const got = start.outcome === 'refuses' ? 'refused' : start.digest;
      expect(got, `${start.expected} ${start.appendOnly}`).toBe(real.started ? real.digest : 'refused');
    }
  });

  it('carries its best plan out, and leaves the directory as it was', async () => {
    const { before, report } = await carryOut();
    expect(contentOf(directory)).toEqual(before);
    const { plan, output } = report;
    if (plan === null) {
      expect(output).toBeNull();
      expect(existsSync(out)).toBe(false);
      return;
    }
    expect(output?.digest).toBe(plan.measured.measure!.digest);
    const again = await recover(out);
    expect(again.verdict).toBe('ready');
    expect(again.plan?.measured.measure?.digest).toBe(output?.digest);
    expect(again.plan?.loss.bytes).toBe(0);
  });
});

describe('what it says of the traps', () => {
  const startOf = (report: RecoverReport): ForeseenStart => report.starts[0]!;

  it.each(['aof-deleted', 'appendonly-switched'])('%s: an RDB that is not even looked at', async (name) => {
    const report = await recover(recoveryDirectory(name));
    expect(startOf(report)).toMatchObject({ outcome: 'empty', reason: 'no-log', digest: EMPTY });
    expect(startOf(report).effects).toEqual(['may-overwrite-rdb']);
    expect(report.verdict).toBe('recoverable');
  });

  it('a log without its manifest counts for nothing, and is written over', async () => {
    const later = startOf(await recover(recoveryDirectory('manifest-lost')));
    expect(later).toMatchObject({
      outcome: 'empty',
      reason: 'no-manifest',
      effects: ['rewrites-over-strays'],
    });
    const first = startOf(await recover(recoveryDirectory('manifest-lost-first')));
    expect(first.effects).toEqual(['appends-to-strays', 'replaces-base']);
    const { filesAfter } = recoveryTruth('manifest-lost-first').starts[0]!;
    expect(filesAfter).toContain('appendonlydir/appendonly.aof.1.incr.aof');
  });

  it('a good log that is not loaded because of appendonly no', async () => {
    const report = await recover(recoveryDirectory('everysec-kill'));
    const other = report.starts.find(({ appendOnly }) => !appendOnly)!;
    expect(other).toMatchObject({ outcome: 'empty', reason: 'nothing-there', effects: ['ignores-log'] });
  });

  it('a log torn inside a transaction is cut behind its MULTI', async () => {
    const torn = startOf(await recover(recoveryDirectory('everysec-power')));
    expect(torn).toMatchObject({ outcome: 'loads-part', reason: 'log-cut' });
    expect(torn.effects).toContain('leaves-open-multi');
    const plain = startOf(await recover(recoveryDirectory('torn-tail')));
    expect(plain.effects).toEqual(['cuts-log']);
  });

  it('a damaged end is cut by servers that are told how much they may', async () => {
    // As Redis 8.8 did with this file: 880 bytes from the damage on, and the limit must be larger than that.
    const directory = recoveryDirectory('corrupt-after-save');
    const conf = join(temporaryDirectory('conf'), 'redis.conf');
    const outcomes: string[] = [];
    for (const limit of [0, 880, 881]) {
      writeFileSync(conf, `appendonly yes\naof-load-corrupt-tail-max-size ${limit}\n`);
      outcomes.push(startOf(await recover(directory, { config: conf })).outcome);
    }
    expect(outcomes).toEqual(['refuses', 'refuses', 'loads-part']);
  });

  it('far fewer keys than a backup holds are remarked upon', async () => {
    const { plan, ways } = await recover(recoveryDirectory('started-empty'));
    expect(plan?.cautions).toContain('fewer-keys');
    expect(ways.map(({ measure }) => measure?.digest)).toContain(recoveryTruth('started-empty').held.digest);
  });
});

describe('damage', () => {
  it('in the log long before the snapshot: the snapshot is the plan, and what it lacks is said', async () => {
    const { plan } = await recover(recoveryDirectory('corrupt-before-save'));
    expect(plan?.way.kind).toBe('rdb');
    expect(plan?.loss.unused).toEqual(['appendonlydir/appendonly.aof.1.incr.aof']);
  });

  it('near the end of the log: the log up to there is the plan', async () => {
    const { plan, ways } = await recover(recoveryDirectory('corrupt-after-save'));
    expect(plan?.way).toMatchObject({ kind: 'log', damage: { code: 'aof/bad-prefix' } });
    expect(plan?.loss.ranges).toHaveLength(1);
    expect(plan?.loss.bytes).toBeGreaterThan(0);
    expect(ways.map(({ way }) => way.kind)).toContain('rdb');
  });

  it('of one byte of a base is put right where the checksum proves what it was', async () => {
    const { plan } = await recover(recoveryDirectory('preamble-damaged-alone'));
    expect(plan?.way).toMatchObject({ kind: 'log', existed: true, corrected: 1, lostBytes: 0 });
  });

  it('of more of a base: the snapshot, or with skip everything that reads', async () => {
    const directory = recoveryDirectory('preamble-damaged');
    const base = join(directory, 'appendonlydir/appendonly.aof.2.base.rdb');
    const bytes = readFileSync(base);
    bytes.fill(0x99, 700, 764);
    writeFileSync(base, bytes);
    const { plan } = await recover(directory);
    expect(plan?.way).toMatchObject({ kind: 'rdb', existed: true });
    const out = join(temporaryDirectory('out'), 'recovered');
    const report = await recover(directory, { strategy: 'skip', output: { path: out, force: false } });
    expect(report.plan?.way).toMatchObject({ kind: 'log', existed: false });
    expect(report.output!.keys).toBeGreaterThan(140);
    expect(report.output!.keys).toBeGreaterThan(plan!.measured.measure!.keys);
    expect((await recover(out)).verdict).toBe('ready');
  });

  it('with skip keeps what follows it, and never takes that unasked', async () => {
    const directory = recoveryDirectory('corrupt-after-save');
    const { plan, ways } = await recover(directory, { strategy: 'skip' });
    expect(plan?.way).toMatchObject({ kind: 'log', existed: false });
    expect(plan!.way.commands).toBeGreaterThan(ways[0]!.way.commands);
    expect(ways[0]!.way.existed).toBe(true);
  });

  it('a file that ends too early with others behind it is refused by servers and cut by the plan', async () => {
    const { starts, ways } = await recover(recoveryDirectory('torn-in-the-middle'));
    expect(starts[0]).toMatchObject({ outcome: 'refuses', reason: 'torn-not-last' });
    expect(ways.some(({ way }) => way.kind === 'log' && way.damage !== null)).toBe(true);
  });
});

function realStart(truth: RecoveryTruth, start: ForeseenStart) {
  const more = start.aofLoadTruncated ? '' : ' aof-load-truncated no';
  const settings = start.expected ? '' : `appendonly ${start.appendOnly ? 'yes' : 'no'}${more}`;
  return truth.starts.find((each) => each.settings === settings)!;
}

function contentOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(directory, name);
      const stats = statSync(path);
      return [
        name,
        stats.isFile() ? `${stats.mtimeMs} ${readFileSync(path).toString('base64')}` : 'directory',
      ];
    }),
  );
}

describe('every damaged file that a Redis 7.0 was started on', () => {
  /** Where the server did something else than is foretold, and why. */
  const DIFFERENT: Readonly<Record<string, string>> = {
    'aof-len-huge': 'a length of 100 GB: this server happened to take it for a torn tail, others die of it',
  };
  const conf = join(temporaryDirectory('conf'), 'redis.conf');

  // All of them where there is time.
  const some = corruptCases('redis-7.0.15').filter((_, i) => THOROUGH || i % 9 === 0);

  it.each(some.map((each) => [each.name, each] as const))('%s', async (name, each) => {
    const { path, truth } = each;
    const directory = temporaryDirectory('start');
    const isRdb = truth.kind === 'rdb';
    if (statSync(path).isDirectory()) cpSync(path, directory, { recursive: true });
    else cpSync(path, join(directory, isRdb ? 'dump.rdb' : 'appendonly.aof'));
    const settings = `appendonly ${isRdb ? 'no' : 'yes'}\naof-load-truncated`;
    for (const [load, truncated] of [
      [truth.load, 'yes'],
      [truth.load_truncated_no, 'no'],
    ] as const) {
      if (load === undefined || name in DIFFERENT) continue;
      writeFileSync(conf, `${settings} ${truncated}\n`);
      const { starts } = await recover(directory, { config: conf, nowMs: CORPUS_NOW * 1000 });
      expect(starts[0]!.outcome !== 'refuses', starts[0]!.reason).toBe(load.started);
    }
    // Whatever the file is, what is written of it is whole, or nothing is.
    for (const strategy of ['truncate', 'skip'] as const) {
      const out = join(directory, '..', `${name}-${strategy}`);
      rmSync(out, { recursive: true, force: true });
      const output = { path: out, force: false };
      const report = await recover(directory, { config: conf, nowMs: CORPUS_NOW * 1000, strategy, output });
      expect(existsSync(out)).toBe(report.output !== null);
    }
  });
});
