import type { Cut } from '../../../aof/cut.js';
import type { LogEnd } from '../../../aof/log.js';
import type { AofSet } from '../../../aof/set.js';
import { END } from '../../../bytes/window.js';
import type { DialectName } from '../../../rdb/dialect.js';
import type { ToolContext } from '../../context.js';
import { type DigestSums, digestPart } from '../../digest.js';
import type { Server } from '../../family.js';
import type { KeyConditions } from '../../filter.js';
import { type Rebuilt, rebuild } from '../../rebuild.js';
import { KeySelection } from '../selection.js';
import { type EncodeRequest, type PartBlock, PartEncoder, type PartLosses } from './part-encoder.js';
import { PartGate } from './part-gate.js';
import { type HashSecret, Placement } from './placement.js';
import { type Survey, surveyOf } from './survey.js';

/** What is to be found out of a part. Plain data but for the patterns of the cut. */
export interface PartRequest {
  readonly cut: Cut;
  readonly as: Server | null;
  readonly onUnknown: 'stop' | 'skip';
  readonly dialect: DialectName | null;
  readonly conditions: KeyConditions;
  readonly digest: boolean;
  readonly secret: HashSecret;
  readonly partOf: Uint8Array;
  readonly part: number;
}

/** What a log left in one part. Plain data. */
export interface PartReading extends Omit<Rebuilt, 'keyspace' | 'end'> {
  readonly end: PlainEnd;
  /** Keys in it, whether the conditions mean them or not. */
  readonly allKeys: number;
  readonly survey: Survey;
  /** Null when nobody asked for it. */
  readonly digest: DigestSums | null;
}

/** The end of a log with the number of the file in its set; -1: the set has none. */
export interface PlainEnd extends Omit<LogEnd, 'stoppedAt'> {
  readonly stoppedAt: Omit<LogEnd['stoppedAt'], 'file'> & { readonly file: number };
}

/** One part of a dataset, wherever it is held. */
export interface Part {
  /** Executes the log. @throws PartsCrossed, Outgrown, PartLost, and whatever `rebuild` throws */
  read(): Promise<PartReading>;
  /** What was read, as records. @throws PartLost */
  blocks(request: EncodeRequest): AsyncGenerator<PartBlock, PartLosses>;
  /** Lets go of everything. May be called at any time and twice. */
  close(): Promise<void>;
}

/** A part held by this thread. */
export class LocalPart implements Part {
  private selection: KeySelection | null = null;

  constructor(
    private readonly set: AofSet,
    private readonly request: PartRequest,
    private readonly context: ToolContext,
  ) {}

  async read(): Promise<PartReading> {
    const { set, request, context } = this;
    const { secret, partOf, part, as, dialect, conditions } = request;
    const gate = new PartGate(new Placement(secret, partOf), part);
    const { keyspace, end, ...rest } = await rebuild(set, { ...request, part: gate }, context);
    this.selection = new KeySelection(keyspace, conditions, context.nowMs);
    const { producer } = rest;
    const options = { as, dialect, conditions };
    return {
      ...rest,
      end: plainEnd(end, set),
      allKeys: keyspace.size,
      survey: surveyOf(this.selection.survey()),
      digest: request.digest ? digestPart({ keyspace, producer }, options, context.nowMs) : null,
    };
  }

  async *blocks(request: EncodeRequest): AsyncGenerator<PartBlock, PartLosses> {
    const encoder = new PartEncoder(request);
    const walk = this.selection!.walk(encoder);
    for (let ended = false; !ended; ) {
      ended = walk.run() === END;
      if (ended) encoder.finish();
      for (const block of encoder.take()) yield block;
      this.context.signal.throwIfAborted();
    }
    const { lost, lostCount } = encoder;
    return { lost, lostCount };
  }

  close(): Promise<void> {
    this.selection = null;
    return Promise.resolve();
  }
}

function plainEnd({ stoppedAt, ...rest }: LogEnd, set: AofSet): PlainEnd {
  const file = stoppedAt.file === null ? -1 : set.files.indexOf(stoppedAt.file);
  return { ...rest, stoppedAt: { ...stoppedAt, file } };
}

/** The same with the file itself. */
export function endIn({ stoppedAt, ...rest }: PlainEnd, set: AofSet): LogEnd {
  return { ...rest, stoppedAt: { ...stoppedAt, file: set.files[stoppedAt.file] ?? null } };
}
