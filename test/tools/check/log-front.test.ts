import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AofFileMachine } from '../../../src/aof/file.js';
import { pumpSource } from '../../../src/bytes/pump.js';
import { FileSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import { SKIM } from '../../../src/resp/scanner.js';
import { FindingList } from '../../../src/tools/check/findings.js';
import { LogCheck } from '../../../src/tools/check/log.js';
import { checkLogBack } from '../../../src/tools/check/log-back.js';
import { type LogBackJob, LogFront, type LogFrontSettings } from '../../../src/tools/check/log-front.js';
import { THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { randomLog } from '../../support/random-log.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory('log-front');
let files = 0;

interface Outcome {
  readonly told: object;
  /** Commands that came from behind. */
  readonly adopted: number;
}

/** What a check makes of a log; with `most` after so many pieces from behind were taken, else alone. */
async function checked(text: string, pieceBytes: number, most?: number): Promise<Outcome> {
  const path = join(directory, `${files++ % 8}.aof`);
  writeFileSync(path, text, 'latin1');
  const source = await FileSource.at(path);
  const findings = new FindingList('log');
  let front: LogFront | null = null;
  const startJob: LogFrontSettings['startJob'] = (task): LogBackJob => {
    const pieces = Math.ceil((task.end - task.start) / pieceBytes);
    const own = new SharedArrayBuffer(4);
    new Int32Array(own)[0] = Math.max(0, pieces - most!);
    new Int32Array(task.claimed)[0] = Math.min(most!, pieces);
    const answer = checkLogBack(source, { ...task, claimed: own });
    return {
      result: async () => ({ kind: 'log-back', ...(await answer) }),
      cancel: async () => void (await answer),
    };
  };
  const log: LogCheck = new LogCheck(findings, false, (offset) => {
    if (most !== undefined)
      front = LogFront.start(source, offset, { kind: 'log-back', quick: false }, log, {
        fromBytes: 1,
        pieceBytes,
        startJob,
      });
  });
  const own = { adopted: 0 };
  const adopt = log.adopt.bind(log);
  log.adopt = (counts) => {
    own.adopted += counts.commands;
    adopt(counts);
  };
  let error = '';
  try {
    await pumpSource(source, new AofFileMachine(log, null, SKIM), { drain: () => front!.meet() });
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown;
    error = `${thrown.code} ${thrown.offset}`;
  }
  await (front as LogFront | null)?.close();
  const { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds, firstRefused } = log;
  const counts = { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds, firstRefused };
  // How far it came before damage is the same; without, the rest is told by the counts.
  return { told: error === '' ? { ...counts, findings: findings.list } : { error }, ...own };
}

const WORDS = [
  'SET key value',
  'INCR counter',
  'HSET h field value',
  'JSON.SET d $ 1',
  '#TS:1772366400',
  'SELECT 3',
];

test('both threads together tell what one tells alone, however many pieces each takes', async () => {
  const random = new Random(3);
  let adopted = 0;
  for (let round = 0; round < (THOROUGH ? 8 : 4); round++) {
    const text = randomLog(random, WORDS, 60);
    const alone = await checked(text, 0);
    for (let most = 0; most <= 12; most += round % 2 === 0 ? 1 : 5) {
      const parted = await checked(text, Math.ceil(text.length / 12), most);
      expect(parted.told, `${most} pieces of round ${round}`).toEqual(alone.told);
      adopted += parted.adopted;
    }
  }
  expect(adopted).toBeGreaterThan(250);
});

test('and so of logs that are not in order, wherever that is', async () => {
  const random = new Random(5);
  const text = randomLog(random, WORDS, 40);
  for (let at = 3; at < text.length; at += THOROUGH ? 1 : 37) {
    const bad = random.pick([
      text.slice(0, at),
      `${text.slice(0, at)}x${text.slice(at + 1)}`,
      `${text.slice(0, at)}${resp('MULTI')}${text.slice(at)}`,
    ]);
    const alone = await checked(bad, 0);
    expect((await checked(bad, 100, random.below(12))).told, JSON.stringify(bad)).toEqual(alone.told);
  }
});

test('records inside of values are not taken for those of the log', async () => {
  const inner = resp('SET a b', 'SET c d').repeat(30);
  const text = `${resp('SET x y')}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${inner.length}\r\n${inner}\r\n${resp('SET z 1')}`;
  const alone = await checked(text, 0);
  expect(alone.told).toMatchObject({ commands: 3, findings: [] });
  for (let most = 0; most <= 20; most++) {
    expect((await checked(text, Math.ceil(text.length / 20), most)).told).toEqual(alone.told);
  }
});

test('a transaction longer than a piece is left to who comes from the front', async () => {
  const text = resp('SET a b', 'MULTI', ...Array(50).fill('SET key value'), 'EXEC', 'SET c d', 'SET e f');
  const alone = await checked(text, 0);
  for (let most = 0; most <= 10; most++) {
    const { told, adopted } = await checked(text, Math.ceil(text.length / 10), most);
    expect(told).toEqual(alone.told);
    if (most > 2) expect(adopted).toBeLessThanOrEqual(2);
  }
});
