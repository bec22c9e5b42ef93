import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pumpSource } from '../../../src/bytes/pump.js';
import { FileSource } from '../../../src/bytes/source.js';
import { createLogScan } from '../../../src/resp/passer.js';
import { LogFront } from '../../../src/tools/check/log-front.js';
import { scanStrictBack } from '../../../src/tools/checkers/strict-back.js';
import { StrictScan } from '../../../src/tools/checkers/strict-scan.js';
import type { StrictBackTask } from '../../../src/tools/thread.js';
import { THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';

const path = join(temporaryDirectory('strict-back'), 'log.aof');
const kernel = createLogScan()!;

interface Told {
  readonly told: object;
  /** Lines that came from behind. */
  readonly adopted: number;
}

const outcome = ({ ended, error, okUpTo, line }: StrictScan) => ({ ended, error, okUpTo, line });

async function plain(source: FileSource, time: bigint): Promise<object> {
  const scan = new StrictScan('a', 1, time, (byte) => byte);
  await pumpSource(source, scan);
  return outcome(scan);
}

/** With the kernel, and with a second reader that takes so many pieces from behind; 0: without. */
async function parted(source: FileSource, time: bigint, most: number): Promise<Told> {
  const scan = new StrictScan('a', 1, time, (byte) => byte, kernel);
  const pieceBytes = Math.ceil(source.size / 12);
  const startJob = (task: StrictBackTask) => {
    const own = new SharedArrayBuffer(4);
    new Int32Array(own)[0] = 12 - most;
    new Int32Array(task.claimed)[0] = most;
    const answer = scanStrictBack(source, { ...task, claimed: own });
    return {
      result: async () => ({ kind: 'strict-back' as const, ...(await answer) }),
      cancel: async () => void (await answer),
    };
  };
  const settings = { fromBytes: 1, pieceBytes, startJob };
  const front =
    most === 0
      ? null
      : LogFront.start<StrictBackTask>(source, 0, { kind: 'strict-back', time }, scan, settings);
  let adopted = 0;
  const adopt = scan.adopt.bind(scan);
  scan.adopt = (lines) => {
    adopted += lines.line;
    adopt(lines);
  };
  await pumpSource(source, scan, { rooms: kernel.rooms, drain: () => front!.meet() });
  await front?.close();
  return { told: outcome(scan), adopted };
}

const PIECES = [
  resp('SET key value'),
  resp('incr counter'),
  resp('UNKNOWN.COMMAND a b'),
  resp('SELECT x y'),
  resp('XGROUP create k g 0'),
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n',
  '*03\r\n$003\r\nset\r\n$1\r\nk\r\n$2\r\n\r\n\r\n',
  '*0\r\n',
  '*1\r\n$6\r\nmulti\0\r\n',
  '*2\r\n$4\r\nExec\r\n$0\r\n\r\n',
  resp('MULTI', 'DEL x', 'EXEC'),
  resp('MULTI', 'DEL x', 'EXEC'),
  resp('EXEC'),
  resp('MULTI'),
  '#TS:1772366400\r\n',
  '#TS:1772366500\r\n',
  '#note\r\n',
  '#TS:x\r\n',
];
/** As they stand in a log that is in order. */
const GOOD = PIECES.filter((_, i) => ![8, 9, 12, 13, 17].includes(i));

async function expectSame(text: string, time: bigint, random: Random): Promise<number> {
  writeFileSync(path, text, 'latin1');
  const source = await FileSource.at(path);
  const wanted = await plain(source, time);
  const most = random.below(13);
  expect((await parted(source, time, 0)).told, JSON.stringify(text)).toEqual(wanted);
  const { told, adopted } = await parted(source, time, most);
  expect(told, `${most} from behind of ${JSON.stringify(text)}`).toEqual(wanted);
  return adopted;
}

test('the kernel and a second thread say what a plain scan says', async () => {
  const random = new Random(11);
  let adopted = 0;
  for (let round = 0; round < (THOROUGH ? 1000 : 60); round++) {
    const kinds = round % 3 === 0 ? PIECES : GOOD;
    let text = Array.from({ length: 60 }, () => random.pick(kinds)).join('');
    const at = random.below(text.length);
    if (round % 4 === 1)
      text = `${text.slice(0, at)}${random.pick(['', 'x', '\n', '1'])}${text.slice(at + 1)}`;
    else if (round % 4 === 3) text = text.slice(0, at + 1);
    adopted += await expectSame(text, random.pick([0n, 0n, 1772366400n]), random);
  }
  expect(adopted).toBeGreaterThan(1000);
});

test('a transaction that never ends is told with the last thing read, wherever the kernel stopped', async () => {
  const random = new Random(12);
  const open = resp(...Array(20).fill('SET a b'), 'MULTI', ...Array(30).fill('SET key value'));
  for (const end of ['', '#TS:5\r\n', resp('XADD s * a b'), '*0\r\n']) {
    for (let round = 0; round < 4; round++) await expectSame(open + end, 0n, random);
  }
});
