import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { DEFAULT_LIMITS } from '../../src/rdb/value-reader.js';
import type { RdbSurvey } from '../../src/salvage/rdb-report.js';
import { type RdbSurveyOptions, surveyRdb } from '../../src/salvage/rdb-survey.js';
import { type SalvagedRdb, writeSalvagedRdb } from '../../src/salvage/rdb-write.js';
import { recordRdb } from '../support/rdb.js';

export const SURVEY: RdbSurveyOptions = {
  dialect: null,
  limits: DEFAULT_LIMITS,
  end: null,
  preamble: false,
  trustedTo: 0,
  correct: true,
};

const quiet = { signal: new AbortController().signal, progress: () => {} };

export function surveyed(bytes: Buffer, options: Partial<RdbSurveyOptions> = {}): Promise<RdbSurvey> {
  return surveyRdb(new MemorySource(bytes), { ...SURVEY, ...options }, quiet);
}

export interface Saved {
  readonly survey: RdbSurvey;
  readonly written: SalvagedRdb;
  readonly bytes: Buffer;
}

/** Surveys and writes anew. */
export async function saved(
  bytes: Buffer,
  options: Partial<RdbSurveyOptions & { doubtful: boolean; partial: boolean }> = {},
): Promise<Saved> {
  const { doubtful = false, partial = false, ...surveying } = options;
  const survey = await surveyed(bytes, surveying);
  const target = new MemoryTarget();
  const how = { doubtful, partial, ...quiet };
  const written = await writeSalvagedRdb(new MemorySource(bytes), survey, target, how);
  return { survey, written, bytes: Buffer.from(target.bytes()) };
}

/** The names in an RDB that decodes in the strictest way, checksum included, each behind its database. */
export async function namesIn(bytes: Buffer): Promise<string[]> {
  const { keys } = await recordRdb(bytes);
  return keys.map(({ db, key }) => `${db} ${Buffer.from(key, 'base64').toString('latin1')}`);
}

export async function savedNames(...args: Parameters<typeof saved>): Promise<string[]> {
  return namesIn((await saved(...args)).bytes);
}
