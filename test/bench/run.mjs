// Measures rekindle beside the servers' own programs: npm run bench -- [options]
//
//   --size 100MB     of each input (1GB is 10^9 bytes); inputs are made once and kept in --dir
//   --runs 5         pairs per job; ours and theirs alternate, and so does who goes first; medians are told
//   --jobs A,B       of check-aof, check-rdb-small, check-rdb-mixed, check-vcs-small, check-vcs-mixed, replay,
//                    replay-digest, replay-target, convert, digest, diff, kernels; default all. convert: the
//                    mixed RDB to NDJSON, synced to the disk, beside redis-check-rdb reading it. diff: the small RDB and one of the same keys in
//                    another order, one value in ten thousand changed, beside redis-check-rdb on both; digest: beside a server's load and
//                    DEBUG DIGEST. check-vcs: the same RDB in Valkey's compressed stream, made by the lz4
//                    program as Valkey's writer does (linked blocks of 64 KiB, every checksum), beside redis-check-rdb on the plain one
//                    (a server's load computes no digest, so replay is measured without; replay-digest adds DEBUG DIGEST)
//   --dir PATH       where inputs are kept; default: rekindle-bench in the temporary directory
//   --json           one JSON object instead of the table
//
// Needs a build (`npm run build`), and redis-server, redis-check-aof and redis-check-rdb on the path; without them only
// our side is measured. Peak memory and processor time are sampled from /proc every ten milliseconds, so they are told on Linux
// only. On a busy machine compare processor time: the wall clock then measures the neighbours.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { alterSmallRdb } from './alter-rdb.mjs';
import { generate, parseSize } from './generate.mjs';
import { measureKernels } from './kernels.mjs';
import { hasProgram, measureProgram, measureServer, warm, withEmptyServer } from './measure.mjs';
import { kernelTable, pairTable } from './table.mjs';

const CLI = fileURLToPath(new URL('../../dist/bin/rekindle.js', import.meta.url));
const SEED = 1;

const ours =
  (...args) =>
  () =>
    measureProgram(process.execPath, [CLI, ...args]);

/** Our check of the compressed file beside theirs of the plain one. */
function envelopeJob(input) {
  return {
    input,
    prepare: enveloped,
    ours: (path) => ours('check', `${path}.vcs`),
    needs: 'redis-check-rdb',
    theirs: (path) => () => measureProgram('redis-check-rdb', [path]),
  };
}

/** Version 1, LZ4, reserved, RDB. */
const ENVELOPE = Buffer.from('VCS\x01\x01\x00\x01', 'latin1');

/** Makes the compressed file beside the plain one. */
function enveloped(path) {
  const place = `${path}.vcs`;
  if (!existsSync(place)) {
    process.stderr.write(`making ${place}\n`);
    const output = openSync(`${place}.part`, 'w');
    writeSync(output, ENVELOPE);
    const { status } = spawnSync('lz4', ['-q', '-BD', '-B4', '-BX', '-c', path], {
      stdio: ['ignore', output, 'inherit'],
    });
    closeSync(output);
    if (status !== 0) throw new Error('the lz4 program is needed to make a compressed stream');
    renameSync(`${place}.part`, place);
  }
  warm(place);
}

/** The same keys in another file, for a comparison. */
async function altered(path) {
  const place = `${path}.altered`;
  if (!existsSync(place)) {
    process.stderr.write(`making ${place}\n`);
    await alterSmallRdb(path, `${place}.part`);
    renameSync(`${place}.part`, place);
  }
  warm(place);
}

/** A data directory of which the file is the dump. */
function asDump(path) {
  const directory = `${path}.data`;
  if (existsSync(directory)) return;
  mkdirSync(directory);
  linkSync(path, join(directory, 'dump.rdb'));
}

/** One program after the other, as one. */
async function both(first, second) {
  const [a, b] = [await first, await second()];
  return {
    seconds: a.seconds + b.seconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    peakBytes: Math.max(a.peakBytes, b.peakBytes),
  };
}

/** What is measured: the input, our command, theirs, and the program theirs needs. */
const JOBS = {
  'check-aof': {
    input: 'aof',
    ours: (path) => ours('check', path),
    needs: 'redis-check-aof',
    theirs: (path) => () => measureProgram('redis-check-aof', [path]),
  },
  'check-rdb-small': {
    input: 'rdb-small',
    ours: (path) => ours('check', path),
    needs: 'redis-check-rdb',
    theirs: (path) => () => measureProgram('redis-check-rdb', [path]),
  },
  'check-rdb-mixed': {
    input: 'rdb-mixed',
    ours: (path) => ours('check', path),
    needs: 'redis-check-rdb',
    theirs: (path) => () => measureProgram('redis-check-rdb', [path]),
  },
  'check-vcs-small': envelopeJob('rdb-small'),
  'check-vcs-mixed': envelopeJob('rdb-mixed'),
  replay: {
    input: 'aof',
    ours: (path) => ours('replay', '--no-digest', path),
    needs: 'redis-server',
    theirs: (_path, directory) => () => measureServer(directory),
  },
  'replay-target': {
    input: 'strings',
    ours: (path) => () => withEmptyServer((socket) => ours('replay', '--target', `unix://${socket}`, path)()),
    needs: 'redis-server',
    theirs: (path) => () =>
      withEmptyServer((socket) => measureProgram('redis-cli', ['-s', socket, '--pipe'], path)),
  },
  convert: {
    input: 'rdb-mixed',
    ours: (path) => ours('convert', '--force', path, `${path}.ndjson`),
    needs: 'redis-check-rdb',
    theirs: (path) => () => measureProgram('redis-check-rdb', [path]),
  },
  digest: {
    input: 'rdb-small',
    prepare: asDump,
    ours: (path) => ours('digest', path),
    needs: 'redis-server',
    theirs: (path) => () => measureServer(`${path}.data`, 'DEBUG DIGEST', 'no'),
  },
  diff: {
    input: 'rdb-small',
    prepare: altered,
    // Exit code 1: they differ.
    ours: (path) => () =>
      measureProgram(process.execPath, [CLI, 'diff', '--summary', path, `${path}.altered`], null, 1),
    needs: 'redis-check-rdb',
    theirs: (path) => () =>
      both(measureProgram('redis-check-rdb', [path]), () =>
        measureProgram('redis-check-rdb', [`${path}.altered`]),
      ),
  },
  'replay-digest': {
    input: 'aof',
    ours: (path) => ours('replay', path),
    needs: 'redis-server',
    theirs: (_path, directory) => () => measureServer(directory, 'DEBUG DIGEST'),
  },
};

function options() {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '100MB' },
      runs: { type: 'string', default: '5' },
      jobs: { type: 'string', default: [...Object.keys(JOBS), 'kernels'].join(',') },
      dir: { type: 'string', default: join(tmpdir(), 'rekindle-bench') },
      json: { type: 'boolean', default: false },
    },
  });
  const jobs = values.jobs.split(',');
  for (const job of jobs) if (job !== 'kernels' && !(job in JOBS)) throw new Error(`unknown job: ${job}`);
  return { ...values, jobs, sizeBytes: parseSize(values.size), runs: Number(values.runs) };
}

/** Endings of inputs that are no RDB. */
const ENDINGS = { aof: '', strings: '.aof' };

/** The input of a kind and size: made under another name first, so that what stands under its own is whole. */
async function inputOf(kind, { dir, sizeBytes }) {
  mkdirSync(dir, { recursive: true });
  const place = join(dir, `${kind}-${sizeBytes}-${SEED}${ENDINGS[kind] ?? '.rdb'}`);
  if (!existsSync(place)) {
    process.stderr.write(`making ${place}\n`);
    rmSync(`${place}.part`, { recursive: true, force: true });
    await generate(kind, { size: sizeBytes, out: `${place}.part`, seed: SEED });
    renameSync(`${place}.part`, place);
  }
  const path = kind === 'aof' ? join(place, 'appendonlydir', 'appendonly.aof.1.incr.aof') : place;
  return { path, directory: place, bytes: statSync(path).size };
}

const median = (numbers) => {
  const known = numbers.filter((number) => number !== null).sort((a, b) => a - b);
  return known.length === 0 ? null : known[known.length >> 1];
};

const summary = (samples) => ({
  seconds: median(samples.map((sample) => sample.seconds)),
  cpuSeconds: median(samples.map((sample) => sample.cpuSeconds)),
  peakBytes: median(samples.map((sample) => sample.peakBytes)),
  samples,
});

async function measurePair(name, input, runs) {
  const job = JOBS[name];
  const sides = { ours: job.ours(input.path), theirs: job.theirs(input.path, input.directory) };
  if (!hasProgram(job.needs)) delete sides.theirs;
  const samples = { ours: [], theirs: [] };
  warm(input.path);
  await job.prepare?.(input.path);
  for (let run = 0; run < runs; run++) {
    const order = run % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours'];
    for (const side of order) {
      if (!(side in sides)) continue;
      samples[side].push(await sides[side]());
      process.stderr.write(`${name} ${side} ${samples[side].at(-1).seconds.toFixed(2)} s\n`);
    }
  }
  const result = { job: name, program: job.needs, inputBytes: input.bytes, ours: summary(samples.ours) };
  if (samples.theirs.length > 0) {
    result.theirs = summary(samples.theirs);
    result.speed = result.theirs.seconds / result.ours.seconds;
  }
  return result;
}

const chosen = options();
const report = {
  schemaVersion: 1,
  machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version },
  size: chosen.size,
  runs: chosen.runs,
  jobs: [],
};
for (const name of chosen.jobs) {
  if (name === 'kernels') report.kernels = await measureKernels();
  else {
    const input = await inputOf(JOBS[name].input, chosen);
    try {
      report.jobs.push(await measurePair(name, input, chosen.runs));
    } catch (error) {
      // The other jobs still count, but the run has failed.
      process.stderr.write(`${name} failed: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
}
if (chosen.json) console.log(JSON.stringify(report, null, 2));
else {
  if (report.jobs.length > 0) console.log(pairTable(report));
  if (report.kernels) console.log(kernelTable(report.kernels));
}
