import type { ByteSource } from '../bytes/source.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbLimits } from '../rdb/value-reader.js';
import { findCorrections, judgeChecksum } from './rdb-checksum.js';
import type { RdbSurvey } from './rdb-report.js';
import { type Lesson, type RawSurvey, Surveyor, trailerBytes } from './rdb-surveyor.js';
import { type ByteCorrection, RoamingWindow } from './rdb-window.js';

export interface RdbSurveyOptions {
  /** The product, where the file cannot tell; null: it does. */
  readonly dialect: DialectName | null;
  readonly limits: RdbLimits;
  /** Absolute offset that the RDB does not reach beyond; null: the end of the source. */
  readonly end: number | null;
  /** True for the RDB that opens a log: its commands may follow. */
  readonly preamble: boolean;
  /**
   * Records up to here were decoded, deep, by the caller and found right: they are walked past by their layout alone, as
   * only their names are wanted. 0 when nothing is known.
   */
  readonly trustedTo: number;
  /** Whether a checksum may be used to put right a byte or two that it shows to be wrong. */
  readonly correct: boolean;
}

export interface RdbSurveyContext {
  readonly signal: AbortSignal;
  /** Told now and then the absolute offset reached. */
  readonly progress: (offset: number) => void;
}

/**
 * Finds every whole record of an RDB, whatever is wrong with the rest. Bad bytes are told in the survey, never thrown.
 *
 * For check: decode as usual, and call this once the decoder has thrown, with `trustedTo` the offset of the record that
 * failed (`decoder.head.offset`, or the window's offset between records). For repair: the survey is the plan, and
 * `writeSalvagedRdb` carries it out. Of an AOF's preamble, give `preamble: true`; `survey.end` is where its commands begin.
 *
 * The source must be one that can be opened anywhere and more than once. Memory: a few megabytes, more for one value
 * that is larger, and 11 to 22 bytes a key, by which names that come twice are found.
 *
 * @throws InputError when the source fails; the signal's reason when aborted
 */
export async function surveyRdb(
  source: ByteSource,
  options: RdbSurveyOptions,
  context: RdbSurveyContext,
): Promise<RdbSurvey> {
  const size = source.size ?? 0;
  const limit = Math.min(options.end ?? size, size);
  let raw = await rawSurvey(source, limit, [], options, context);
  const product = options.dialect ?? raw.survey.header.dialect;
  if (options.dialect === null && product !== 'redis' && raw.survey.damaged.length > 0) {
    // What named the product may have come after records that only this product has.
    raw = await rawSurvey(source, limit, [], { ...options, dialect: product }, context);
  }
  if (raw.strangeNames) {
    const lesson = { namesTell: false, doubtsAbsurd: false };
    raw = await rawSurvey(source, limit, [], { ...options, dialect: product }, context, lesson);
  }
  const { survey, markAt, version } = raw;
  const checksum = await judgeChecksum(source, markAt, version, context);
  if (options.correct && (checksum.verdict === 'mismatch' || survey.damaged.length > 0)) {
    const corrected = await correctedSurvey(source, limit, raw, options, context);
    if (corrected !== null) return corrected;
  }
  if (raw.absurdNames && (checksum.verdict === 'mismatch' || survey.damaged.length > 0)) {
    const lesson = { namesTell: !raw.strangeNames, doubtsAbsurd: true };
    raw = await rawSurvey(source, limit, [], { ...options, dialect: product }, context, lesson);
  }
  return finished(raw, checksum.verdict, []);
}

async function rawSurvey(
  source: ByteSource,
  limit: number,
  corrections: readonly ByteCorrection[],
  options: RdbSurveyOptions,
  context: RdbSurveyContext,
  lesson: Lesson = { namesTell: true, doubtsAbsurd: false },
): Promise<RawSurvey> {
  const window = new RoamingWindow(source, limit, context.signal, corrections);
  try {
    return await new Surveyor(window, options, context, lesson).run();
  } finally {
    await window.close();
  }
}

function finished(
  { survey }: RawSurvey,
  checksum: RdbSurvey['checksum'],
  corrections: readonly ByteCorrection[],
): RdbSurvey {
  const proven = checksum === 'ok' || checksum === 'corrected' ? survey.keys.whole : 0;
  return { ...survey, keys: { ...survey.keys, proven }, checksum, corrections };
}

/** The survey of the file with the byte or two put right that its checksum shows to be wrong; null: it is not so. */
async function correctedSurvey(
  source: ByteSource,
  limit: number,
  raw: RawSurvey,
  options: RdbSurveyOptions,
  context: RdbSurveyContext,
): Promise<RdbSurvey | null> {
  const markAt = raw.markAt >= 0 ? raw.markAt : raw.survey.end - 1 - trailerBytes(raw.version);
  const corrections = await findCorrections(source, markAt, raw.version, context);
  if (corrections === null) return null;
  const again = await rawSurvey(source, limit, corrections, { ...options, trustedTo: 0 }, context);
  const { damaged, header, endSeen } = again.survey;
  if (damaged.length > 0 || !header.intact || !endSeen || again.markAt !== markAt) return null;
  return finished(again, 'corrected', corrections);
}
