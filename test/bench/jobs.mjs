import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alterSmallRdb } from './alter-rdb.mjs';
import { measureProgram, measureServer, warm, withEmptyServer } from './measure.mjs';

/** The built command. */
export const CLI = fileURLToPath(new URL('../../dist/bin/rekindle.js', import.meta.url));

const MB = 1e6;
const GB = 1e9;

const ours =
  (...args) =>
  () =>
    measureProgram(process.execPath, [CLI, ...args]);

const checkRdb = (path) => () => measureProgram('redis-check-rdb', [path]);

/** Our check of the compressed file beside theirs of the plain one. */
function envelopeJob(input) {
  return {
    input,
    prepare: enveloped,
    ours: (path) => ours('check', `${path}.vcs`),
    needs: 'redis-check-rdb',
    theirs: checkRdb,
  };
}

/** Version 1, LZ4, reserved, RDB. */
const ENVELOPE = Buffer.from('VCS\x01\x01\x00\x01', 'latin1');

/** Makes a file beside its input under another name first, so that what stands under its own is whole. */
async function beside(place, make) {
  if (!existsSync(place)) {
    process.stderr.write(`making ${place}\n`);
    await make(`${place}.part`);
    renameSync(`${place}.part`, place);
  }
  warm(place);
}

/** Makes the compressed file beside the plain one. */
function enveloped(path) {
  return beside(`${path}.vcs`, (part) => {
    const output = openSync(part, 'w');
    writeSync(output, ENVELOPE);
    const { status } = spawnSync('lz4', ['-q', '-BD', '-B4', '-BX', '-c', path], {
      stdio: ['ignore', output, 'inherit'],
    });
    closeSync(output);
    if (status !== 0) throw new Error('the lz4 program is needed to make a compressed stream');
  });
}

/** The same keys in another file, for a comparison. */
const altered = (path) => beside(`${path}.altered`, (part) => alterSmallRdb(path, part));

/**
 * Copies a log with one byte changed: the star of the first record behind its middle. Returns where it stood. A log that is
 * `spare` is not copied but moved.
 */
export function damageLog(from, to, spare = false) {
  if (spare) renameSync(from, to);
  else copyFileSync(from, to);
  const descriptor = openSync(to, 'r+');
  const middle = Math.floor(statSync(to).size / 2);
  const bytes = Buffer.alloc(1 << 16);
  const found = bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, middle)).indexOf('\r\n*');
  if (found < 0) throw new Error(`no record in the middle of ${from}`);
  writeSync(descriptor, Buffer.from('+'), 0, 1, middle + found + 2);
  closeSync(descriptor);
  return middle + found + 2;
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

/** A command whose output is thrown away after it was measured. */
const writing =
  (place, ...args) =>
  async () => {
    try {
      return await ours(...args)();
    } finally {
      rmSync(place, { force: true });
    }
  };

/**
 * What is measured: the input, our command, theirs, the program theirs needs, what ours reads where that is not the input, and
 * what is asked of ours beside theirs. Of `goal`: `atBytes`, the smallest input that is held to it; `speed`, how many times as
 * fast; `peakBytes`; `peakRatio`, memory beside theirs; `bytesPerKey`, memory above that of a command that does nothing, for each
 * key of the input.
 */
export const JOBS = {
  'check-aof': {
    input: 'aof',
    ours: (path) => ours('check', path),
    needs: 'redis-check-aof',
    theirs: (path) => () => measureProgram('redis-check-aof', [path]),
    goal: { atBytes: GB, speed: 12, peakBytes: 96 * MB },
  },
  'check-rdb-small': {
    input: 'rdb-small',
    ours: (path) => ours('check', path),
    needs: 'redis-check-rdb',
    theirs: checkRdb,
    goal: { atBytes: GB, speed: 5, peakBytes: 128 * MB },
  },
  'check-rdb-mixed': {
    input: 'rdb-mixed',
    ours: (path) => ours('check', path),
    needs: 'redis-check-rdb',
    theirs: checkRdb,
    goal: { atBytes: 500 * MB, speed: 4 },
  },
  'check-vcs-small': envelopeJob('rdb-small'),
  'check-vcs-mixed': envelopeJob('rdb-mixed'),
  replay: {
    input: 'aof',
    ours: (path) => ours('replay', '--no-digest', path),
    needs: 'redis-server',
    theirs: (_path, directory) => () => measureServer(directory),
    goal: { atBytes: GB, speed: 4, peakRatio: 1.1 },
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
    ours: (path) => writing(`${path}.ndjson`, 'convert', '--force', path, `${path}.ndjson`),
    needs: 'redis-check-rdb',
    theirs: checkRdb,
    goal: { atBytes: 500 * MB, speed: 1 },
  },
  digest: {
    input: 'rdb-small',
    prepare: asDump,
    ours: (path) => ours('digest', path),
    needs: 'redis-server',
    theirs: (path) => () => measureServer(`${path}.data`, 'DEBUG DIGEST', 'no'),
    goal: { atBytes: GB, speed: 1 },
  },
  diff: {
    input: 'rdb-small',
    prepare: altered,
    reads: (path) => [path, `${path}.altered`],
    // Exit code 1: they differ.
    ours: (path) => () =>
      measureProgram(process.execPath, [CLI, 'diff', '--summary', path, `${path}.altered`], null, 1),
    needs: 'redis-check-rdb',
    theirs: (path) => () => both(checkRdb(path)(), checkRdb(`${path}.altered`)),
    goal: { atBytes: GB, speed: 2, bytesPerKey: 48 },
  },
  'repair-skip': {
    input: 'aof',
    // Given a spare log it damages that one, not a copy.
    spoils: true,
    reads: (path) => [`${path}.damaged`],
    prepare: (path, spare) => beside(`${path}.damaged`, (part) => damageLog(path, part, spare)),
    ours: (path) =>
      writing(
        `${path}.repaired`,
        ...['repair', '--strategy', 'skip', '--force', '--out', `${path}.repaired`, `${path}.damaged`],
      ),
    needs: 'redis-check-aof',
    // It stops at the damage: so it is given the log as it was, which it reads to its end.
    theirs: (path) => () => measureProgram('redis-check-aof', [path]),
    goal: { atBytes: GB, speed: 4 },
  },
  'replay-digest': {
    input: 'aof',
    ours: (path) => ours('replay', path),
    needs: 'redis-server',
    theirs: (_path, directory) => () => measureServer(directory, 'DEBUG DIGEST'),
  },
};

/** A job like another, which nothing is asked of. */
const alike = (name, changes) => ({ ...JOBS[name], ...changes, goal: undefined });

/** Jobs that are run when they are named: one huge value each, of which `--size` says how large it is, and a replay in parts. */
const NAMED_JOBS = {
  ...Object.fromEntries(
    ['huge-string', 'huge-hash'].flatMap((input) => [
      [`check-${input}`, alike('check-rdb-small', { input })],
      [`convert-${input}`, alike('convert', { input })],
      [`digest-${input}`, { input, ours: (path) => ours('digest', path), needs: null }],
    ]),
  ),
  'replay-memory': alike('replay', {
    ours: (path) => ours('replay', '--no-digest', '--memory', '1GB', path),
    needs: null,
  }),
};

/** Every job by its name. */
export const ALL_JOBS = { ...JOBS, ...NAMED_JOBS };
