import { basename, dirname, join } from 'node:path';
import type { Disk } from '../bytes/disk.js';
import { localTree } from '../bytes/file-tree.js';
import { OutputError, UsageError } from '../errors.js';
import type { DialectName } from '../rdb/dialect.js';
import type { ToolContext } from './context.js';
import type { EvidenceFile } from './evidence.js';
import type { OpenOptions } from './source.js';
import { type AlarmOptions, raiseAlarm } from './verify/alarm.js';
import { verifyBackups } from './verify/backups.js';
import { type LockOwner, RunLock } from './verify/lock.js';
import { prometheusText, writeMetrics } from './verify/metrics.js';
import { type PingOptions, ping } from './verify/ping.js';
import { type SourceRun, UNSEEN, type VerifyTarget, verifySource } from './verify/source.js';
import { readState, type VerifyState, writeState } from './verify/state.js';
import type { SourceVerdict } from './verify/verdict.js';

export interface VerifyOptions {
  readonly targets: readonly VerifyTarget[];
  /** What earlier runs are remembered in; null: nothing is. */
  readonly statePath: string | null;
  /** Null: beside the state, if there is one. */
  readonly lockPath: string | null;
  readonly owner: LockOwner;
  /** Where metrics go; null: nowhere. */
  readonly metricsPath: string | null;
  /** After so long what is not verified yet has failed; null: it takes as long as it takes. */
  readonly timeoutMs: number | null;
  /** Later runs are compared with this one, even if it differs from those before. */
  readonly accept: boolean;
  readonly ping: PingOptions | null;
  readonly alarm: AlarmOptions | null;
  readonly dialect: DialectName | null;
  /** What a source `-` reads; null: there is no such thing. */
  readonly stdin: OpenOptions['stdin'];
  /** How bytes of the dataset are shown in metrics; missing: as they are. */
  readonly show?: (latin1: string) => string;
  readonly disk: Disk;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly sources: readonly SourceVerdict[];
  readonly durationMs: number;
  /** Something of the run itself that somebody should know of, though the backups are what they are. */
  readonly remarks: readonly VerifyRemark[];
  /** State and metrics that could not be written. */
  readonly failures: readonly OutputError[];
  /** Files that were read. */
  readonly inputs: readonly EvidenceFile[];
}

export type VerifyRemark =
  | { readonly kind: 'state-unusable'; readonly path: string; readonly why: string; readonly keptAs: string }
  | { readonly kind: 'lock-taken-over'; readonly path: string; readonly pid: number }
  | { readonly kind: 'ping-failed' | 'alarm-failed'; readonly why: string };

/** How long a lock counts when nobody can look whether its process lives and no run says how long it takes. */
const LOCK_MAX_MS = 24 * 3600_000;
const LATEST_MS = 2 ** 31 - 1;

/**
 * Verifies backups by rules, remembers what it found, and tells whoever is to know. A backup that is bad, missing or not
 * read in time is in the report; state and metrics are as they were or as this run leaves them, whenever it ends.
 *
 * @throws OutputError when another run is under way, UsageError for sources of one name, the signal's reason
 */
export async function verify(options: VerifyOptions, context: ToolContext): Promise<VerifyReport> {
  refuseSameNames(options.targets);
  const run = new VerifyRun(options, context);
  const lock = await run.lock();
  try {
    return await run.go();
  } finally {
    await lock?.release();
  }
}

function refuseSameNames(targets: readonly VerifyTarget[]): void {
  const names = new Set<string>();
  for (const { name } of targets) {
    if (names.has(name))
      throw new UsageError(`two sources are called ${name}`, 'give each a name of its own');
    names.add(name);
  }
}

class VerifyRun {
  private readonly remarks: VerifyRemark[] = [];
  private readonly failures: OutputError[] = [];
  private readonly runs: SourceRun[] = [];
  private locked = false;

  constructor(
    private readonly options: VerifyOptions,
    private readonly context: ToolContext,
  ) {}

  async lock(): Promise<RunLock | null> {
    const { lockPath, statePath, owner, disk, timeoutMs } = this.options;
    const path = lockPath ?? (statePath === null ? null : `${statePath}.lock`);
    if (path === null) return null;
    const lock = await RunLock.take(path, owner, this.context.clock(), timeoutMs ?? LOCK_MAX_MS, disk);
    this.locked = true;
    const { tookOverFrom: pid } = lock;
    if (pid !== null) this.remarks.push({ kind: 'lock-taken-over', path, pid });
    return lock;
  }

  async go(): Promise<VerifyReport> {
    const { options, context, runs } = this;
    const startedAt = context.clock();
    await this.tellService('start', '');
    const state = await this.remembered();
    await this.verifyAll(state);
    await this.keep(state);
    const sources = runs.map(({ verdict }) => verdict);
    const ok = sources.every((verdict) => verdict.ok);
    const summary = summaryOf(sources);
    await this.tellService(ok ? 'success' : 'fail', summary);
    if (!ok && options.alarm !== null) await this.alarm(options.alarm, sources, summary);
    const inputs = runs.flatMap((each) => each.inputs);
    const { remarks, failures } = this;
    return { ok, sources, durationMs: context.clock() - startedAt, remarks, failures, inputs };
  }

  /** What earlier runs left; nothing to remember by when it can't be had. */
  private async remembered(): Promise<VerifyState | null> {
    const { statePath: path, disk } = this.options;
    if (path === null) return null;
    try {
      await this.sweep(path);
      const state = await readState(path, disk);
      const { unusable: why, keptAs } = state;
      if (why !== '') this.remarks.push({ kind: 'state-unusable', path, why, keptAs });
      return state;
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  private async verifyAll(state: VerifyState | null): Promise<void> {
    const { options, context, runs } = this;
    const limit = new TimeLimit(options.timeoutMs, context.signal);
    const limited = { ...context, signal: limit.signal };
    try {
      for (const target of options.targets) {
        const memory = state?.of(target.name);
        const lastGoodMs = memory?.lastGoodMs ?? null;
        const surroundings = { ...options, baseline: memory?.baseline ?? null, lastGoodMs };
        const startedAt = context.clock();
        try {
          limit.signal.throwIfAborted();
          runs.push(
            target.backups === null
              ? await verifySource(target, surroundings, limited)
              : await verifyBackups(target, target.backups, surroundings, limited),
          );
        } catch (error) {
          context.signal.throwIfAborted();
          if (!limit.isOver) throw error;
          runs.push(late(target, options.timeoutMs!, lastGoodMs, context, context.clock() - startedAt));
        }
      }
    } finally {
      limit.end();
    }
  }

  private async keep(state: VerifyState | null): Promise<void> {
    const { options, runs } = this;
    const { statePath, metricsPath, disk, accept, show } = options;
    if (state !== null && statePath !== null) {
      for (const { verdict, baseline } of runs) {
        const good = verdict.ok || (accept && verdict.facts !== null) ? baseline : null;
        state.remember(verdict.name, rememberedOf(verdict), good);
      }
      await writeState(statePath, state, disk).catch((error) => this.fail(error));
    }
    if (metricsPath === null) return;
    const text = prometheusText(
      runs.map(({ verdict }) => verdict),
      show,
    );
    await this.sweep(metricsPath);
    await writeMetrics(metricsPath, text, disk).catch((error) => this.fail(error));
  }

  /** Removes what a run that was killed left beside a file it was writing: under the lock nobody else writes it. */
  private async sweep(path: string): Promise<void> {
    if (!this.locked) return;
    const directory = dirname(path);
    const stem = `${basename(path).slice(0, 50)}.partial-`;
    const names = await localTree.list(directory).catch(() => []);
    for (const name of names) {
      const isLeft = name.startsWith(stem) && /^[0-9a-f]{12}$/.test(name.slice(stem.length));
      if (isLeft) await this.options.disk.unlink(join(directory, name)).catch(() => {});
    }
  }

  private fail(error: unknown): void {
    if (error instanceof OutputError) this.failures.push(error);
    else if (error instanceof UsageError) this.failures.push(new OutputError('', error.message, error.hint));
    else throw error;
  }

  private async tellService(state: 'start' | 'success' | 'fail', body: string): Promise<void> {
    const { ping: service } = this.options;
    if (service === null) return;
    const why = await ping(service, state, body);
    if (why !== '') this.remarks.push({ kind: 'ping-failed', why: `${state}: ${why}` });
  }

  private async alarm(
    alarm: AlarmOptions,
    sources: readonly SourceVerdict[],
    summary: string,
  ): Promise<void> {
    const failed = sources.filter(({ ok }) => !ok).map(({ name }) => name);
    const environment = {
      ...alarm.environment,
      REKINDLE_VERDICT: 'failed',
      REKINDLE_FAILED: failed.join('\n'),
      REKINDLE_SUMMARY: summary,
    };
    const why = await raiseAlarm({ ...alarm, environment }, `${summary}\n`);
    if (why !== '') this.remarks.push({ kind: 'alarm-failed', why });
  }
}

/** Aborts after a while, and with whoever aborts all of it. */
class TimeLimit {
  isOver = false;
  private readonly abort = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly follow: () => void;

  constructor(
    ms: number | null,
    private readonly outer: AbortSignal,
  ) {
    this.follow = () => this.abort.abort(outer.reason);
    if (outer.aborted) this.follow();
    outer.addEventListener('abort', this.follow, { once: true });
    if (ms === null) return;
    const over = (): void => {
      this.isOver = true;
      this.abort.abort(new Error('out of time'));
    };
    this.timer = setTimeout(over, Math.min(ms, LATEST_MS));
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.follow);
  }
}

/** The verdict on a source that was not done, or not begun, when the time was over. */
function late(
  { name, path }: VerifyTarget,
  timeoutMs: number,
  lastGoodMs: number | null,
  { nowMs: atMs }: ToolContext,
  durationMs: number,
): SourceRun {
  const limit = timeoutMs / 1000;
  const rule = { name: 'in-time', ok: false, value: null, limit, of: '', detail: {} } as const;
  const verdict = { ...UNSEEN, name, path, atMs, durationMs, lastGoodMs, rules: [rule] };
  return { verdict, baseline: null, inputs: [] };
}

const rememberedOf = ({ atMs, ok, facts, durationMs, rules }: SourceVerdict) => ({
  atMs,
  ok,
  bytes: facts?.bytes ?? null,
  keys: facts?.keys ?? null,
  savedAtMs: facts?.savedAtMs ?? null,
  durationMs,
  failed: rules.filter((rule) => !rule.ok).map((rule) => rule.name),
});

/** What a service or an alarm is told: no bytes of a dataset in it. */
function summaryOf(sources: readonly SourceVerdict[]): string {
  return sources
    .map(({ name, ok, rules }) => {
      const failed = rules.filter((rule) => !rule.ok).map((rule) => rule.name);
      return ok ? `verified ${name}` : `FAILED ${name}: ${failed.join(', ')}`;
    })
    .join('\n');
}
