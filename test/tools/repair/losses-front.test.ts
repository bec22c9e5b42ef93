import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileSource } from '../../../src/bytes/source.js';
import { createLogScan } from '../../../src/resp/passer.js';
import { salvageLog } from '../../../src/salvage/log-salvage.js';
import { LogLosses } from '../../../src/tools/repair/log-losses.js';
import { surveyLogBack } from '../../../src/tools/repair/losses-back.js';
import { LossesFront } from '../../../src/tools/repair/losses-front.js';
import { THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { randomLog } from '../../support/random-log.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory('losses-front');
const scan = createLogScan();
let files = 0;

interface Outcome {
  readonly told: object;
  /** Commands that came from behind. */
  readonly adopted: number;
}

/** What a survey makes of a log; with `most` after so many pieces from behind were taken, else alone. */
async function surveyed(text: string, pieceBytes: number, most = 0, doubtful = false): Promise<Outcome> {
  const path = join(directory, `${files++ % 8}.aof`);
  writeFileSync(path, text, 'latin1');
  const source = await FileSource.at(path);
  const losses = new LogLosses('log', 0, source.size, doubtful);
  const own = { adopted: 0 };
  const adopt = losses.adoptRest.bind(losses);
  losses.adoptRest = (rest) => {
    own.adopted += rest.commands;
    adopt(rest);
  };
  const startJob: NonNullable<Parameters<typeof LossesFront.start>[3]>['startJob'] = (task) => {
    const pieces = Math.ceil(source.size / pieceBytes);
    const claimed = new SharedArrayBuffer(4);
    new Int32Array(claimed)[0] = Math.max(0, pieces - most);
    new Int32Array(task.claimed)[0] = Math.min(most, pieces);
    const answer = surveyLogBack(source, { ...task, claimed });
    return {
      result: async () => ({ kind: 'losses-back', ...(await answer) }),
      cancel: async () => void (await answer),
    };
  };
  const meeting =
    most === 0 ? null : LossesFront.start(source, 0, losses, { fromBytes: 1, pieceBytes, startJob });
  await salvageLog(source, 0, losses, { doubtful, meeting, scan: files % 2 === 0 ? scan : null });
  await meeting?.close();
  losses.finish();
  const { commands, cut, because, behindCut, skipped, markers, tornAnnotation } = losses;
  const { guessedDatabase, brokenTransactions, brokenCommands } = losses;
  const ranges = { because, skipped, markers, tornAnnotation };
  const counts = { commands, cut, behindCut, guessedDatabase, brokenTransactions, brokenCommands };
  return { told: { ...ranges, ...counts }, ...own };
}

const WORDS = [
  'SET key value',
  'INCR counter',
  'HSET h field value',
  'JSON.SET d $ 1',
  'SELECT 3',
  'SELECT 0',
];

const DAMAGES: readonly ((random: Random, text: string, at: number) => string)[] = [
  (_, text, at) => text.slice(0, at),
  (_, text, at) => `${text.slice(0, at)}x${text.slice(at + 1)}`,
  (_, text, at) => `${text.slice(0, at)}7${text.slice(at + 1)}`,
  (random, text, at) => text.slice(0, at) + text.slice(at + random.below(60)),
  (_, text, at) => `${text.slice(0, at)}\x00\x01rubbish${text.slice(at)}`,
  (_, text, at) => text.slice(0, at) + resp('MULTI') + text.slice(at),
  (_, text, at) => text.slice(0, at) + resp('EXEC') + text.slice(at),
  (_, text, at) => text.slice(0, at) + resp('DISCARD', 'FOOBAR x') + text.slice(at),
  (random, text, at) => text.slice(0, at) + text.slice(Math.max(0, at - random.below(400))),
];

test('both threads together tell what one tells alone, wherever a log is damaged', async () => {
  const random = new Random(11);
  let adopted = 0;
  for (let round = 0; round < (THOROUGH ? 1000 : 60); round++) {
    let text = randomLog(random, WORDS, 20 + random.below(60));
    for (let damages = random.below(4); damages > 0; damages--) {
      const starts = [...text.matchAll(/\r\n\*/g)].map(({ index }) => index + 2);
      const at = random.once(2) && starts.length > 0 ? random.pick(starts) : random.below(text.length);
      text = random.pick(DAMAGES)(random, text, at);
    }
    if (text === '') continue;
    const pieceBytes = Math.ceil(text.length / 12);
    const doubtful = random.once(3);
    const alone = await surveyed(text, pieceBytes, 0, doubtful);
    const parted = await surveyed(text, pieceBytes, 1 + random.below(12), doubtful);
    expect(parted.told, `round ${round}: ${JSON.stringify(text)}`).toEqual(alone.told);
    adopted += parted.adopted;
  }
  expect(adopted).toBeGreaterThan(300);
}, 3_600_000);

test('doubtful records that end in the rest are told without it', async () => {
  const after = resp(...Array<string>(40).fill('SET key value'));
  // The argument whose length line lost a byte goes on for six records more.
  const value = resp(...Array<string>(6).fill('SET key value'));
  const text = `${resp('SET a b')}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1${value.length}\r\n${value}\r\n${after}`;
  for (const doubtful of [true, false]) {
    const alone = await surveyed(text, 0, 0, doubtful);
    for (let most = 1; most <= 20; most += 2) {
      const { told } = await surveyed(text, Math.ceil(text.length / 20), most, doubtful);
      expect(told, `${most}`).toEqual(alone.told);
    }
  }
});

test('records inside of values are not taken for those of the log', async () => {
  const inner = resp('SET a b', 'SET c d').repeat(30);
  const value = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${inner.length}\r\n${inner}\r\n`;
  for (const broken of [value, value.replace('$3\r\nSET', '$4\r\nSET'), value.replace(/\$(\d)/, '$2$1')]) {
    const text = resp('SET x y') + broken + resp('SET z 1', 'SET z 2');
    const alone = await surveyed(text, 0);
    for (let most = 1; most <= 20; most += 3) {
      const { told } = await surveyed(text, Math.ceil(text.length / 20), most);
      expect(told, `${most}`).toEqual(alone.told);
    }
  }
});

test('what follows a damage is counted once, and as behind it', async () => {
  const text = `${resp('SELECT 0', 'SELECT 1')}rubbish${resp(...Array<string>(50).fill('SET key value'))}`;
  const { told, adopted } = await surveyed(text, Math.ceil(text.length / 10), 5);
  expect(told).toMatchObject({ commands: 52, behindCut: 51, guessedDatabase: 50, cut: 46 });
  expect(adopted).toBeGreaterThan(20);
});
