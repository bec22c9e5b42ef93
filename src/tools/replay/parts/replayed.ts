import type { LogEnd } from '../../../aof/log.js';
import type { AofSet } from '../../../aof/set.js';
import type { RdbTarget } from '../../../rdb/writer-target.js';
import type { ToolContext } from '../../context.js';
import { type DigestReport, digestKeyspace, digestOfParts } from '../../digest.js';
import { type PassedOver, REFUSED_LISTED, type Rebuilt } from '../../rebuild.js';
import { DatasetContent, type OutputContent, type OutputForm } from '../../write-dataset.js';
import { KeySelection } from '../selection.js';
import { endIn, type PartReading, type PartRequest } from './part.js';
import { type BlockSource, PartsContent } from './parts-content.js';
import { type Survey, sumOfSurveys, surveyOf } from './survey.js';

/** A dataset as a log leaves it, wherever its keys are held. */
export interface Replayed extends Omit<Rebuilt, 'keyspace'> {
  /** Keys in it, whether the conditions mean them or not. */
  readonly allKeys: number;
  /** Of the keys that are meant. */
  readonly survey: Survey;
  /** Null when nobody asked for it. */
  readonly digest: DigestReport | null;
  /** The keys that are meant, to be written for that server; functions too when all are. */
  content(target: RdbTarget): OutputContent;
  /** Lets go of the keys. */
  close(): Promise<void>;
}

/** What is to be replayed, and what of it is wanted. */
export interface ReplayRequest extends Omit<PartRequest, 'secret' | 'partOf' | 'part'> {
  /** Makes the parts that many, one after the other, whatever the memory; missing: as it is best. */
  readonly parts?: number;
  /** What is to be written, and for which server; null: nothing. */
  readonly output: { readonly form: OutputForm; readonly target: ChooseTarget } | null;
}

/** What the target of an output depends on. */
export type ChooseTarget = (known: Pick<Rebuilt, 'producer'> & Pick<Survey, 'fieldTtls'>) => RdbTarget;

/** A dataset that this thread holds. */
export async function wholeReplay(
  { keyspace, ...rebuilt }: Rebuilt,
  request: Pick<ReplayRequest, 'as' | 'dialect' | 'conditions' | 'digest'>,
  context: ToolContext,
): Promise<Replayed & { readonly selection: KeySelection }> {
  const { as, dialect, conditions } = request;
  const selection = new KeySelection(keyspace, conditions, context.nowMs);
  const options = { as, dialect, conditions, keys: null };
  const dataset = { keyspace, producer: rebuilt.producer };
  return {
    ...rebuilt,
    allKeys: keyspace.size,
    survey: surveyOf(selection.survey()),
    digest: request.digest ? await digestKeyspace(dataset, options, context) : null,
    content: (target) => new DatasetContent(selection, target, context),
    close: () => Promise.resolve(),
    selection,
  };
}

/** The whole of its parts. */
export function joinReadings(
  set: AofSet,
  request: Pick<ReplayRequest, 'as' | 'dialect' | 'conditions'>,
  readings: readonly PartReading[],
  sources: readonly BlockSource[],
  close: () => Promise<void>,
  context: ToolContext,
): Replayed {
  const first = readings[0]!;
  const { producer, savedAtMs, dropped } = first;
  const survey = sumOfSurveys(readings.map((reading) => reading.survey));
  const sums = readings.flatMap(({ digest }) => (digest === null ? [] : [digest]));
  const end: LogEnd = endIn(first.end, set);
  const sum = (of: (reading: PartReading) => number): number =>
    readings.reduce((total, reading) => total + of(reading), 0);
  return {
    ...{ end, producer, savedAtMs, survey, close },
    skipped: inOrder(readings.flatMap(({ skipped }) => skipped)),
    refused: inOrder(readings.flatMap(({ refused }) => refused)).slice(0, REFUSED_LISTED),
    refusedCount: sum(({ refusedCount }) => refusedCount),
    dropped: { ...dropped, metadata: sum((reading) => reading.dropped.metadata) },
    allKeys: sum(({ allKeys }) => allKeys),
    digest: sums.length === 0 ? null : digestOfParts(sums, producer, request, context.nowMs),
    content: (target) => new PartsContent(sources, survey, target, context),
  };
}

function inOrder(list: readonly PassedOver[]): PassedOver[] {
  return [...list].sort((a, b) => a.number - b.number);
}
