import { type Disk, errorCode } from '../../bytes/disk.js';
import { FileSource, readHead } from '../../bytes/source.js';
import { FileTarget, outputErrorOf } from '../../bytes/target.js';
import { InputError } from '../../errors.js';
import type { Baseline } from './change.js';
import type { PrefixCount } from './prefixes.js';

/** One run as it is remembered. Times in milliseconds since the epoch. */
export interface RememberedRun {
  readonly atMs: number;
  readonly ok: boolean;
  readonly bytes: number | null;
  readonly keys: number | null;
  readonly savedAtMs: number | null;
  readonly durationMs: number;
  /** Names of the rules that failed. */
  readonly failed: readonly string[];
}

/** What is remembered of one source. */
export interface SourceMemory {
  /** The last good run, or one that was accepted; null before the first. */
  baseline: Baseline | null;
  lastGoodMs: number | null;
  /** The newest last. */
  runs: RememberedRun[];
}

/** Runs remembered of each source: more than a year of nights. */
export const RUNS_MAX = 400;
/** Prefixes remembered of the last good run. */
export const PREFIXES_REMEMBERED = 200;
const SOURCES_MAX = 10_000;
/** A file that is larger than all of that is none of ours. */
const STATE_BYTES_MAX = 64 * 1024 * 1024;
const FORMAT = 'rekindle-verify-state';
const VERSION = 1;

/** What earlier runs found, by the name of the source. */
export class VerifyState {
  readonly sources = new Map<string, SourceMemory>();
  /** Why what stood there could not be used; '' when it could. */
  unusable = '';
  /** Where it was put aside; '' when it was not. */
  keptAs = '';

  of(name: string): SourceMemory {
    let memory = this.sources.get(name);
    if (memory === undefined)
      this.sources.set(name, (memory = { baseline: null, lastGoodMs: null, runs: [] }));
    return memory;
  }

  remember(name: string, run: RememberedRun, baseline: Baseline | null): void {
    const memory = this.of(name);
    memory.runs = [...memory.runs, run].slice(-RUNS_MAX);
    if (run.ok) memory.lastGoodMs = run.atMs;
    if (baseline !== null) memory.baseline = baseline;
  }

  text(): string {
    const sources = [...this.sources].slice(-SOURCES_MAX).map(([name, memory]) => ({ name, ...memory }));
    return `${JSON.stringify({ format: FORMAT, version: VERSION, sources })}\n`;
  }
}

/**
 * Reads what earlier runs left. What cannot be used is put aside under another name, never thrown away and never
 * a reason to fail.
 *
 * @throws OutputError when it can neither be used nor be put aside
 */
export async function readState(path: string, disk: Disk): Promise<VerifyState> {
  const state = new VerifyState();
  const why = await fillFrom(path, state);
  if (why === '') return state;
  state.sources.clear();
  state.unusable = why;
  state.keptAs = await putAside(path, disk);
  return state;
}

async function fillFrom(path: string, state: VerifyState): Promise<string> {
  let text: string;
  try {
    const source = await FileSource.at(path);
    if (source.size > STATE_BYTES_MAX)
      return `it has ${source.size} bytes, and a state has at most ${STATE_BYTES_MAX}`;
    text = (await readHead(source, source.size)).toString('utf8');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (error.code === 'input/missing') return '';
    throw outputErrorOf(Object.assign(new Error(error.message), { code: CODES[error.code] ?? '' }), path);
  }
  try {
    parse(text, state);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const CODES: Readonly<Record<string, string>> = { 'input/permission': 'EACCES' };

/** `NAME.bad`, or the first free name behind it. */
async function putAside(path: string, disk: Disk): Promise<string> {
  try {
    for (let number = 1; ; number++) {
      const name = number === 1 ? `${path}.bad` : `${path}.bad-${number}`;
      if ((await disk.occupant(name)) !== 'nothing' && number < 100) continue;
      await disk.rename(path, name);
      return name;
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw outputErrorOf(error, path);
  }
}

/** Writes what is remembered, whole or not at all. @throws OutputError UsageError */
export async function writeState(path: string, state: VerifyState, disk: Disk): Promise<void> {
  const target = await FileTarget.create(path, { force: true, disk });
  try {
    target.write(Buffer.from(state.text()));
    await target.publish();
  } finally {
    await target.discard();
  }
}

/** @throws Error that says what is wrong with it */
function parse(text: string, state: VerifyState): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(text === '' ? 'it is empty' : 'it is no JSON');
  }
  const top = objectAt(value, 'it');
  if (top['format'] !== FORMAT) throw new Error('it is no state of rekindle verify');
  const version = top['version'];
  if (typeof version === 'number' && version > VERSION) {
    throw new Error(`it is of version ${version}, and this rekindle knows up to ${VERSION}`);
  }
  if (version !== VERSION) throw new Error('it does not say its version');
  for (const [i, each] of listAt(top['sources'], 'sources').entries()) {
    const source = objectAt(each, `sources[${i}]`);
    const { name } = source;
    if (typeof name !== 'string') throw new Error(`sources[${i}] has no name`);
    state.sources.set(name, memoryOf(source, `sources[${i}]`));
  }
}

function memoryOf(source: Fields, at: string): SourceMemory {
  const { baseline } = source;
  return {
    baseline: baseline === null ? null : baselineOf(objectAt(baseline, `${at}.baseline`), `${at}.baseline`),
    lastGoodMs: numberOrNull(source['lastGoodMs'], `${at}.lastGoodMs`),
    runs: listAt(source['runs'], `${at}.runs`)
      .slice(-RUNS_MAX)
      .map((run, i) => runOf(objectAt(run, `${at}.runs[${i}]`), `${at}.runs[${i}]`)),
  };
}

function baselineOf(fields: Fields, at: string): Baseline {
  const { prefixes } = fields;
  return {
    atMs: numberAt(fields['atMs'], `${at}.atMs`),
    bytes: numberAt(fields['bytes'], `${at}.bytes`),
    keys: numberOrNull(fields['keys'], `${at}.keys`),
    prefixes: prefixes === null ? null : listAt(prefixes, `${at}.prefixes`).map((each) => prefixOf(each, at)),
  };
}

function prefixOf(value: unknown, at: string): PrefixCount {
  const { prefix, keys } = objectAt(value, `${at}.prefixes`);
  if (typeof prefix !== 'string') throw new Error(`${at}.prefixes holds one without a name`);
  return { prefix, keys: numberAt(keys, `${at}.prefixes`) };
}

function runOf(fields: Fields, at: string): RememberedRun {
  return {
    atMs: numberAt(fields['atMs'], `${at}.atMs`),
    ok: fields['ok'] === true,
    bytes: numberOrNull(fields['bytes'], `${at}.bytes`),
    keys: numberOrNull(fields['keys'], `${at}.keys`),
    savedAtMs: numberOrNull(fields['savedAtMs'], `${at}.savedAtMs`),
    durationMs: numberAt(fields['durationMs'], `${at}.durationMs`),
    failed: listAt(fields['failed'], `${at}.failed`).map(String),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function objectAt(value: unknown, at: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${at} is no object`);
  return value as Fields;
}

function listAt(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${at} is no list`);
  return value;
}

function numberAt(value: unknown, at: string): number {
  if (typeof value !== 'number') throw new Error(`${at} is no number`);
  return value;
}

const numberOrNull = (value: unknown, at: string): number | null =>
  value === null ? null : numberAt(value, at);
