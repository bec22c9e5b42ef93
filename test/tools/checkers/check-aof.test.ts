import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pumpSource } from '../../../src/bytes/pump.js';
import { MemorySource } from '../../../src/bytes/source.js';
import { checkAof } from '../../../src/tools/checkers/check-aof.js';
import { StrictScan } from '../../../src/tools/checkers/strict-scan.js';
import { gzip } from '../../support/pack.js';
import { Random } from '../../support/random.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { testContext } from '../context.js';
import { CheckerRecorder } from './recorder.js';

const PLAIN = { fix: false, toTimestamp: 0n, dialect: null };
const FIX = { ...PLAIN, fix: true };
const HOME = temporaryDirectory('check-aof');
let count = 0;

/** A file in a directory of its own. */
function file(content: string | Buffer, name = 'appendonly.aof'): string {
  const directory = join(HOME, `${count++}`);
  mkdirSync(directory);
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return path;
}

const text = (path: string): string => readFileSync(path, 'latin1');
const siblings = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => name !== basename(path));

async function checked(path: string, options = PLAIN, answer?: () => boolean) {
  const host = new CheckerRecorder(answer);
  const exit = await checkAof(path, options, host, testContext());
  return { exit, lines: host.lines, notes: host.notes };
}

const SET = resp('SET k v');

it('says of a compressed file what it is, on the side, and never cuts it', async () => {
  const path = file(gzip(Buffer.from(SET + SET)));
  const before = text(path);
  const { exit, lines, notes } = await checked(path, FIX, () => true);
  expect(exit).toBe(1);
  expect(lines.at(-1)).toBe(`AOF ${path} is not valid. Use the --fix option to try fixing it.`);
  expect(notes).toEqual([expect.stringContaining('is compressed (gzip), which is not read here')]);
  expect([text(path), siblings(path)]).toEqual([before, []]);
});

describe('a log given by itself', () => {
  it('is valid', async () => {
    const path = file(SET + SET);
    expect(await checked(path)).toEqual({
      exit: 0,
      lines: [
        'Start checking Old-Style AOF',
        `AOF analyzed: filename=${path}, size=54, ok_up_to=54, ok_up_to_line=15, diff=0`,
        `AOF ${path} is valid`,
      ],
      notes: [],
    });
  });

  it.each([
    ['$1000000000000000000\r\nx', 'Expected to read 1000000000000000002 bytes, got 1 bytes'],
    ['$9223372036854775805\r\n', 'Expected to read 9223372036854775807 bytes, got 0 bytes'],
    [
      '$9223372036854775806\r\n',
      'Expected to read string of 9223372036854775806 bytes, which is not in the suitable range',
    ],
    [
      '$99999999999999999999\r\n',
      'Expected to read string of 9223372036854775807 bytes, which is not in the suitable range',
    ],
    ['$-1\r\n', 'Expected to read string of -1 bytes, which is not in the suitable range'],
  ])('that claims %j is refused, not believed', async (claim, says) => {
    const { exit, lines } = await checked(file(`${SET}*1\r\n${claim}`));
    expect(exit).toBe(1);
    expect(lines.filter((line) => line.startsWith('0x'))[0]).toMatch(new RegExp(`: ${says}$`));
    expect(lines.at(-1)).toMatch(/ is not valid\. Use the --fix option to try fixing it\.$/);
  });

  it('is no manifest because a value starts like one', async () => {
    const { exit, lines } = await checked(file(resp('SET file:1 v')));
    expect(exit).toBe(0);
    expect(lines[0]).toBe('Start checking Old-Style AOF');
  });

  it('is no manifest when annotations stand first', async () => {
    const { lines } = await checked(file(`#TS:1700000000\r\n${resp('SET file:1 v')}`));
    expect(lines[0]).toBe('Start checking Old-Style AOF');
  });

  it('may be a file that nobody may write to', async () => {
    // A program that runs can't be opened for writing, not even by root.
    const { exit, lines } = await checked(process.execPath);
    expect(exit).toBe(1);
    expect(lines).toContain(`AOF ${process.execPath} format error`);
  });

  it('may be a directory, which is said', async () => {
    expect(await checked(HOME)).toMatchObject({ exit: 1, lines: [`Cannot read file: ${HOME}`] });
  });
});

describe('--fix', () => {
  it('cuts before a transaction that was not finished, behind a verified backup', async () => {
    const torn = `${SET}${resp('MULTI')}${SET}*1\r\n$4`;
    const path = file(torn);
    const { exit, lines, notes } = await checked(path, FIX);
    expect(exit).toBe(0);
    expect(lines.slice(-2)).toEqual([
      `This will shrink the AOF ${path} from ${torn.length} bytes, with ${torn.length - 27} bytes, to 27 bytes`,
      `Successfully truncated AOF ${path}`,
    ]);
    expect(text(path)).toBe(SET);
    const [backup] = siblings(path);
    expect(backup).toBe('appendonly.aof.bak-19700101T000000Z');
    expect(text(join(dirname(path), backup!))).toBe(torn);
    expect(notes).toEqual([
      `backup: ${join(dirname(path), backup!)} (SHA-256 ${createHash('sha256').update(torn, 'latin1').digest('hex')})`,
    ]);
  });

  it('takes another name for the backup when the first is taken', async () => {
    const path = file(`${SET}x`);
    writeFileSync(`${path}.bak-19700101T000000Z`, 'mine');
    expect((await checked(path, FIX)).exit).toBe(0);
    expect(text(`${path}.bak-19700101T000000Z`)).toBe('mine');
    expect(text(`${path}.bak-19700101T000000Z-2`)).toBe(`${SET}x`);
  });

  it('leaves everything as it is when the answer is no', async () => {
    const path = file(`${SET}x`);
    const { exit, lines } = await checked(path, FIX, () => false);
    expect(exit).toBe(1);
    expect(lines.at(-1)).toBe('Aborting...');
    expect(text(path)).toBe(`${SET}x`);
    expect(siblings(path)).toEqual([]);
  });

  it('refuses a file that a server went on writing', async () => {
    const path = file(`${SET}x`);
    const { exit, lines, notes } = await checked(path, FIX, () => {
      appendFileSync(path, SET);
      return true;
    });
    expect(exit).toBe(1);
    expect(lines.at(-1)).toBe(`Failed to truncate AOF ${path}`);
    expect(notes.join('\n')).toContain('stop the server');
    expect(text(path)).toBe(`${SET}x${SET}`);
    expect(siblings(path)).toEqual([]);
  });

  it('changes nothing when there can be no backup', async () => {
    const path = file(`${SET}x`, 'a'.repeat(250));
    const { exit, lines } = await checked(path, FIX);
    expect(exit).toBe(1);
    expect(lines.at(-1)).toBe(`Failed to truncate AOF ${path}`);
    expect(text(path)).toBe(`${SET}x`);
    expect(siblings(path)).toEqual([]);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const path = file(`${SET}x`);
    const abort = new AbortController();
    const host = new CheckerRecorder(() => {
      abort.abort(new Error('enough'));
      return true;
    });
    await expect(checkAof(path, FIX, host, testContext({ signal: abort.signal }))).rejects.toThrow('enough');
    expect(text(path)).toBe(`${SET}x`);
    expect(siblings(path)).toEqual([]);
  });

  it('never empties a base under the magic of Valkey', async () => {
    const base = `VALKEY080${'\xfa'.repeat(20)}`;
    const manifest = file('file a.base.rdb seq 1 type b\n', 'a.manifest');
    const path = join(dirname(manifest), 'a.base.rdb');
    writeFileSync(path, base, 'latin1');
    const { exit, lines } = await checked(manifest, FIX);
    expect(exit).toBe(1);
    expect(lines).toContain('Start to check BASE AOF (RDB format).');
    expect(lines.at(-1)).toBe('RDB preamble of AOF file is not sane, aborting.');
    expect(text(path)).toBe(base);
    expect((await checked(path, FIX)).lines.at(-1)).toBe('RDB preamble of AOF file is not sane, aborting.');
    expect(text(path)).toBe(base);
  });
});

describe('--truncate-to-timestamp', () => {
  const at = (seconds: number) => `#TS:${seconds}\r\n`;
  const to = (seconds: bigint) => ({ ...PLAIN, toTimestamp: seconds });

  it('cuts before the first later annotation', async () => {
    const path = file(at(10) + SET + at(20) + SET + at(15) + SET);
    const { exit, lines } = await checked(path, to(19n));
    expect(exit).toBe(0);
    expect(lines.at(-1)).toBe(`Successfully truncated AOF ${path} to timestamp 19`);
    expect(text(path)).toBe(at(10) + SET);
    expect(siblings(path)).toHaveLength(1);
  });

  it('never cuts inside a transaction, but before it', async () => {
    const path = file(at(10) + SET + resp('MULTI') + SET + at(20) + SET + resp('EXEC'));
    const { exit, lines } = await checked(path, to(19n));
    expect(exit).toBe(0);
    expect(lines.at(-1)).toBe(`Successfully truncated AOF ${path} to timestamp 19`);
    expect(text(path)).toBe(at(10) + SET);
  });

  it('does not take all of a file for a transaction that opens it', async () => {
    const log = resp('MULTI') + SET + at(20) + resp('EXEC');
    const path = file(log);
    expect(await checked(path, to(19n))).toMatchObject({
      exit: 1,
      lines: ['Start checking Old-Style AOF', `AOF ${path} has nothing before timestamp 19, aborting...`],
    });
    expect(text(path)).toBe(log);
  });

  it('refuses to cut a file that others follow', async () => {
    const manifest = file('file 1.incr.aof seq 1 type i\nfile 2.incr.aof seq 2 type i\n', 'a.manifest');
    const path = join(dirname(manifest), '1.incr.aof');
    writeFileSync(path, at(10) + SET + at(20));
    const { exit, lines } = await checked(manifest, to(19n));
    expect(exit).toBe(1);
    expect(lines.slice(-2)).toEqual([
      `Failed to truncate AOF ${path} to timestamp 19 to offset 35 because it is not the last file.`,
      expect.stringMatching(/^If you insist, /),
    ]);
    expect(text(path)).toBe(at(10) + SET + at(20));
  });

  it.each(['#TS:x\r\n', '#TS:99999999999999999999\r\n', '#TS:5\n'])('stops at %j', async (line) => {
    const { exit, lines } = await checked(file(SET + line), to(19n));
    expect(exit).toBe(1);
    expect(lines.at(-1)).toBe('Invalid timestamp annotation');
  });
});

describe('the scan', () => {
  it('says the same in whatever parts the bytes come', async () => {
    const random = new Random(20);
    const pieces = [
      SET,
      '*2\r\n$5\r\nmulti\r\n$0\r\n\r\n',
      resp('EXEC'),
      '#x\r\n',
      '*0\r\n',
      '$',
      '*1\r\n$99\r\n',
      'y',
    ];
    for (let round = 0; round < 300; round++) {
      const log = Array.from({ length: 6 }, () => random.pick(pieces)).join('');
      const bytes = Buffer.from(log.slice(0, random.between(1, log.length)), 'latin1');
      const whole = await scanned(bytes, 1 << 16);
      expect(await scanned(bytes, random.between(1, 9)), JSON.stringify(log)).toEqual(whole);
    }
  });

  it('needs little memory for a large argument', async () => {
    const bytes = Buffer.from(`*1\r\n$${1 << 20}\r\n${'x'.repeat(1 << 20)}\r\n`);
    const scan = new StrictScan('a', 1, 0n, (byte) => byte);
    const window = await pumpSource(new MemorySource(bytes), scan, { chunkBytes: 4096 });
    expect(scan).toMatchObject({ ended: 'end', error: '', okUpTo: bytes.length, line: 4 });
    expect(window.bytes.length).toBeLessThan(64 * 1024);
  });
});

async function scanned(bytes: Buffer, chunkBytes: number): Promise<object> {
  const scan = new StrictScan('a', 1, 0n, (byte) => byte);
  await pumpSource(new MemorySource(bytes), scan, { chunkBytes });
  const { ended, error, okUpTo, line } = scan;
  return { ended, error, okUpTo, line };
}

it('leaves no stray files in the directories of these tests', () => {
  const left = readdirSync(HOME, { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => name.includes('.partial-'))).toEqual([]);
});
