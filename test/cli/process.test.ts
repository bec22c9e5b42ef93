import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/version.js';
import { Crc64 } from '../../src/kernels/crc64.js';
import { builtProgram } from '../support/built.js';
import { corpusPath } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { str, u8 } from '../support/rdb-bytes.js';
import { temporaryDirectory } from '../support/temporary.js';
import { terminalTests } from './explore/on-terminal.js';
import { runCli } from './memory-io.js';
import { progressTests } from './progress-on-terminal.js';

// What only a real process shows: signals, pipes that close, a second thread.

let program = '';

beforeAll(() => {
  program = builtProgram();
});

const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });

it('answers for its version without loading a command', () => {
  expect(run('--version')).toMatchObject({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
});

it('checks a file', () => {
  const { status, stdout } = run('check', corpusPath('redis-7.0.15', 'small.rdb'), '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, files: [{ keys: 19 }] });
});

/** Of as many keys that their digests fill a pipe several times. */
const BULK = corpusPath('redis-7.0.15', 'bulk.rdb');

it('is quiet when nobody reads any more', async () => {
  const child = spawn(process.execPath, [program, 'digest', '--per-key', BULK]);
  const complaints = gather(child.stderr);
  child.stdout.once('data', () => child.stdout.destroy());
  expect(await ended(child)).toBe(0);
  expect((await complaints).replace(/^digest of .*\n/m, '')).toBe('');
});

it('stops at SIGINT with 130 and leaves nothing half-written', async () => {
  const directory = temporaryDirectory('interrupt');
  const out = join(directory, 'out.rdb');
  const child = spawn(process.execPath, [program, 'replay', '-', '--out', out]);
  const complaints = gather(child.stderr);
  child.stdin.write('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n'.repeat(1000));
  // The place is taken as soon as the work begins, under another name.
  while (readdirSync(directory).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(existsSync(out)).toBe(false);
  child.kill('SIGINT');
  expect(await ended(child)).toBe(130);
  expect(await complaints).toBe('rekindle: interrupted; nothing half-written is left behind\n');
  expect(readdirSync(directory)).toEqual([]);
});

describe('under the name of an official checker', () => {
  const WHOLE = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n';

  function linked(name: string, file: string, words: readonly string[], input: string) {
    const directory = temporaryDirectory('linked');
    chmodSync(program, 0o755); // as npm does on installing
    symlinkSync(program, join(directory, name));
    const path = join(directory, 'file');
    writeFileSync(path, readFileSync(file));
    const ran = spawnSync(join(directory, name), [...words, path], { encoding: 'utf8', input });
    return { ...ran, left: readFileSync(path, 'latin1') };
  }

  function torn(): string {
    const path = join(temporaryDirectory('torn'), 'appendonly.aof');
    writeFileSync(path, `${WHOLE}*1\r\n`);
    return path;
  }

  it('fixes a log when it is told to, and only then', () => {
    const unfixed = { status: 1, left: `${WHOLE}*1\r\n` };
    expect(linked('redis-check-aof', torn(), ['--fix'], '')).toMatchObject(unfixed);
    expect(linked('redis-check-aof', torn(), ['--fix'], 'n\n')).toMatchObject(unfixed);
    expect(linked('redis-check-aof', torn(), ['--fix'], 'y\n')).toMatchObject({ status: 0, left: WHOLE });
    expect(linked('valkey-check-aof', torn(), ['--fix', '--yes'], '')).toMatchObject({
      status: 0,
      left: WHOLE,
    });
  });

  it('looks at an RDB', () => {
    const ran = linked('valkey-check-rdb', corpusPath('redis-7.0.15', 'small.rdb'), [], '');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('\\o/ RDB looks OK! \\o/');
  });
});

describe('a large file, with a second thread and without', () => {
  /** From so many on a log is read from both ends. */
  const MEGABYTES = 132;
  /** A command of a kilobyte whose value looks like commands: places that only seem to start a record. */
  const record = (text: string) => `*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$${text.length}\r\n${text}\r\n`;
  const decoy = 'x\r\n*1\r\n$4\r\nPING\r\n'.repeat(60);

  /** A log of the same records over and over, with something else between them in one megabyte. */
  function log({ records, other, megabyte }: Shape): string {
    const path = join(temporaryDirectory('large'), 'large.aof');
    const block = Buffer.from(records.repeat(Math.ceil(2 ** 20 / records.length)), 'latin1');
    const file = openSync(path, 'w');
    for (let i = 0; i < MEGABYTES; i++) {
      if (i === megabyte) writeSync(file, Buffer.from(other, 'latin1'));
      writeSync(file, block);
    }
    closeSync(file);
    return path;
  }

  /** Both at once. In this process the entry of a thread has not been translated, and without it there is none. */
  async function verdicts(path: string): Promise<string[]> {
    const child = spawn(process.execPath, [program, 'check', '--json', path]);
    const together = gather(child.stdout);
    const alone = await runCli(['check', '--json', path]);
    return [await together, alone.stdout].map((each) => each.replace(/"durationMs": \d+/, '"durationMs": 0'));
  }

  it('has no second thread in this process', () => {
    for (const entry of ['tools/thread-entry', 'bytes/unpack-thread-entry']) {
      expect(existsSync(new URL(`../../src/${entry}.js`, import.meta.url))).toBe(false);
      expect(existsSync(join(dirname(program), `${basename(entry)}.js`))).toBe(true);
    }
  });

  interface Shape {
    readonly what: string;
    readonly records: string;
    readonly other: string;
    readonly megabyte: number;
    readonly everyDay?: boolean;
  }
  const NO_OTHER = { other: '', megabyte: -1 };
  const plain = record('v'.repeat(500));
  // What two threads make of each shape is in test/tools/check/log-front.test.ts; here that a process has them.
  const SHAPES: readonly Shape[] = [
    { what: 'plain commands', records: plain, ...NO_OTHER },
    { what: 'values that look like commands', records: record(decoy), ...NO_OTHER },
    {
      what: 'transactions',
      records: `*1\r\n$5\r\nMULTI\r\n${record('v'.repeat(400))}*1\r\n$4\r\nEXEC\r\n`,
      ...NO_OTHER,
      everyDay: true,
    },
    { what: 'annotations', records: `#TS:1700000000\r\n${record('v'.repeat(100))}`, ...NO_OTHER },
    { what: 'one open transaction', records: plain, other: '*1\r\n$5\r\nMULTI\r\n', megabyte: 1 },
    { what: 'a flaw in the second half', records: plain, other: '#TS:x\r\n', megabyte: 120 },
    { what: 'damage in the second half', records: plain, other: '!', megabyte: 120, everyDay: true },
    { what: 'a torn tail', records: plain, other: `*2\r\n$${1e8}\r\n`, megabyte: 130 },
  ];

  it.each(SHAPES.filter(({ everyDay }) => everyDay === true || THOROUGH))(
    'says the same of a log with $what',
    async (shape) => {
      expect(availableParallelism()).toBeGreaterThan(0);
      const path = log(shape);
      const [together, alone] = await verdicts(path);
      rmSync(path);
      expect(together).toBe(alone);
      expect(JSON.parse(together!)).toMatchObject({ files: [{ format: 'aof' }] });
    },
  );

  it('says the same of a compressed log, intact, cut and with one bit changed', async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => record(`${i}`.repeat(100))).join('');
    const packed = gzipSync(text, { level: 0 });
    const path = join(temporaryDirectory('packed'), 'large.aof.gz');
    const told = async (bytes: Buffer) => {
      writeFileSync(path, bytes);
      const [together, alone] = await verdicts(path);
      expect(together).toBe(alone);
      return JSON.parse(together!) as unknown;
    };
    expect(packed.length).toBeGreaterThan(8 * 1024 * 1024);
    expect(await told(packed)).toMatchObject({ ok: true, files: [{ commands: 20_000, bytes: text.length }] });
    const cut = await told(packed.subarray(0, packed.length - 100_000));
    expect(cut).toMatchObject({ files: [{ problems: [{ code: 'packed/truncated' }] }] });
    packed[packed.length - 8]! ^= 1;
    expect(await told(packed)).toMatchObject({
      files: [{ problems: [{ code: 'packed/checksum-mismatch', offset: text.length }] }],
    });
  });

  it('says the same of an RDB, intact and with one bit changed', async () => {
    const path = bigRdb();
    const [together, alone] = await verdicts(path);
    expect(together).toBe(alone);
    expect(JSON.parse(together!)).toMatchObject({ ok: true, files: [{ keys: 35_000 }] });
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.from('!'), 0, 1, 100_000_000);
    closeSync(file);
    const [found, foundAlone] = await verdicts(path);
    rmSync(path);
    expect(found).toBe(foundAlone);
    expect(found).toContain('rdb/checksum-mismatch');
  });
});

/** An RDB of 35,000 keys that is large enough for a second thread, which enters it where records are short enough to be told. */
function bigRdb(): string {
  const path = join(temporaryDirectory('big'), 'big.rdb');
  const file = openSync(path, 'w');
  const crc = new Crc64();
  const put = (...parts: Buffer[]) => {
    const bytes = Buffer.concat(parts);
    crc.update(bytes);
    writeSync(file, bytes);
  };
  const value = str('v'.repeat(4000));
  put(Buffer.from('REDIS0010'), u8(254, 0));
  for (let i = 0; i < 35_000; i += 350) {
    put(...Array.from({ length: 350 }, (_, k) => [u8(0), str(`key:${i + k}`), value]).flat());
  }
  put(u8(255));
  const sum = Buffer.alloc(8);
  sum.writeUInt32LE(crc.low, 0);
  sum.writeUInt32LE(crc.high, 4);
  writeSync(file, sum);
  closeSync(file);
  return path;
}

async function gather(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}

terminalTests(() => program);
progressTests(() => program);
