import { discard, inputOf } from './inputs.mjs';
import { JOBS } from './jobs.mjs';
import { warm } from './measure.mjs';

/** Jobs that hold nothing that grows with their input: 10 GB go through as 10 MB do. */
const FLAT = new Set(['check-aof', 'check-rdb-small', 'check-rdb-mixed', 'convert', 'digest', 'repair-skip']);
/** Time may leave the straight line by so much. */
const LINEAR_WITHIN = 0.15;

/**
 * Adds to each row how many nanoseconds a byte took, without what a run on nothing takes, and to the job by what share the worst row
 * misses the straight line through the smallest and the largest: null with less than three rows.
 */
export function judgeGrowth(rows, start) {
  const told = rows.map((row) => ({
    ...row,
    nsPerByte: (1e9 * (row.seconds - start.seconds)) / row.inputBytes,
    cpuNsPerByte: (1e9 * (row.cpuSeconds - start.cpuSeconds)) / row.inputBytes,
  }));
  if (rows.length < 3) return { rows: told, spread: null, linear: null };
  const [first, last] = [rows[0], rows.at(-1)];
  const slope = (last.cpuSeconds - first.cpuSeconds) / (last.inputBytes - first.inputBytes);
  const misses = rows.map(({ cpuSeconds, inputBytes }) => {
    const foretold = first.cpuSeconds + slope * (inputBytes - first.inputBytes);
    return Math.abs(cpuSeconds / foretold - 1);
  });
  const spread = Math.max(...misses);
  return { rows: told, spread, linear: spread <= LINEAR_WITHIN };
}

const best = (samples, what) => Math.min(...samples.map((sample) => sample[what]));

/** Runs jobs on inputs of several sizes. Inputs above `keepBytes` are removed when their last job has seen them. */
export async function measureGrowth({ jobs, sizes, runs, dir, keepBytes }) {
  const results = [];
  for (const name of jobs) {
    const job = JOBS[name];
    const samplesOf = async (path) => {
      const samples = [];
      for (let run = 0; run < runs; run++) samples.push(await job.ours(path)());
      return {
        seconds: best(samples, 'seconds'),
        cpuSeconds: best(samples, 'cpuSeconds'),
        peakBytes: Math.max(...samples.map((sample) => sample.peakBytes)),
      };
    };
    const measured = async (size) => {
      const input = await inputOf(job.input, dir, size);
      warm(input.path);
      await job.prepare?.(input.path);
      const row = { inputBytes: input.bytes, ...(await samplesOf(input.path)) };
      process.stderr.write(`${name} ${(input.bytes / 1e6).toFixed(0)} MB ${row.seconds.toFixed(2)} s\n`);
      if (input.bytes > keepBytes) discard(input);
      return row;
    };
    const start = await measured(1000);
    const rows = [];
    for (const size of sizes) rows.push(await measured(size));
    results.push({ job: name, flat: FLAT.has(name), start, ...judgeGrowth(rows, start) });
  }
  return results;
}
