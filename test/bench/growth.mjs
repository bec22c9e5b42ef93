import { discard, inputOf } from './inputs.mjs';
import { ALL_JOBS } from './jobs.mjs';
import { warm } from './measure.mjs';

/** Jobs that hold nothing that grows with their input: 10 GB go through in the memory that 100 MB take. */
const FLAT = new Set(['check-aof', 'convert', 'digest', 'repair-skip']);
/** Jobs that hold so many bytes for each further key of their input. */
const BYTES_PER_KEY = { 'check-rdb-small': 7.5, 'check-rdb-mixed': 7.5, diff: 48 };

/** Time may leave the straight line by this share of what the line says, */
const LINEAR_WITHIN = 0.15;
/**
 * or by so much, whichever is more. Cost does not bend only with the input: above some tens of megabytes a second thread is
 * started, and code is compiled once it is known to be hot. That is paid once, and is most of what a run of a tenth of a second takes.
 */
const ONCE_SECONDS = 0.05;
/** Memory is judged from a size on at which all threads work, and all but what is held for keys is there. */
const MEMORY_FROM_BYTES = 400e6;
const FLAT_WITHIN = 0.15;
/** As good as nothing: what is left is what starting costs. */
const EMPTY_BYTES = 1000;

/** How far each row is from the straight line through the first and the last, in seconds and as a share of the line. */
function missesOf(rows, what) {
  const [first, last] = [rows[0], rows.at(-1)];
  const slope = (last[what] - first[what]) / (last.inputBytes - first.inputBytes);
  return rows.map((row) => {
    const foretold = first[what] + slope * (row.inputBytes - first.inputBytes);
    const seconds = row[what] - foretold;
    return { seconds, share: seconds / foretold };
  });
}

const onLine = ({ seconds, share }) => Math.abs(share) <= LINEAR_WITHIN || Math.abs(seconds) <= ONCE_SECONDS;

/** What the memory of a job is held to, and whether it keeps to it. */
function judgeMemory(job, rows) {
  const known = rows.filter(
    ({ peakBytes, inputBytes }) => peakBytes !== null && inputBytes >= MEMORY_FROM_BYTES,
  );
  if (known.length < 2) return null;
  if (FLAT.has(job)) {
    const peaks = known.map((row) => row.peakBytes);
    const got = Math.max(...peaks) / Math.min(...peaks) - 1;
    return { promise: 'flat', got, kept: got <= FLAT_WITHIN };
  }
  const [before, last] = known.slice(-2);
  if (!(job in BYTES_PER_KEY) || !last.keys) return null;
  const asked = BYTES_PER_KEY[job];
  const got = (last.peakBytes - before.peakBytes) / (last.keys - before.keys);
  return { promise: 'bytesPerKey', asked, got, kept: got <= asked };
}

/** What of a row's processor time is not the kernel's; where that is not known, all of it. */
const ownSeconds = ({ cpuSeconds, kernelSeconds, seconds }) =>
  cpuSeconds === null ? seconds : cpuSeconds - (kernelSeconds ?? 0);

/**
 * Adds to each row what a byte costs above a run on nothing, and how far it is from the line. The job is `linear` when no row is too far from it; null with less than three rows. Processor time is
 * judged, or the wall clock where that is not known; told are both, and what is not the kernel's: that alone depends on nothing but us.
 */
export function judgeGrowth(job, rows, start) {
  const judged = rows.every(({ cpuSeconds }) => cpuSeconds !== null) ? 'cpuSeconds' : 'seconds';
  const [cpu, wall] = [missesOf(rows, judged), missesOf(rows, 'seconds')];
  const own = missesOf(
    rows.map((row) => ({ ...row, ownSeconds: ownSeconds(row) })),
    'ownSeconds',
  );
  const told = rows.map((row, i) => ({
    ...row,
    nsPerByte: (1e9 * (row.seconds - start.seconds)) / row.inputBytes,
    cpuNsPerByte: (1e9 * (row[judged] - start[judged])) / row.inputBytes,
    miss: cpu[i],
    ownMiss: own[i],
    wallMiss: wall[i],
  }));
  const memory = judgeMemory(job, rows);
  if (rows.length < 3)
    return {
      rows: told,
      ...{ worst: null, worstOwn: null, worstWall: null },
      ...{ linear: null, linearOwn: null, linearWall: null },
      memory,
    };
  const worstOf = (misses) =>
    misses.reduce((a, b) => {
      if (onLine(a) !== onLine(b)) return onLine(a) ? b : a;
      return Math.abs(b.share) > Math.abs(a.share) ? b : a;
    });
  return {
    rows: told,
    worst: worstOf(cpu),
    worstOwn: worstOf(own),
    worstWall: worstOf(wall),
    linear: cpu.every(onLine),
    linearOwn: own.every(onLine),
    linearWall: wall.every(onLine),
    memory,
  };
}

const best = (samples, what) =>
  samples.some((sample) => sample[what] === null) ? null : Math.min(...samples.map((sample) => sample[what]));

/** One job on one input: the fastest of some runs, and the most memory that any of them took. */
async function measureRow(name, input, runs, spare) {
  const job = ALL_JOBS[name];
  await job.prepare?.(input.path, spare);
  const samples = [];
  for (let run = 0; run < runs; run++) {
    for (const path of job.reads?.(input.path) ?? [input.path]) warm(path);
    samples.push(await job.ours(input.path)());
  }
  const row = {
    inputBytes: input.bytes,
    keys: input.keys ?? null,
    seconds: best(samples, 'seconds'),
    cpuSeconds: best(samples, 'cpuSeconds'),
    kernelSeconds: best(samples, 'kernelSeconds'),
    peakBytes: samples.some(({ peakBytes }) => peakBytes === null)
      ? null
      : Math.max(...samples.map(({ peakBytes }) => peakBytes)),
  };
  const told = `${row.seconds.toFixed(2)} s, ${row.cpuSeconds?.toFixed(2)} of processor, ${row.kernelSeconds?.toFixed(2)} of that in the kernel, ${(row.peakBytes / 1e6).toFixed(0)} MB`;
  process.stderr.write(`${name} ${(input.bytes / 1e6).toFixed(0)} MB: ${told}\n`);
  return row;
}

/**
 * Runs jobs on inputs of several sizes. One above `keepBytes` is read once instead of `runs` times, and removed when the last job has
 * seen it; that job may spoil it.
 */
export async function measureGrowth({ jobs, sizes, runs, dir, keepBytes }) {
  const rows = new Map(jobs.map((job) => [job, []]));
  for (const kind of new Set(jobs.map((name) => ALL_JOBS[name].input))) {
    const users = jobs.filter((name) => ALL_JOBS[name].input === kind);
    // What spoils its input comes last.
    users.sort((a, b) => Number(ALL_JOBS[a].spoils ?? false) - Number(ALL_JOBS[b].spoils ?? false));
    for (const size of [EMPTY_BYTES, ...sizes]) {
      const input = await inputOf(kind, dir, size);
      const large = input.bytes > keepBytes;
      for (const name of users) rows.get(name).push(await measureRow(name, input, large ? 1 : runs, large));
      if (large) discard(input);
    }
  }
  return jobs.map((job) => {
    const [start, ...measured] = rows.get(job);
    return { job, start, ...judgeGrowth(job, measured, start) };
  });
}
