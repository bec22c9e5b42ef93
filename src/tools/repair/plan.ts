import type { ByteSource } from '../../bytes/source.js';
import type { Finding } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import type { RdbSurvey } from '../../salvage/rdb-report.js';

/**
 * Ways out of damage. `truncate`: everything up to the first damage, a state that really existed. `skip`: everything but
 * the damage. `salvage`: the same for an RDB, whose keys stand in no order of time.
 */
export type StrategyName = 'truncate' | 'skip' | 'salvage';

/** What a repair keeps beyond what is whole and certain. */
export interface PlanOptions {
  /** Keep what reads of a damaged large value. */
  readonly partial: boolean;
  /** Keep whole records that may be the content of a value. */
  readonly doubtful: boolean;
  readonly dialect: DialectName | null;
}

/** What is done to a range of a file. */
export type ActionKind =
  /** The end of the file is cut off. */
  | 'truncate'
  /** A range is left out, what follows it is kept. */
  | 'drop'
  /** A transaction that the end of the log cuts short: it never took effect. */
  | 'drop-transaction'
  /** A MULTI or EXEC without its counterpart; the commands of its transaction stay. */
  | 'drop-marker'
  /** Whole records that may only be the content of a value. */
  | 'drop-doubtful'
  /** Whole keys whose names stood before: no server loads them. */
  | 'drop-duplicate'
  /** A byte that the checksum shows to be wrong, and what it was. */
  | 'correct'
  /** Bytes behind the end of an RDB that nothing reads are left out. */
  | 'drop-trailing'
  /** An annotation without its line end is left out: the next append would join it. */
  | 'drop-annotation'
  /** The whole file no longer belongs to the set: it lies behind the cut. */
  | 'leave-out'
  /** The manifest names a file that is not there: it no longer does. */
  | 'forget-missing'
  /** The magic at the start is made anew. */
  | 'rewrite-header'
  /** The end mark and checksum are made anew. */
  | 'rewrite-trailer'
  /** Part of a key's value is left out, the rest kept. */
  | 'keep-partly'
  /** The manifest is written anew from the names of the files. */
  | 'rebuild-manifest';

/** One step of a repair. Plain data. */
export interface RepairAction {
  /** Path of the file. */
  readonly file: string;
  readonly kind: ActionKind;
  /** The bytes concerned; both 0 when it is not about bytes of the file. */
  readonly from: number;
  readonly to: number;
  readonly lostBytes: number;
  /** Whole commands that are lost; null: nobody can tell. */
  readonly lostCommands: number | null;
  /** Keys that are lost; null: nobody can tell. */
  readonly lostKeys: number | null;
  /** What is wrong there. */
  readonly because: Finding | null;
}

/** Why a strategy cannot be carried out. */
export type Obstacle =
  /** Keys of a damaged RDB stand in no order of time: nothing before the damage is a state that existed. */
  | 'base-damaged'
  /** The manifest names a base that is not there: what the rest builds on is unknown. */
  | 'base-missing'
  /** The damage begins where the log does. */
  | 'nothing-before'
  /** No file of the dataset would be left. */
  | 'nothing-left';

/** `[from, to)` of a file. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** A part of the new content of a file. */
export type Piece =
  /** Bytes of the file as they stand. */
  | { readonly kind: 'bytes'; readonly from: number; readonly to: number }
  /** Bytes of our own: a manifest. */
  | { readonly kind: 'text'; readonly bytes: Buffer }
  /** A fresh RDB of what still reads. */
  | {
      readonly kind: 'rdb';
      readonly survey: RdbSurvey;
      readonly doubtful: boolean;
      readonly partial: boolean;
    };

/** Keys that are kept although nothing proves or something speaks against them. */
export interface Doubts {
  /** Whole keys in a file whose checksum does not match. */
  readonly unprovenKeys: number;
  /** Whole records that may be the content of a value. */
  readonly doubtful: number;
  /** Whether those are kept. */
  readonly doubtfulKept: boolean;
  /** Keys, or commands of a log, whose database is a guess. */
  readonly guessedDatabases: number;
  /** Keys of which a part can be read. */
  readonly partialKeys: number;
  /** Transactions of which only a part is kept, and the commands of that part. */
  readonly brokenTransactions: number;
  readonly brokenCommands: number;
}

export const NO_DOUBTS: Doubts = {
  unprovenKeys: 0,
  doubtful: 0,
  doubtfulKept: false,
  guessedDatabases: 0,
  partialKeys: 0,
  brokenTransactions: 0,
  brokenCommands: 0,
};

/** What becomes of one file of a dataset. */
export interface FileOutcome {
  /** Path of the file; of a manifest that is lost, where it belongs. */
  readonly path: string;
  /** The bytes there now; null for a manifest that is lost. */
  readonly source: ByteSource | null;
  readonly bytes: number;
  /** 'keep': byte for byte; 'rewrite': new content; 'remove': no longer there. */
  readonly change: 'keep' | 'rewrite' | 'remove';
  /** The new content of a file that is rewritten, in order. */
  readonly pieces: readonly Piece[];
  /** Every byte range of the file that the result lacks, in order. */
  readonly dropped: readonly ByteRange[];
}

/** What one strategy does to a dataset, and what that costs. */
export interface StrategyPlan {
  readonly name: StrategyName;
  /** Null when it can be carried out. */
  readonly obstacle: Obstacle | null;
  readonly actions: readonly RepairAction[];
  readonly lostBytes: number;
  readonly lostCommands: number | null;
  readonly lostKeys: number | null;
  readonly doubts: Doubts;
  readonly files: readonly FileOutcome[];
}

/** Sums up actions into a strategy. A cost that nobody can tell of one action is unknown of all. */
export function strategyOf(
  name: StrategyName,
  obstacle: Obstacle | null,
  actions: readonly RepairAction[],
  files: readonly FileOutcome[],
  doubts: Doubts,
): StrategyPlan {
  const sum = (values: readonly (number | null)[]): number | null =>
    values.reduce<number | null>(
      (total, value) => (total === null || value === null ? null : total + value),
      0,
    );
  return {
    name,
    obstacle,
    actions,
    lostBytes: actions.reduce((total, action) => total + action.lostBytes, 0),
    lostCommands: sum(actions.map((action) => action.lostCommands)),
    lostKeys: sum(actions.map((action) => action.lostKeys)),
    doubts,
    files,
  };
}
