import type { AofFileEntry } from '../../aof/set.js';
import type { ToolContext } from '../context.js';
import { type LogFileSurvey, surveyLogFile } from '../repair/log-file.js';
import type { ByteRange, Piece, PlanOptions } from '../repair/plan.js';
import { planRdb, type RdbRepair } from '../repair/rdb-file.js';
import type { Content, LeftBytes } from './content.js';
import type { FoundFile } from './directory.js';

/** What can be made of a damaged file. */
export interface Mending {
  /** Everything before the first damage, where that was a state; null: it never was one, as for a damaged snapshot. */
  readonly cut: Content | null;
  /** Everything that reads. */
  readonly salvaged: Content;
}

const OPTIONS: PlanOptions = { partial: false, doubtful: false, dialect: null };

/** Finds out what still reads of a damaged file. @throws InputError when it fails */
export async function mendFile(
  file: FoundFile,
  isLog: boolean,
  options: Pick<PlanOptions, 'dialect'>,
  context: ToolContext,
): Promise<Mending> {
  const all = { ...OPTIONS, ...options };
  if (!isLog) return ofSnapshot(await planRdb(file.source!, false, all, context), file.bytes);
  const entry: AofFileEntry = {
    name: file.name,
    path: file.path,
    role: file.kind === 'base' || file.kind === 'stray-base' ? 'base' : 'incr',
    seq: file.seq,
    size: file.bytes,
    format: file.form === 'rdb' ? 'rdb' : file.form === 'aof' ? 'resp' : 'unknown',
    source: file.source!,
  };
  return ofLog(await surveyLogFile(entry, all, context));
}

function ofSnapshot({ pieces, dropped, survey, proven }: RdbRepair, bytes: number): Mending {
  const left: LeftBytes[] = dropped.map(({ from, to }) => ({ from, to, commands: 0 }));
  if (survey.end < bytes && (left.at(-1)?.to ?? 0) < bytes)
    left.push({ from: survey.end, to: bytes, commands: 0 });
  const content = { pieces, left, corrected: survey.corrections.length };
  const salvaged = { ...content, salvagedKeys: proven ? null : survey.keys.whole };
  return { cut: proven ? salvaged : null, salvaged };
}

function ofLog(survey: LogFileSurvey): Mending {
  const { preamble, bytes, truncate, skip, aside } = survey;
  const start = preamble?.survey.end ?? 0;
  const front: readonly Piece[] = preamble?.pieces ?? [];
  const corrected = preamble?.survey.corrections.length ?? 0;
  const lostInFront: LeftBytes[] = (preamble?.dropped ?? []).map(({ from, to }) => ({
    from,
    to,
    commands: 0,
  }));
  const of = (lost: readonly LeftBytes[], salvagedKeys: number | null): Content => ({
    pieces: joined([...front, ...keptOf(start, bytes, lost)]),
    left: [...lostInFront, ...lost],
    corrected,
    salvagedKeys,
  });
  const end = aside === null ? [] : [aside];
  const isProven = preamble === null || preamble.proven;
  const keys = isProven ? null : preamble.survey.keys.whole;
  return {
    cut: isProven ? of(truncate === null ? end : [truncate], null) : null,
    salvaged: of([...skip, ...end], keys),
  };
}

/** What is left of `[start, bytes)` without the ranges, which are in order. */
function keptOf(start: number, bytes: number, lost: readonly ByteRange[]): Piece[] {
  const kept: Piece[] = [];
  let at = start;
  for (const { from, to } of lost) {
    if (from > at) kept.push({ kind: 'bytes', from: at, to: from });
    at = Math.max(at, to);
  }
  if (at < bytes) kept.push({ kind: 'bytes', from: at, to: bytes });
  return kept;
}

/** Neighbours as one. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (piece.kind === 'bytes' && last?.kind === 'bytes' && last.to === piece.from) {
      result[result.length - 1] = { kind: 'bytes', from: last.from, to: piece.to };
    } else result.push(piece);
  }
  return result;
}
