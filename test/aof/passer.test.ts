import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AofFileHandler, AofFileMachine } from '../../src/aof/file.js';
import type { CommandRole, TransactionTracker } from '../../src/aof/transaction.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { ByteWindow } from '../../src/bytes/window.js';
import { FormatError } from '../../src/errors.js';
import { ARGUMENTS, type LogScan, TRANSACTIONS } from '../../src/kernels/log-scan.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink } from '../../src/rdb/handler.js';
import type { CommandSpans } from '../../src/resp/command.js';
import { createLogScan, LogPasser, type PassingHandler } from '../../src/resp/passer.js';
import { SKIM } from '../../src/resp/scanner.js';
import { FindingList } from '../../src/tools/check/findings.js';
import { LogCheck } from '../../src/tools/check/log.js';
import { aofCases, CORPUS_SERVERS, CORRUPT_SERVERS, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { resp } from '../support/resp.js';

const scan = createLogScan()!;
const [room] = scan.rooms;

/** Everything a check makes of a log, which stands in the room of the scan; `first` bytes of it come alone. */
function checked(length: number, passing: boolean, quick = false, first = length) {
  const findings = new FindingList('log');
  const check = new LogCheck(findings, quick);
  let passed = 0;
  const passer = (of: TransactionTracker) => {
    const own = new LogPasser(scan, check, of);
    return { pass: (window: ByteWindow) => own.pass(window) && ++passed > 0 };
  };
  const decoder = () => new RdbDecoder(new RdbSink(), { verifyChecksum: false, deep: false });
  const machine = new AofFileMachine(check, decoder, SKIM, passing ? passer : null);
  const window = new ByteWindow();
  window.bytes = room;
  window.limit = length;
  let error = '';
  try {
    for (window.end = first; ; window.end = length) {
      machine.run(window);
      if (window.end === length) break;
    }
    machine.finish(window);
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown;
    error = `${thrown.code} ${thrown.offset} ${JSON.stringify(thrown.detail)}`;
  }
  const { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds, firstRefused } = check;
  const { open, offset, queued } = machine.transaction;
  const transaction = open ? [offset, queued] : null;
  const counts = { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds, firstRefused };
  const outcome = { ...counts, transaction, error, safeCut: machine.safeCut, findings: findings.list };
  return { outcome: JSON.stringify(outcome), passed };
}

/** Holds both ways to the same, and says how often anything was passed over. */
function same(length: number, quick: boolean, what: string): number {
  const plain = checked(length, false, quick);
  const { outcome, passed } = checked(length, true, quick);
  if (outcome !== plain.outcome) expect(outcome, what).toBe(plain.outcome);
  return passed;
}

function* logsUnder(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) yield path;
  else for (const name of readdirSync(path)) yield* logsUnder(join(path, name));
}

describe('what is passed over is what would have been read', () => {
  const cases = [
    ...CORPUS_SERVERS.flatMap((server) => aofCases(server)),
    ...CORRUPT_SERVERS.flatMap((server) =>
      corruptCases(server).filter(({ name }) => /^(aof|pre)/.test(name)),
    ),
  ];

  test('in every log there is', () => {
    let passed = 0;
    for (const [i, { path, title }] of cases.entries()) {
      for (const file of logsUnder(path)) {
        const bytes = readFileSync(file);
        if (bytes.length > room.length) continue;
        bytes.copy(room);
        passed += same(bytes.length, i % 4 === 3, `${title} ${file}`);
      }
    }
    expect(passed).toBeGreaterThan(cases.length);
  });
});

const SMALL = resp(
  'SELECT 0',
  '#TS:1772366400',
  'set a-key some-value',
  'MULTI',
  'INCR a',
  'EXEC',
  'HSET h f v g w h x i y j',
  'JSON.SET d $ 1',
  'PEXPIREAT a-key 1772366400123',
  `SET b ${'v'.repeat(130)}`,
  'DEL a b',
);

test.each([
  ['with names', false],
  ['without', true],
])(
  'so it is wherever a byte differs, %s',
  (_, quick) => {
    const bytes = Buffer.from(SMALL, 'latin1');
    const others = THOROUGH
      ? [...Array(256).keys()]
      : [...Buffer.from('\0\n\r #$*/019:AMSsx\xdf\xff', 'latin1')];
    for (let at = 0; at < bytes.length; at++) {
      bytes.copy(room);
      for (const [i, other] of others.entries()) {
        // Half of them for each byte, the other half for the next.
        if (!THOROUGH && (i + at) % 2 === 0) continue;
        room[at] = other;
        same(bytes.length, quick, `${other} at ${at}`);
      }
    }
  },
  300_000,
);

test('so it is wherever the bytes end, or are parted', () => {
  const bytes = Buffer.from(SMALL, 'latin1');
  bytes.copy(room);
  const whole = checked(bytes.length, false).outcome;
  for (let end = 0; end <= bytes.length; end++) {
    same(end, false, `end at ${end}`);
    // What stands behind is that of the log itself: it must not be believed.
    const { outcome } = checked(bytes.length, true, false, end);
    if (outcome !== whole) expect(outcome, `parted at ${end}`).toBe(whole);
  }
});

test('so it is in logs of hostile commands', () => {
  const random = new Random(7);
  const names = [
    'SET',
    'MULTI',
    'EXEC',
    'DISCARD',
    'SELECT',
    'NOSUCH',
    'GET\0',
    'GET ',
    'hset',
    'GEORADIUSBYMEMBER',
  ];
  const words = [
    '',
    '0',
    '01',
    '9999999999',
    '10000000000',
    '-1',
    'x'.repeat(99),
    'y'.repeat(1000),
    '\r\n*1',
  ];
  for (let round = 0; round < (THOROUGH ? 20_000 : 300); round++) {
    let text = '';
    for (let i = random.below(12); i >= 0; i--) {
      const args = [
        random.pick(names),
        ...Array.from({ length: random.below(13) }, () => random.pick(words)),
      ];
      const count = random.once(4) ? `0${args.length}` : args.length;
      text += random.once(9) ? `#TS:${random.pick(words)}\r\n` : '';
      text += `*${count}\r\n${args.map((arg) => `$${random.once(20) ? '0' : ''}${arg.length}\r\n${arg}\r\n`).join('')}`;
      if (random.once(20)) text = text.slice(0, -random.below(9));
    }
    const length = room.latin1Write(text);
    same(length, random.once(3), JSON.stringify(text));
  }
});

test('records that end behind the place it is told are left', () => {
  class Halting implements AofFileHandler, PassingHandler {
    readonly looks = ARGUMENTS | TRANSACTIONS;
    readonly full = false;
    readonly stopped = false;
    passUpTo = 0;
    ends: number[] = [];
    commandsStart(): void {}
    flaw(): void {}
    annotation(_line: ByteSlice): void {}
    command(_command: CommandSpans, _role: CommandRole): void {}
    passed(_scan: LogScan, end: number): void {
      this.ends.push(end);
    }
  }
  const length = room.latin1Write(resp(...Array(9).fill('SET some-key some-value')));
  const record = length / 9;
  for (let upTo = 0; upTo <= length; upTo++) {
    const handler = new Halting();
    handler.passUpTo = upTo;
    const machine = new AofFileMachine(handler, null, SKIM, (of) => new LogPasser(scan, handler, of));
    const window = new ByteWindow();
    window.bytes = room;
    window.end = window.limit = length;
    machine.run(window);
    expect(Math.max(0, ...handler.ends)).toBeLessThanOrEqual(Math.floor(upTo / record) * record);
    if (upTo >= 4 * record) expect(handler.ends.length).toBeGreaterThan(0);
  }
});
