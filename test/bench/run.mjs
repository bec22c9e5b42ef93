// Measures rekindle beside the servers' own programs: npm run bench -- [options]
//
//   --size 100MB     of each input (1GB is 10^9 bytes), or --size check-rdb-mixed=500MB,1GB for some jobs another; inputs are
//                    made once and kept in --dir. --size issue: what the table of docs/performance.md was measured with
//   --runs 5         pairs per job; ours and theirs alternate, and so does who goes first; medians are told
//   --jobs A,B       of check-aof, check-rdb-small, check-rdb-mixed, check-vcs-small, check-vcs-mixed, replay, replay-digest,
//                    replay-target, convert, digest, diff, repair-skip, start, kernels: default all; and of
//                    check-, convert- and digest-huge-string and -huge-hash, and replay-memory (with --memory 1GB),
//                    which are run when they are named
//   --growth         how cost grows instead: ours alone, on inputs of --sizes 10MB,100MB,1GB (default); best of --runs. Inputs
//                    above --keep 2GB are measured once, and removed when the last job has read them: 10GB takes 25 GB of disk
//   --dir PATH       where inputs are kept; default: rekindle-bench in the temporary directory
//   --markdown       the table as docs/performance.md has it
//   --json           one JSON object instead of the table
//
// convert: the mixed RDB to NDJSON, synced to the disk, beside redis-check-rdb reading it. diff: the small RDB and one of the same keys in
// another order, one value in ten thousand changed, beside redis-check-rdb on both. digest: beside a server's load and DEBUG DIGEST.
// repair-skip: a log with one byte changed in its middle, beside redis-check-aof reading it as it was. check-vcs: the same RDB in Valkey's
// compressed stream, made by the lz4 program as Valkey's writer does (linked blocks of 64 KiB, every checksum), beside redis-check-rdb on
// the plain one. A server's load computes no digest, so replay is measured without; replay-digest adds DEBUG DIGEST. start: `--version`
// beside `node -e 0`, the median of twenty pairs.
//
// Needs a build (`npm run build`), and redis-server, redis-check-aof and redis-check-rdb on the path; without them only
// our side is measured. Peak memory is sampled from /proc every ten milliseconds, in a run of its own that is not timed: looking at
// it slows what is looked at. It and processor time are told on Linux only. On a busy machine compare processor time: the wall clock then measures the neighbours.
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseSize } from './generate.mjs';
import { judge } from './goals.mjs';
import { measureGrowth } from './growth.mjs';
import { inputOf } from './inputs.mjs';
import { ALL_JOBS, CLI, JOBS } from './jobs.mjs';
import { measureKernels } from './kernels.mjs';
import { hasProgram, lookAtMemory, measureProgram, warm } from './measure.mjs';
import { measureStart } from './start.mjs';
import { growthTable, kernelTable, pairTable, startLine } from './table.mjs';

const GROWTH_JOBS = 'check-aof check-rdb-small check-rdb-mixed replay convert digest diff repair-skip'.split(
  ' ',
);
const ISSUE_SIZES = 'check-rdb-mixed=500MB,convert=500MB,1GB';

/** Bytes for each job: `check-rdb-mixed=500MB,1GB` means one job, and all others. */
function sizesOf(text) {
  const sizes = new Map();
  for (const part of (text === 'issue' ? ISSUE_SIZES : text).split(',')) {
    const [size, job = ''] = part.split('=').reverse();
    sizes.set(job, parseSize(size));
  }
  return (job) => sizes.get(job) ?? sizes.get('') ?? parseSize('100MB');
}

function options() {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '100MB' },
      sizes: { type: 'string', default: '10MB,100MB,1GB' },
      runs: { type: 'string' },
      jobs: { type: 'string' },
      growth: { type: 'boolean', default: false },
      keep: { type: 'string', default: '2GB' },
      dir: { type: 'string', default: join(tmpdir(), 'rekindle-bench') },
      markdown: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const all = values.growth ? GROWTH_JOBS : [...Object.keys(JOBS), 'start', 'kernels'];
  const jobs = values.jobs?.split(',') ?? all;
  const known = new Set([...Object.keys(ALL_JOBS), ...(values.growth ? [] : ['start', 'kernels'])]);
  for (const job of jobs) if (!known.has(job)) throw new Error(`unknown job: ${job}`);
  return {
    ...values,
    jobs,
    form: values.markdown ? 'markdown' : 'text',
    sizeOf: sizesOf(values.size),
    sizes: values.sizes.split(',').map(parseSize),
    keepBytes: parseSize(values.keep),
    runs: Number(values.runs ?? (values.growth ? 3 : 5)),
  };
}

const median = (numbers) => {
  const known = numbers.filter((number) => number !== null).sort((a, b) => a - b);
  return known.length === 0 ? null : known[known.length >> 1];
};

const summary = (peakBytes, samples) => ({
  seconds: median(samples.map((sample) => sample.seconds)),
  cpuSeconds: median(samples.map((sample) => sample.cpuSeconds)),
  peakBytes,
  samples,
});

/** The memory of each side, in a run that is not timed. */
async function peaksOf(sides) {
  lookAtMemory(true);
  const peaks = {};
  for (const side of Object.keys(sides)) peaks[side] = (await sides[side]()).peakBytes;
  lookAtMemory(false);
  return peaks;
}

async function measurePair(name, input, { runs }, baseBytes) {
  const job = ALL_JOBS[name];
  const sides = { ours: job.ours(input.path) };
  if (job.needs !== null && hasProgram(job.needs)) sides.theirs = job.theirs(input.path, input.directory);
  const samples = { ours: [], theirs: [] };
  warm(input.path);
  await job.prepare?.(input.path);
  const peaks = await peaksOf(sides);
  for (let run = 0; run < runs; run++) {
    const order = run % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours'];
    for (const side of order) {
      if (!(side in sides)) continue;
      samples[side].push(await sides[side]());
      process.stderr.write(`${name} ${side} ${samples[side].at(-1).seconds.toFixed(2)} s\n`);
    }
  }
  const result = {
    job: name,
    program: job.needs,
    inputBytes: input.bytes,
    ours: summary(peaks.ours, samples.ours),
  };
  if (samples.theirs.length > 0) {
    result.theirs = summary(peaks.theirs, samples.theirs);
    result.speed = result.theirs.seconds / result.ours.seconds;
  }
  if (job.goal) result.goal = judge(job.goal, { ...result, keys: input.keys ?? 0 }, baseBytes);
  return result;
}

/** Measures the chosen jobs into the report; one that fails does not keep the others from it. */
async function measureJobs(chosen, report) {
  const { peakBytes } = await measureProgram(process.execPath, [CLI, '--version']);
  for (const name of chosen.jobs) {
    try {
      if (name === 'kernels') report.kernels = await measureKernels();
      else if (name === 'start') report.start = measureStart();
      else {
        const input = await inputOf(ALL_JOBS[name].input, chosen.dir, chosen.sizeOf(name));
        report.jobs.push(await measurePair(name, input, chosen, peakBytes ?? 0));
      }
    } catch (error) {
      // The other jobs still count, but the run has failed.
      process.stderr.write(`${name} failed: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
}

const chosen = options();
const report = {
  schemaVersion: 1,
  machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version },
  size: chosen.size,
  runs: chosen.runs,
  jobs: [],
};
if (chosen.growth) report.growth = await measureGrowth(chosen);
else await measureJobs(chosen, report);
if (chosen.json) console.log(JSON.stringify(report, null, 2));
else {
  if (report.growth) console.log(growthTable(report, chosen.form));
  if (report.jobs.length > 0) console.log(pairTable(report, chosen.form));
  if (report.start) console.log(startLine(report.start));
  if (report.kernels) console.log(kernelTable(report.kernels, chosen.form));
}
