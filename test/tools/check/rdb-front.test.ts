import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pumpSource } from '../../../src/bytes/pump.js';
import { FileSource } from '../../../src/bytes/source.js';
import type { ByteWindow } from '../../../src/bytes/window.js';
import { FormatError } from '../../../src/errors.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import { FindingList, placeOf } from '../../../src/tools/check/findings.js';
import { joinParts } from '../../../src/tools/check/kernel-names.js';
import { createCheckKernel, RdbCheck } from '../../../src/tools/check/keys.js';
import { checkRdbBack } from '../../../src/tools/check/rdb-back.js';
import { RdbFront, type RdbFrontSettings } from '../../../src/tools/check/rdb-front.js';
import type { ThreadAnswer } from '../../../src/tools/thread.js';
import { still } from '../../faults/damage.js';
import { corpusBytes } from '../../support/corpus.js';
import { THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { type RdbBuilder, redis } from '../../support/rdb-builder.js';
import { len, listpack, str } from '../../support/rdb-bytes.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory('rdb-front');
const kernel = createCheckKernel()!;
const other = createCheckKernel()!;
let files = 0;

interface Outcome {
  readonly told: object;
  /** Keys that came from behind. */
  readonly adopted: number;
}

/** What a check makes of an RDB; with `most` after so many pieces from behind were taken, else alone. */
async function checked(bytes: Buffer, pieceBytes: number, most?: number): Promise<Outcome> {
  const path = join(directory, `${files++ % 8}.rdb`);
  writeFileSync(path, bytes);
  const source = await FileSource.at(path);
  const findings = new FindingList('dump.rdb');
  let front: RdbFront | null = null;
  const check = new RdbCheck(
    findings,
    false,
    () => ({
      dialect: decoder.dialect,
      offset: front !== null && front.toldAt >= 0 ? front.toldAt : decoder.offset,
    }),
    still,
  );
  const decoder: RdbDecoder = new RdbDecoder(check, {
    verifyChecksum: true,
    deep: true,
    onWarning: (code, offset, detail) => findings.add(code, offset, detail, placeOf(decoder.head)),
  });
  const startJob: NonNullable<RdbFrontSettings['startJob']> = (task) => {
    const pieces = Math.ceil(bytes.length / pieceBytes);
    const own = new SharedArrayBuffer(4);
    new Int32Array(own)[0] = Math.max(0, pieces - most!);
    new Int32Array(task.claimed)[0] = Math.min(most!, pieces);
    let answer = checkRdbBack(source, { ...task, claimed: own }, other).then(
      (back): ThreadAnswer => ({ kind: 'rdb-back', back: structuredClone(back) }),
    );
    return {
      result: () => answer,
      again: (task) => {
        if (task.kind !== 'join-names') throw new Error('nothing else is asked of it');
        const twice = joinParts(other, structuredClone(task));
        answer = Promise.resolve({ kind: 'join-names', twice });
      },
      cancel: async () => void (await answer),
      release: () => {},
    };
  };
  if (most !== undefined) {
    check.hurry(kernel);
    front = RdbFront.start(source, null, { pieceBytes, startJob });
  }
  let adopted = 0;
  const adopt = check.adopt.bind(check);
  check.adopt = (piece, at) => {
    adopted += piece.keys;
    adopt(piece, at);
  };
  const machine = {
    run: (window: ByteWindow) => front?.run(window, decoder, check) ?? decoder.run(window),
    finish: (window: ByteWindow) => decoder.finish(window),
  };
  let error: object | null = null;
  try {
    await pumpSource(source, machine, { drain: () => front!.meet() });
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown;
    const { code, offset, trail, detail } = thrown;
    error = { code, offset, trail, detail: { ...detail, available: 0 } };
  }
  await front?.close();
  const { keys, expires, summary } = check;
  const told = { keys, expires, summary: { ...summary, dialect: null }, left: check.notChecked('') };
  const suspects = front?.helper ? await check.takeSuspectsWith(front.helper) : check.takeSuspects();
  const twice = error === null ? [...suspects!.numbers].sort() : [];
  return { told: { ...told, error, twice, findings: findings.list }, adopted };
}

/** The same in every division; returns the keys that came from behind at most. */
async function same(bytes: Buffer, pieceBytes: number, shares: readonly number[]): Promise<number> {
  const alone = await checked(bytes, pieceBytes);
  let adopted = 0;
  for (const most of shares) {
    const together = await checked(bytes, pieceBytes, most);
    expect(together.told, `${most} pieces`).toEqual(alone.told);
    adopted = Math.max(adopted, together.adopted);
  }
  return adopted;
}

function addKeys(file: RdbBuilder, random: Random, from: number, count: number): void {
  for (let i = from; i < from + count; i++) {
    if (random.once(3)) file.expiryMs(1772366400000 + random.below(1e9));
    if (random.once(4)) file.key(16, `hash:${i}`, str(listpack('name', `n${i}`, 'value', i)));
    else if (random.once(9)) file.key(2, `set:${i}`, len(2), str('a'), str(`b${i}`));
    else file.key(0, `key:${i}`, str('x'.repeat(random.below(200))));
  }
}

/** Databases, what is announced of them, slots, and names that come twice and thrice. */
function datasets(random: Random, counted = true): RdbBuilder {
  const file = redis(12)
    .aux('redis-ver', '7.4.1')
    .database(0)
    .resize(counted ? 300 : 299, 90);
  addKeys(file, random, 0, 300);
  for (const database of [3, 4, 11]) {
    file.database(database).resize(120, counted ? 0 : 7);
    for (let slot = 0; slot < 4; slot++) {
      file.slotInfo(slot, 30, 0);
      addKeys(file, random, slot * 30, 30);
      if (slot === 2) file.key(0, 'key:5', str('again'));
    }
  }
  return file;
}

test('both threads together tell what one tells alone, however many pieces each takes', async () => {
  const bytes = datasets(new Random(5)).end();
  expect(await same(bytes, 4000, [0, 1, 3, 6, 99])).toBeGreaterThan(300);
  const counts = datasets(new Random(6), false).endUnchecked();
  expect(await same(counts, 3000, [1, 4, 9])).toBeGreaterThan(200);
});

test('names of a database come together, whoever read them', async () => {
  const bytes = datasets(new Random(5)).end();
  const { told } = await checked(bytes, 4000, 6);
  expect((told as { twice: number[] }).twice.length).toBeGreaterThan(0);
});

test('what is wrong is told the same', async () => {
  const random = new Random(8);
  const whole = datasets(random).end();
  for (let i = 0; i < (THOROUGH ? 2000 : 20); i++) {
    const bytes = Buffer.from(whole);
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
    await same(bytes, 4000, [1 + random.below(10)]);
  }
  for (let i = 0; i < (THOROUGH ? 200 : 3); i++) {
    await same(whole.subarray(0, random.below(whole.length)), 4000, [1 + random.below(10)]);
  }
  await same(Buffer.concat([whole, Buffer.from('more')]), 4000, [2]);
});

test('files of servers are found the same', async () => {
  for (const [server, name] of [
    ['redis-7.4.1', 'types'],
    ['valkey-9.1', 'types'],
    ['redis-5.0.14', 'types'],
  ] as const) {
    await same(corpusBytes(server, `${name}.rdb`), 2000, [1, 4]);
  }
});
