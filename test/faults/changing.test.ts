import { appendFileSync, statSync, truncateSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import type { Ran } from '../cli/memory-io.js';
import { THOROUGH } from '../support/effort.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { emptyRoom, JOBS, type Job, type Room, runJob } from './jobs.js';
import { watched } from './watched-system.js';

// Files that are cut or grow while a command reads them: it tells what it would have told without, or that it cannot.

const home = temporaryDirectory('changing');

/** Commands whose input can be cut: each once in a short run. */
const CASES = JOBS.filter(
  (job, i) =>
    job.stdin === undefined &&
    (THOROUGH || i === JOBS.findIndex((each) => commandOf(each) === commandOf(job))),
).filter((job) => job.inPlace !== true && !['completion', 'explore'].includes(commandOf(job)));

function commandOf(job: Job): string {
  return job.argv({ path: '', in: '', out: '', tmp: '' })[0]!;
}

interface Outcome {
  readonly ran: Ran;
  readonly out: string;
  /** Reads of inputs, and the file that was changed. */
  readonly reads: number;
  readonly changed: string;
  /** Where it was read then. */
  readonly position: number;
}

type Change = (path: string, position: number) => unknown;

/** Runs the job; in front of its n-th read of an input, that is changed. */
async function run(
  job: Job,
  nth: number,
  change: (path: string, position: number) => void,
): Promise<Outcome> {
  const room = emptyRoom(join(home, 'room'));
  job.lay(room);
  job.before?.(room);
  let reads = 0;
  let changed = '';
  let position = 0;
  const onCall = (name: string, path: string, at: number): void => {
    if (!/^read(Descriptor|File)?$/.test(name) || !path.startsWith(room.in) || ++reads !== nth) return;
    changed = relative(room.in, path);
    position = at;
    change(path, at);
  };
  const { result: ran } = await watched(room.path, { short: THOROUGH, onCall }, () => runJob(job, room));
  return { ran, out: timeless(JSON.stringify(contents(room))), reads, changed, position };
}

/** What was written, but for files that tell of times. */
const contents = ({ out }: Room): object =>
  Object.entries(tree(out))
    .filter(([name]) => !/^(evidence\.json|m\.prom|state\.json)$/.test(name))
    .map(([name, bytes]) => [name, bytes.latin1Slice()]);

const timeless = (text: string): string =>
  text
    .replace(/\.bak-\d{8}T\d{6}Z/g, '.bak-then')
    .replace(/(written|last write at) \d{4}-\S+ \S+ UTC/g, '$1 then')
    .replace(/"(modifiedMs|modified|durationMs)": ?[\d.]+/g, '"$1":0');

const answer = ({ ran, out }: Outcome) => ({ exit: ran.exit, stdout: timeless(ran.stdout), out });

const same = (a: Outcome, b: Outcome): boolean => JSON.stringify(answer(a)) === JSON.stringify(answer(b));

/** What is wrong with the outcome of a run in which a file was changed; null when nothing is. */
async function flaw(job: Job, clean: Outcome, each: Outcome, change: Change): Promise<string | null> {
  const { exit, both } = each.ran;
  if (/internal error/.test(both)) return both;
  if (same(each, clean)) return null;
  if (/cut while|torn|ends early|damaged/.test(both) && exit > 0) return null;
  if (job.goesOn === true && /unread/.test(both)) return null;
  // It looked again, and told what stood there by then.
  const lay = (room: Room): void => {
    job.lay(room);
    change(join(room.in, each.changed), each.position);
  };
  const later = await run({ ...job, lay }, 0, change);
  return same(each, later) ? null : `exit ${exit}: ${both}`;
}

const CHANGES: readonly (readonly [name: string, change: Change])[] = [
  // Where the reader stands: what it has may well be a whole log.
  ['cut', (path, position) => position < statSync(path).size && truncateSync(path, position)],
  ['grown', (path) => appendFileSync(path, '*1\r\n$8\r\nFLUSHALL\r\n')],
];

it.each(CASES.map((job) => [job.name, job] as const))('%s', { timeout: 3_600_000 }, async (_name, job) => {
  const clean = await run(job, 0, () => {});
  const flaws: string[] = [];
  const step = THOROUGH ? 1 : Math.ceil(clean.reads / 2);
  for (let nth = clean.reads; nth > 0; nth -= step) {
    for (const [name, change] of CHANGES) {
      const each = await run(job, nth, change);
      const found = await flaw(job, clean, each, change);
      if (found !== null) flaws.push(`read ${nth} of ${each.changed}, ${name}: ${found}`);
    }
  }
  expect(flaws).toEqual([]);
});
