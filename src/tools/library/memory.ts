import { isUtf8 } from 'node:buffer';
import { FileTarget } from '../../bytes/target.js';
import { FINDINGS } from '../../model/finding.js';
import { EVERY_KEY } from '../filter.js';
import { contextOf, openSource, type SourceLike, type Surroundings } from '../library.js';
import { freqName, timeName, ttlName } from '../memory/bucket-names.js';
import { type MemoryOptions, type MemoryReport, memory as measure } from '../memory.js';
import type { ReportWords } from '../report/page-data.js';
import { type ReportOptions, type WrittenReport, writeReport } from '../report/write-report.js';
import { type DatasetSource, openDataset } from '../source.js';

/** Options of `memory`; all may be left out. */
export type MemoryRequest = Partial<MemoryOptions> & Surroundings;

/** Tells what fills the memory of a dataset. @throws DamageError InputError */
export async function memory(
  source: string | DatasetSource,
  options: MemoryRequest = {},
): Promise<MemoryReport> {
  const opening = { prefer: null, stdin: null, signal: options.signal ?? null };
  const all: MemoryOptions = {
    conditions: EVERY_KEY,
    dialect: null,
    onUnknown: 'stop',
    top: 100,
    slots: false,
    ...options,
  };
  const opened = typeof source === 'string' ? await openDataset(source, opening) : source;
  return measure(opened, all, contextOf(options));
}

/** Options of `report`; all may be left out. */
export type ReportRequest = Partial<ReportOptions> & Surroundings & { readonly force?: boolean };

/** Writes one page of all there is to say of a dataset. Damage is told in it. @throws InputError UsageError OutputError */
export async function report(
  source: SourceLike,
  path: string,
  options: ReportRequest = {},
): Promise<WrittenReport> {
  const opened = typeof source === 'string' ? await openSource(source, { again: true }) : source;
  const all: ReportOptions = {
    conditions: EVERY_KEY,
    dialect: null,
    top: 2000,
    slots: false,
    massKeys: 100,
    words: PLAIN_WORDS,
    title: opened.path,
    version: '',
    redacted: false,
    ...options,
  };
  const target = await FileTarget.create(path, { force: options.force === true });
  try {
    return await writeReport(opened, target, all, contextOf(options));
  } finally {
    await target.discard();
  }
}

/** For programs, which bring their own words where these do not do. */
const PLAIN_WORDS: ReportWords = {
  shown: (latin1) => {
    const bytes = Buffer.from(latin1, 'latin1');
    return JSON.stringify(isUtf8(bytes) ? bytes.toString('utf8') : latin1);
  },
  printable: (text) => text,
  finding: ({ code, detail }) => ({
    severity: FINDINGS[code],
    message: Object.entries(detail)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', '),
    hint: '',
  }),
  ttl: ttlName,
  time: timeName,
  freq: freqName,
  size: ({ from, to }) => `${from} to ${to} bytes`,
};
