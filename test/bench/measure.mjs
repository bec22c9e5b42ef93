import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_MS = 10;
/** What has run for a second is looked at less often: the most memory a process had only grows, so that little can be missed. */
const LATER_SAMPLE_MS = 100;
const EARLY_MS = 1000;
/** What Linux counts processor time in. */
const TICKS_PER_SECOND = 100;

/** Whether a program is on the path. */
export function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Reads a file once, so that no side pays for the disk. */
export function warm(path) {
  const buffer = Buffer.alloc(1 << 20);
  const descriptor = openSync(path, 'r');
  while (readSync(descriptor, buffer) > 0);
  closeSync(descriptor);
}

/** The high-water mark of a process's memory; null when it cannot be read. */
function peakOf(pid) {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match === null ? null : Number(match[1]) * 1024;
  } catch {
    return null;
  }
}

/**
 * Processor time in seconds: all of it, and what of it is the kernel's, which stand in two neighbouring fields of a process's
 * record; null when it cannot be read.
 */
function timesOf(pid, first) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [own, kernel] = [fields[first], fields[first + 1]].map((ticks) => Number(ticks) / TICKS_PER_SECOND);
    return { all: own + kernel, kernel };
  } catch {
    return null;
  }
}

/** Processor time that a process has used so far, all threads together. */
const cpuOf = (pid) => timesOf(pid, 11)?.all ?? null;

/** Processor time of all programs we ran that have ended: unlike `cpuOf`, what they took to end is in it. */
const cpuOfEnded = () => timesOf('self', 13);

let looksAtMemory = true;

/**
 * Whether programs are looked at every few milliseconds for the memory they have: that takes a tenth of its speed from one
 * that uses all cores, so that what is timed should be left alone.
 */
export function lookAtMemory(on) {
  looksAtMemory = on;
}

/**
 * Runs a program to its end, with a file as its input. @throws Error when it ends with another code: a wrong answer has
 * no speed
 */
export function measureProgram(command, args, input = null, expected = 0) {
  return new Promise((resolve, reject) => {
    const before = cpuOfEnded();
    const began = performance.now();
    const stdin = input === null ? 'ignore' : openSync(input, 'r');
    const child = spawn(command, args, { stdio: [stdin, 'ignore', 'pipe'] });
    if (input !== null) closeSync(stdin);
    let peakBytes = null;
    let complaint = '';
    const look = () => {
      peakBytes = peakOf(child.pid) ?? peakBytes;
    };
    let timer = looksAtMemory ? setInterval(look, SAMPLE_MS) : undefined;
    const later = setTimeout(() => {
      clearInterval(timer);
      if (looksAtMemory) timer = setInterval(look, LATER_SAMPLE_MS);
    }, EARLY_MS);
    child.stderr.on('data', (chunk) => {
      complaint = (complaint + chunk).slice(-2000);
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      const seconds = (performance.now() - began) / 1000;
      clearTimeout(later);
      clearInterval(timer);
      const after = cpuOfEnded();
      const known = before !== null && after !== null;
      const cpuSeconds = known ? after.all - before.all : null;
      const kernelSeconds = known ? after.kernel - before.kernel : null;
      if (code === expected) resolve({ seconds, cpuSeconds, kernelSeconds, peakBytes });
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${complaint}`));
    });
  });
}

/** One command to a server; null while it cannot be reached. */
function ask(socket, command) {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('error', () => resolve(null));
    connection.on('data', (chunk) => {
      connection.destroy();
      resolve(chunk.toString('latin1'));
    });
    connection.write(`${command}\r\n`);
  });
}

/** Runs `body` with the socket of an empty server of its own, and ends that. */
export async function withEmptyServer(body) {
  const place = mkdtempSync(join(tmpdir(), 'rekindle-bench-'));
  const socket = join(place, 'socket');
  const settings = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--dir',
    place,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', settings, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    while (!(await ask(socket, 'PING'))?.startsWith('+PONG')) await sleep(SAMPLE_MS);
    return await body(socket);
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(place, { recursive: true, force: true });
  }
}

/** The time from start until a server has loaded a data directory and answered `then`, and the memory it has taken. */
export async function measureServer(directory, then = 'PING', appendonly = 'yes') {
  const place = mkdtempSync(join(tmpdir(), 'rekindle-bench-'));
  const socket = join(place, 'socket');
  const settings = ['--port', '0', '--unixsocket', socket, '--dir', directory, '--save', ''];
  settings.push(
    '--enable-debug-command',
    'yes',
    '--appendonly',
    appendonly,
    '--auto-aof-rewrite-percentage',
    '0',
    '--logfile',
    join(place, 'log'),
  );
  const began = performance.now();
  const child = spawn('redis-server', settings, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    for (;;) {
      const answer = await ask(socket, 'PING');
      if (answer?.startsWith('+PONG')) break;
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${readFileSync(join(place, 'log'))}`);
      await sleep(SAMPLE_MS);
    }
    const last = await ask(socket, then);
    if (!last?.startsWith('+')) throw new Error(`redis-server answered ${then} with ${last}`);
    const seconds = (performance.now() - began) / 1000;
    return { seconds, cpuSeconds: cpuOf(child.pid), peakBytes: peakOf(child.pid) };
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(place, { recursive: true, force: true });
  }
}
