import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CATALOG } from '../../src/cli/catalog.js';
import { wholeProgram } from '../../src/cli/program.js';
import type { Ran } from '../cli/memory-io.js';
import { CORPUS_NOW } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { emptyRoom, JOBS, type Job, type Room, runJob, WRITING_OPTIONS } from './jobs.js';
import {
  type Call,
  type CallFault,
  faultsOf,
  isChange,
  type WatchedSystem,
  type Watching,
  watched,
} from './watched-system.js';

// Every call to the system that a command makes fails, in every way it can, for every command that writes: then the
// inputs are as they were, an output is whole or absent, nothing else is left, and the error says what to do.

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const home = temporaryDirectory('job-faults');
/** Calls that fail for each command in a short run; of one that only reads, half as many. */
const SAMPLES = 2;
const HANGS_AFTER_MS = 60_000;

interface Trial {
  readonly room: Room;
  readonly ran: Ran;
  readonly seen: WatchedSystem;
  readonly before: Readonly<Record<string, string>>;
  readonly in: Readonly<Record<string, string>>;
  readonly out: Readonly<Record<string, string>>;
}

async function trial(job: Job, watching: Watching): Promise<Trial> {
  const room = emptyRoom(join(home, 'room'));
  job.lay(room);
  job.before?.(room);
  for (const name of readdirSync(room.in, { recursive: true, encoding: 'utf8' })) {
    utimesSync(join(room.in, name), CORPUS_NOW, CORPUS_NOW);
  }
  const before = contents(room.in);
  const { result, seen } = await watched(room.path, watching, async (own) => {
    const ran = await within(runJob(job, room));
    if (watching.nth !== undefined) await quiet(own, room);
    return ran;
  });
  return { room, ran: result, seen, before, in: contents(room.in), out: contents(room.out) };
}

/**
 * What was under way when something failed may end a moment later, and go on to its next call. Inputs and spools that
 * are held open are let go with who held them.
 */
async function quiet(seen: WatchedSystem, room: Room): Promise<void> {
  const isHeld = (path: string) => path.startsWith(room.in) || path.endsWith('.spool');
  const isBusy = () => seen.underWay > 0 || [...seen.open.values()].some((path) => !isHeld(path));
  for (let i = 0, calls = -1; i < 50 && (isBusy() || calls !== seen.calls.length); i++) {
    calls = seen.calls.length;
    await setTimeout(10);
  }
  for (let i = 0; i < 20 && seen.open.size > 0; i++) {
    collect();
    await setTimeout(2);
  }
}

let lastClean: { readonly job: Job; readonly clean: Trial } | null = null;

/** The run in which nothing fails. */
async function cleanTrial(job: Job): Promise<Trial> {
  if (lastClean?.job !== job) lastClean = { job, clean: await trial(job, {}) };
  return lastClean.clean;
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = globalThis.setTimeout(
      () => reject(new Error(`nothing happens for ${HANGS_AFTER_MS} ms`)),
      HANGS_AFTER_MS,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Files by their path, times in names and texts left out. What tells what failed, too, must do with being whole. */
function contents(path: string): Record<string, string> {
  const files = Object.entries(tree(path)).map(([name, bytes]) => {
    const text = bytes.latin1Slice();
    return [timeless(name), WHOLE.get(name)?.(text) ?? timeless(text)] as const;
  });
  return Object.fromEntries(files);
}

const isJson = (text: string): string => typeof JSON.parse(text);
/** Of files that say how a command went whether they are whole; null: they are not. */
const WHOLE = new Map<string, (text: string) => string | null>([
  ['evidence.json', isJson],
  ['state.json', isJson],
  ['m.prom', (text) => (/^# HELP [\s\S]*\}? [-\d.e+]+\n$/.test(text) ? 'metrics' : null)],
]);

const timeless = (text: string): string =>
  text
    .replace(/\.bak-\d{8}T\d{6}Z/g, '.bak-TIME')
    .replace(/"(modifiedMs|modified|durationMs)": ?[\d.]+/g, '"$1":0');

const TEMPORARY = /\.partial-[0-9a-f]{12}$|\.(scratch|spool)$|\.lock$|^rekindle-/;

function leftovers({ path }: Room): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    TEMPORARY.test(basename(name)),
  );
}

/** What is wrong with how a run ended in which one call failed; null when nothing is. */
function flaw(job: Job, clean: Trial, each: Trial): string | null {
  const { ran, seen, room } = each;
  const call = seen.failed!;
  // What cannot be removed stays; so does a lock that cannot be read, or seems not to be made: the next run takes it over.
  const isRemoval =
    ['unlink', 'rm', 'rmdir'].includes(call.name) || /\.lock(\.partial-[0-9a-f]+)?$/.test(call.path);
  if (/internal error/.test(ran.stderr)) return 'internal error';
  const open = [...seen.open.values()];
  if (open.length > 0) return `open: ${open}`;
  const left = leftovers(room);
  if (left.length > 0 && !isRemoval) return `left: ${left}`;
  if (job.inPlace === true) {
    for (const [name, bytes] of Object.entries(each.before)) {
      if (each.in[name] !== bytes && each.in[`${name}.bak-TIME`] !== bytes) return `${name} is lost`;
      if (each.in[name] !== bytes && each.in[name] !== clean.in[name])
        return `${name} is neither old nor new`;
    }
  } else if (!same(each.in, each.before)) return 'the input changed';
  if (job.goesOn === true && call.path.startsWith(room.in) && ran.exit < 2) {
    return /unread|cannot be read|not there|no permission/.test(ran.both) || same(each.out, clean.out)
      ? null
      : ran.both;
  }
  const whole = wholeness(job, clean, each);
  if (whole !== null && !isRemoval) return whole;
  if (ran.exit === job.exit) {
    if (!same(each.out, clean.out) && !isRemoval) return 'says that it is done';
    if (job.readsOnly === true && timeless(ran.stdout) !== timeless(clean.ran.stdout))
      return `another answer: ${ran.both}`;
    return null;
  }
  return words(job, ran, call, room);
}

/** Each output is as it was, as it is to be, or absent; what is a directory counts as one. */
function wholeness(job: Job, clean: Trial, each: Trial): string | null {
  const old = cleanBefore(job);
  const units = new Set(Object.keys({ ...each.out, ...clean.out }).map((name) => unitOf(job, name)));
  for (const unit of units) {
    const is = part(job, each.out, unit);
    const options = [part(job, clean.out, unit), part(job, old, unit), {}];
    if (!options.some((option) => same(option, is))) return `${unit} is not whole`;
  }
  for (const name of job.whole ?? []) {
    if (existsSync(join(each.room.out, name)) && Object.keys(part(job, each.out, name)).length === 0)
      return `${name} is empty`;
  }
  return null;
}

const unitOf = (job: Job, name: string): string =>
  job.whole?.find((whole) => name.startsWith(whole + sep)) ?? name;

const part = (job: Job, files: Readonly<Record<string, string>>, unit: string): Record<string, string> =>
  Object.fromEntries(Object.entries(files).filter(([name]) => unitOf(job, name) === unit));

function cleanBefore(job: Job): Record<string, string> {
  if (job.before === undefined) return {};
  const room = emptyRoom(join(home, 'before'));
  job.before(room);
  return contents(room.out);
}

const same = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** The error names a file of ours, says what to try, and ends with the code of its side. */
function words(job: Job, { exit, both, stderr }: Ran, call: Call, room: Room): string | null {
  // A link is made of the input, and is a change of the output.
  const isInput = call.path.startsWith(room.in) && job.inPlace !== true && !isChange(call);
  const [command] = job.argv(room);
  if (command === 'check-aof' || command === 'check-rdb') return exit === 1 ? null : `exit ${exit}`;
  const codes = isInput ? [3] : [3, 4];
  if (command === 'verify') codes.push(1);
  if (!codes.includes(exit)) return `exit ${exit}: ${both}`;
  if (!both.includes(room.path) && !stderr.includes('<stdin>')) return `names no file: ${both}`;
  if (command !== 'verify' && !/\n {2}try: /.test(stderr)) return `no hint: ${both}`;
  return null;
}

/** Pairs of a call and what becomes of it. */
function pairs(calls: readonly Call[]): (readonly [nth: number, fault: CallFault])[] {
  return calls.flatMap((call, i) => faultsOf(call).map((fault) => [i + 1, fault] as const));
}

/** Some of them, spread over the whole run: mostly of calls that change something. */
function sample(calls: readonly Call[], salt: number, samples: number): (readonly [number, CallFault])[] {
  const all = pairs(calls);
  if (THOROUGH) return all;
  const changes = all.filter(([nth]) => isChange(calls[nth - 1]!));
  const from = changes.length > 0 ? changes : all;
  const at = (i: number) => Math.floor(((i + (salt % 7) / 7) * from.length) / samples);
  return Array.from({ length: samples }, (_, i) => from[at(i)]).filter((pair) => pair !== undefined);
}

describe.each(JOBS.map((job, i) => [job.name, job, i] as const))('%s', (_name, job, salt) => {
  it('fails as one wants it to, whatever call fails', { timeout: 3_600_000 }, async () => {
    const clean = await cleanTrial(job);
    expect([clean.ran.exit, clean.ran.both]).toEqual([job.exit, expect.any(String)]);
    expect(Object.keys({ ...clean.in, ...clean.out }).filter((name) => TEMPORARY.test(name))).toEqual([]);
    if (job.readsOnly === true) {
      const own = (call: Call) => call.path.startsWith(clean.room.tmp);
      expect(clean.seen.calls.filter((call) => isChange(call) && !own(call))).toEqual([]);
    }
    const flaws: string[] = [];
    for (const [nth, fault] of sample(
      clean.seen.calls,
      salt,
      job.readsOnly === true ? SAMPLES / 2 : SAMPLES,
    )) {
      const each = await trial(job, { nth, fault });
      const call = each.seen.failed;
      if (call === null) continue;
      const found = flaw(job, clean, each);
      const at = call.path.slice(each.room.path.length);
      if (found !== null) flaws.push(`${nth} ${call.name} ${at} ${fault}: ${found}`);
    }
    expect(flaws).toEqual([]);
  });

  it('does the same where reads and writes move a part of what they should', async () => {
    const clean = await cleanTrial(job);
    const short = await trial(job, { short: true });
    expect(short.ran.exit).toBe(clean.ran.exit);
    expect(same(short.out, clean.out)).toBe(true);
    expect(same(short.in, clean.in)).toBe(true);
    expect(timeless(short.ran.stdout)).toBe(timeless(clean.ran.stdout));
  });
});

describe('the commands above', () => {
  it('are all there are', () => {
    const covered = new Set(JOBS.map((job) => job.argv({ path: '', in: '', out: '', tmp: '' })[0]));
    expect(CATALOG.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  it('use every option by which something is written', async () => {
    const program = await wholeProgram();
    const words = JOBS.flatMap((job) => {
      const [command, ...rest] = job.argv({ path: '', in: '', out: '', tmp: '' });
      return rest.map((word) => `${command} ${word}`);
    });
    const places = /^--(out|patch|state|lock|prometheus|evidence|quarantine|resume)$|\bwrite\b.* there\b/;
    for (const command of program.commands) {
      const found = command.options.filter(
        ({ long, description }) => places.test(long ?? '') || places.test(description),
      );
      const known = WRITING_OPTIONS[command.name()] ?? [];
      expect([
        command.name(),
        found.map(({ long }) => long).filter((name) => !known.includes(name!)),
      ]).toEqual([command.name(), []]);
      for (const option of known) {
        if (option === '--lock' || option === '--resume' || option === '--compress') continue;
        const short = option === '--out' ? '-o' : option;
        expect(
          words.some(
            (word) => word === `${command.name()} ${option}` || word === `${command.name()} ${short}`,
          ),
          option,
        ).toBe(true);
      }
    }
  });
});
