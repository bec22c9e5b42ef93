import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/aof/manifest.js';
import { ProgressFile } from '../../src/tools/replay/progress-record.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary.js';
import { emptyRoom, JOBS, type Job, type Room, runJob } from './jobs.js';
import { type Medium, PowerCut } from './power-cut.js';
import { type Call, isChange, watched } from './watched-system.js';

// The power is cut after every call that changes something. Whatever of what was not synced is on the medium then, each
// output is the old, the new or absent, inputs are as they were or behind a backup, and what was said to be done is.

const home = temporaryDirectory('power-cut');
let triedCuts = 0;
const SAMPLES = THOROUGH ? 64 : 4;

function mediumOf(path: string): Map<string, Buffer | null> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    names.map((name) => {
      const whole = join(path, name);
      return [whole, statSync(whole).isDirectory() ? null : readFileSync(whole)] as const;
    }),
  );
}

interface Recorded {
  readonly room: Room;
  readonly before: Medium;
  readonly after: Medium;
  readonly calls: readonly Call[];
}

async function record(job: Job): Promise<Recorded> {
  const room = emptyRoom(join(home, 'room'));
  job.lay(room);
  job.before?.(room);
  const before = mediumOf(room.path);
  const { result, seen } = await watched(room.path, { keepsBytes: true }, () => runJob(job, room));
  expect([result.exit, result.both]).toEqual([job.exit, expect.any(String)]);
  return { room, before, after: mediumOf(room.path), calls: seen.calls };
}

/** Everything that is wrong wherever the power is cut, and how many cuts were tried. */
function flawsOf(
  job: Job,
  recorded: Recorded,
  seed: number,
): { readonly flaws: string[]; readonly cuts: number } {
  const { room, before, calls } = recorded;
  const random = new Random(seed);
  const model = new PowerCut(room.path, before);
  const flaws = new Set<string>();
  let cuts = 0;
  for (const [i, call] of [...calls, null].entries()) {
    if (call !== null && !isChange(call)) continue;
    if (call !== null) model.apply(call);
    const place = call === null ? 'at the end' : `${call.name} ${relative(room.path, call.path)}`;
    for (const medium of model.media(random, SAMPLES)) {
      cuts++;
      const found = flaw(job, recorded, medium, call === null);
      if (found !== null) flaws.add(`${i} ${place}: ${found}`);
    }
  }
  return { flaws: [...flaws], cuts };
}

const TEMPORARY = /\.partial-[0-9a-f]{12}$|\.(scratch|spool)$|\.lock$/;
const BACKUP = /\.bak-\d{8}T\d{6}Z$/;

const isSame = (a: Buffer | null | undefined, b: Buffer | null | undefined): boolean =>
  a === b || (a instanceof Buffer && b instanceof Buffer && a.equals(b));

/** What is wrong with a medium; null when nothing is. `done`: the command has said that it is. */
function flaw(job: Job, { room, before, after }: Recorded, medium: Medium, done: boolean): string | null {
  for (const [path, bytes] of before) {
    if (!path.startsWith(room.in + sep) || isSame(medium.get(path), bytes)) continue;
    const name = relative(room.path, path);
    if (job.inPlace !== true) return `${name} is not what it was`;
    const backup = [...medium].some(([each, copy]) => each.startsWith(`${path}.bak-`) && isSame(copy, bytes));
    if (!backup) return `${name} has no backup`;
    if (medium.has(path) && !isSame(medium.get(path), after.get(path)))
      return `${name} is neither old nor new`;
  }
  for (const [path, bytes] of medium) {
    if (before.has(path) && isSame(bytes, before.get(path))) continue;
    if (after.has(path) && isSame(bytes, after.get(path))) continue;
    // What stands under another name until it is whole, or was put aside, is nobody's output.
    const parts = relative(room.path, path).split(sep);
    if (parts.some((part) => TEMPORARY.test(part) || BACKUP.test(part))) continue;
    return `${parts.join(sep)} is not whole`;
  }
  for (const unit of job.whole ?? []) {
    const path = join(room.out, unit);
    if (!medium.has(path) || isWhole(path, medium, before) || isWhole(path, medium, after)) continue;
    return `${unit} is not whole`;
  }
  const broken = lostByManifest(medium, room);
  if (broken !== null && job.inPlace !== true) return broken;
  if (!done) return null;
  for (const [path, bytes] of after)
    if (!isSame(medium.get(path), bytes)) return `${path} is done and not there`;
  for (const path of before.keys()) {
    if (!after.has(path) && medium.has(path) && !TEMPORARY.test(path)) return `${path} is back`;
  }
  return null;
}

function isWhole(path: string, medium: Medium, as: Medium): boolean {
  const inside = (of: Medium) => [...of].filter(([each]) => each.startsWith(path + sep));
  const [is, was] = [inside(medium), inside(as)];
  return (
    as.has(path) && is.length === was.length && was.every(([each, bytes]) => isSame(medium.get(each), bytes))
  );
}

/** A manifest that names a file which is not there; null when none does. */
function lostByManifest(medium: Medium, room: Room): string | null {
  for (const [path, bytes] of medium) {
    if (bytes === null || !path.endsWith('.manifest') || !path.startsWith(room.out)) continue;
    if (path.split(sep).some((part) => TEMPORARY.test(part))) continue;
    const { base, increments } = parseManifest(bytes);
    for (const { name } of [...(base === null ? [] : [base]), ...increments]) {
      if (!medium.has(join(dirname(path), name)))
        return `${basename(path)} names ${name}, which is not there`;
    }
  }
  return null;
}

const WRITERS = JOBS.filter((job) => job.readsOnly !== true);

describe.each(WRITERS.map((job, i) => [job.name, job, i] as const))('%s', (_name, job, salt) => {
  it('leaves the old or the new whenever the power is cut', { timeout: 3_600_000 }, async () => {
    const recorded = await record(job);
    for (const seed of seeds('power-cut').slice(0, THOROUGH ? undefined : 1)) {
      const { flaws, cuts } = flawsOf(job, recorded, seed + salt);
      expect(flaws).toEqual([]);
      expect(cuts).toBeGreaterThan(10);
      triedCuts += cuts;
    }
  });

  it('reads a backup back before anything in its place is touched', async () => {
    if (job.inPlace !== true) return;
    const { room, before, calls } = await record(job);
    const touched = calls.findIndex(
      ({ name, path, to }) =>
        (name === 'truncate' && before.has(path)) ||
        (name === 'rename' && to !== undefined && before.has(to)),
    );
    const at = calls[touched]?.to ?? calls[touched]?.path;
    if (at === undefined) return;
    const staged = calls.find(
      ({ name, to }) => name === 'link' && to?.startsWith(`${at}.bak-`) === true,
    )!.path;
    const read = calls.findIndex(({ name, path }) => name === 'readDescriptor' && path === staged);
    const synced = calls.findLastIndex(
      ({ name, path }, i) => i < touched && name === 'sync' && path === dirname(at),
    );
    expect([read > 0, read < touched, synced > read]).toEqual([true, true, true]);
    expect(room.in.length).toBeGreaterThan(0);
  });
});

describe('the model', () => {
  const job = JOBS.find(({ name }) => name === 'replay --out DIR')!;

  it.each([
    ['of a file', (path: string) => /\.(rdb|aof|manifest)$/.test(path), /is not whole/],
    ['of the directory around the output', (path: string) => /out$/.test(path), /is done and not there/],
    ['of a directory inside', (path: string) => /appendonlydir$/.test(path), /is not whole|not there/],
  ])('notices that a sync %s is missing', async (_what, isLost, words) => {
    const recorded = await record(job);
    const calls = recorded.calls.filter(({ name, path }) => name !== 'sync' || !isLost(path));
    expect(calls.length).toBeLessThan(recorded.calls.length);
    const found = seeds('model').flatMap((seed) => flawsOf(job, { ...recorded, calls }, seed).flaws);
    expect(found.join('\n')).toMatch(words);
  });

  it('was asked', () => {
    if (THOROUGH) console.warn(`${triedCuts} power cuts`);
    expect(triedCuts).toBeGreaterThan(1000);
  });
});

describe('the progress of a transfer', () => {
  it('is the old or the new whenever the power is cut, and gone when the transfer has ended', async () => {
    const { path } = emptyRoom(join(home, 'room'));
    const file = join(path, 'progress');
    const texts = ['', '{"done":1}\n', '{"done":200}\n'];
    const store = new ProgressFile(file);
    const { seen } = await watched(path, { keepsBytes: true }, async () => {
      for (const text of texts.slice(1)) await store.write(text);
      await store.remove();
    });
    const model = new PowerCut(path, new Map());
    const random = new Random(1);
    for (const call of seen.calls.filter(isChange)) {
      model.apply(call);
      for (const medium of model.media(random, 16)) expect(texts).toContain(String(medium.get(file) ?? ''));
    }
    expect([...model.media(random, 16)].map((medium) => medium.has(file))).toEqual([false]);
  });
});
