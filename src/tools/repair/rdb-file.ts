import type { ByteSource } from '../../bytes/source.js';
import type { ErrorDetail } from '../../errors.js';
import type { Finding, FindingCode } from '../../model/finding.js';
import { DEFAULT_LIMITS } from '../../rdb/value-reader.js';
import { isFlawless, type RdbSurvey } from '../../salvage/rdb-report.js';
import { surveyRdb } from '../../salvage/rdb-survey.js';
import type { ToolContext } from '../context.js';
import {
  type ActionKind,
  type ByteRange,
  type Doubts,
  type FileOutcome,
  NO_DOUBTS,
  type Piece,
  type PlanOptions,
  type RepairAction,
  type StrategyPlan,
  strategyOf,
} from './plan.js';

/** What it takes to make an RDB whole, or the RDB that opens a log. */
export interface RdbRepair {
  readonly survey: RdbSurvey;
  readonly actions: readonly RepairAction[];
  /** New content up to `survey.end`, and for an RDB that stands for itself all of it. */
  readonly pieces: readonly Piece[];
  readonly dropped: readonly ByteRange[];
  readonly doubts: Doubts;
  /** True when every byte that counts is vouched for by the checksum: nothing is lost, what is kept is what was. */
  readonly proven: boolean;
  /** True when something that reads is kept. */
  readonly keeps: boolean;
}

/**
 * Finds out what still reads of an RDB. With `preamble` commands may follow it.
 *
 * @throws InputError when the source fails
 */
export async function planRdb(
  source: ByteSource,
  preamble: boolean,
  options: PlanOptions,
  context: ToolContext,
): Promise<RdbRepair> {
  const { signal } = context;
  const survey = await surveyRdb(
    source,
    { dialect: options.dialect, limits: DEFAULT_LIMITS, end: null, preamble, trustedTo: 0, correct: true },
    {
      signal,
      progress: (done) =>
        context.progress({ phase: 'surveying', label: source.label, done, total: source.size }),
    },
  );
  return new RdbPlanner(source, survey, options).plan();
}

/** The way out for an RDB that stands for itself. @throws InputError when the source fails */
export async function planSingleRdb(
  source: ByteSource,
  options: PlanOptions,
  context: ToolContext,
): Promise<StrategyPlan> {
  const { actions, pieces, dropped, doubts, keeps } = await planRdb(source, false, options, context);
  const change = actions.length === 0 ? 'keep' : 'rewrite';
  const file: FileOutcome = {
    path: source.label,
    source,
    bytes: source.size ?? 0,
    change,
    pieces,
    dropped,
  };
  const obstacle = change === 'rewrite' && !keeps ? 'nothing-left' : null;
  return strategyOf('salvage', obstacle, actions, [file], doubts);
}

class RdbPlanner {
  private readonly actions: RepairAction[] = [];
  private readonly dropped: ByteRange[] = [];

  constructor(
    private readonly source: ByteSource,
    private readonly survey: RdbSurvey,
    private readonly options: PlanOptions,
  ) {}

  plan(): RdbRepair {
    const { survey } = this;
    if (isFlawless(survey)) {
      const pieces: Piece[] = [{ kind: 'bytes', from: 0, to: survey.end }];
      return { survey, actions: [], pieces, dropped: [], doubts: NO_DOUBTS, proven: true, keeps: true };
    }
    this.gather();
    const { actions, dropped } = this;
    const order = <T extends ByteRange>(list: T[]): T[] => list.sort((a, b) => a.from - b.from);
    const trailingOnly = actions.every(({ kind }) => kind === 'drop-trailing');
    const { keys, checksum } = survey;
    return {
      survey,
      actions: order(actions),
      pieces: trailingOnly
        ? [{ kind: 'bytes', from: 0, to: survey.end }]
        : [{ kind: 'rdb', survey, doubtful: this.options.doubtful, partial: this.options.partial }],
      dropped: order(dropped),
      doubts: {
        ...NO_DOUBTS,
        unprovenKeys: keys.whole - keys.proven,
        doubtful: keys.doubtful,
        doubtfulKept: this.options.doubtful,
        guessedDatabases: keys.guessedDatabase,
        partialKeys: keys.partial,
      },
      proven: trailingOnly || (checksum === 'corrected' && dropped.length === 0),
      keeps:
        keys.whole > 0 ||
        (this.options.doubtful && keys.doubtful > 0) ||
        (this.options.partial && keys.partial > 0),
    };
  }

  private gather(): void {
    const { survey, options } = this;
    for (const { start, end, code, offset, detail, trail, key, database } of survey.damaged) {
      const place = key === undefined ? {} : { key, database: database ?? 0 };
      const because = { code, where: { file: this.source.label, offset, trail, ...place }, detail };
      this.drop('drop', start, end, key === undefined ? null : 1, because);
    }
    for (const { start, end, keys } of survey.duplicates) {
      this.drop('drop-duplicate', start, end, 0, this.finding('rdb/duplicate-key', start, { keys }));
    }
    for (const { start, end, keys } of options.doubtful ? [] : survey.doubtful) {
      this.drop('drop-doubtful', start, end, keys, null);
    }
    for (const { offset, from, to } of survey.corrections) {
      const because = this.finding('rdb/checksum-mismatch', offset, {
        found: from,
        expected: `0x${to.toString(16).padStart(2, '0')}`,
      });
      this.act('correct', offset, offset + 1, 0, because);
    }
    if (options.partial) {
      for (const { start } of survey.partial) this.act('keep-partly', start, start, 0, null);
    }
    this.trailer();
    const { end, trailingBytes: bytes } = survey;
    if (bytes > 0) {
      this.drop('drop-trailing', end, end + bytes, 0, this.finding('rdb/trailing-bytes', end, { bytes }));
    }
  }

  /** The end of the file and its header are not content: they are made anew. */
  private trailer(): void {
    const { survey } = this;
    if (!survey.header.intact) this.act('rewrite-header', 0, 9, 0, this.finding('rdb/bad-magic', 0));
    if (!survey.endSeen) {
      // Nobody knows what stood behind the end of the file.
      const because = this.finding('rdb/truncated', survey.end);
      this.act('rewrite-trailer', survey.end, survey.end, null, because);
    } else if (survey.checksum === 'mismatch' || survey.checksum === 'absent') {
      const because = this.finding('rdb/checksum-mismatch', Math.max(0, survey.end - 8));
      this.act('rewrite-trailer', Math.max(0, survey.end - 8), survey.end, 0, because);
    }
  }

  private finding(code: FindingCode, offset: number, detail: ErrorDetail = {}): Finding {
    return { code, where: { file: this.source.label, offset, trail: [] }, detail };
  }

  private drop(
    kind: ActionKind,
    from: number,
    to: number,
    lostKeys: number | null,
    because: Finding | null,
  ): void {
    if (to <= from) return;
    this.dropped.push({ from, to });
    this.actions.push(this.action(kind, from, to, to - from, lostKeys, because));
  }

  private act(
    kind: ActionKind,
    from: number,
    to: number,
    lostKeys: number | null,
    because: Finding | null,
  ): void {
    this.actions.push(this.action(kind, from, to, 0, lostKeys, because));
  }

  private action(
    kind: ActionKind,
    from: number,
    to: number,
    lostBytes: number,
    lostKeys: number | null,
    because: Finding | null,
  ): RepairAction {
    return { file: this.source.label, kind, from, to, lostBytes, lostCommands: 0, lostKeys, because };
  }
}
