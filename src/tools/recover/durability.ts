import type { SavePoint, ServerConfig } from '../../model/server-config.js';
import type { Candidate } from './weigh.js';

/** How much a crash by itself can have cost, whatever became of the files. */
export interface Durability {
  /** `snapshot`: no log is kept. */
  readonly by: 'always' | 'everysec' | 'no' | 'snapshot';
  /** The most that a killed server can have lost, in milliseconds of writes; null: no bound. */
  readonly killedMs: number | null;
  /** The same when the machine lost power. */
  readonly powerMs: number | null;
  /** True when fsync was held back while a child saved or rewrote, so that a log is no better than the system's buffers then. */
  readonly heldBack: boolean;
  readonly savePoints: readonly SavePoint[];
  /** Of the RDB that a server would load; null without one. */
  readonly lastSaveMs: number | null;
  /** The last sign of life in the directory. */
  readonly lastWrittenMs: number | null;
}

/** A server that waits for an fsync holds back its writes for so long, and no longer. */
const POSTPONED_MS = 2000;
/** Linux writes dirty pages back when they are this old (dirty_expire_centisecs), looking every five seconds. */
const WRITEBACK_MS = 35_000;

/** What the configuration promises about the moment of the crash. */
export function durabilityOf(
  config: ServerConfig,
  candidates: readonly Candidate[],
  lastWrittenMs: number | null,
): Durability {
  const { savePoints, appendFsync, noAppendFsyncOnRewrite } = config;
  const rdb = candidates.find(({ kind }) => kind === 'rdb');
  const lastSaveMs = rdb === undefined ? null : (rdb.savedAtMs ?? rdb.modifiedMs);
  const common = { savePoints, lastSaveMs, lastWrittenMs, heldBack: false };
  if (!config.appendOnly) {
    const bound = savePoints.some((point) => point.changes <= 1)
      ? Math.min(...savePoints.filter(({ changes }) => changes <= 1).map(({ seconds }) => seconds * 1000))
      : null;
    return { ...common, by: 'snapshot', killedMs: bound, powerMs: bound };
  }
  switch (appendFsync) {
    case 'always':
      return { ...common, by: 'always', killedMs: 0, powerMs: 0, heldBack: noAppendFsyncOnRewrite };
    case 'everysec':
      return {
        ...common,
        by: 'everysec',
        killedMs: POSTPONED_MS,
        powerMs: POSTPONED_MS,
        heldBack: noAppendFsyncOnRewrite,
      };
    case 'no':
      return { ...common, by: 'no', killedMs: 0, powerMs: WRITEBACK_MS };
  }
}
