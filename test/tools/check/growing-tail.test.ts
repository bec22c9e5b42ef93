import { appendFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAofSet } from '../../../src/aof/set.js';
import { FileSource } from '../../../src/bytes/source.js';
import { check } from '../../../src/tools/check.js';
import { info } from '../../../src/tools/info.js';
import { rebuild } from '../../../src/tools/rebuild.js';
import { still } from '../../faults/damage.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';

const WHOLE = resp('SET a 1', 'MULTI', 'SET b 2', 'EXEC');

/** A log whose last record is there in part, opened; `rest` is what is missing of it. */
async function opened(cut: number) {
  const path = join(temporaryDirectory('growing'), 'appendonly.aof');
  writeFileSync(path, WHOLE.slice(0, cut));
  const set = await openAofSet(path);
  const source = { path, choice: '', isDirectory: false, kind: 'aof', set } as const;
  return { path, set, source, rest: WHOLE.slice(cut) };
}

const CHECK = { quick: false, dialect: null } as const;
const REPLAY = {
  cut: { offset: null, seconds: null, commands: null, before: [] },
  as: null,
  onUnknown: 'stop',
  dialect: null,
} as const;
const FIRST = resp('SET a 1').length;

test.each([WHOLE.length - 5, FIRST + 20])(
  'an end at byte %i that is being written is no damage',
  async (cut) => {
    const { path, set, source, rest } = await opened(cut);
    appendFileSync(path, rest);
    const [file] = (await check(source, CHECK, still)).files;
    expect(file).toMatchObject({ findings: [], bytes: FIRST, validBytes: FIRST, damagedBytes: 0 });
    expect((await info(source, { dialect: null }, still)).files[0]).toMatchObject({ finding: null });
    const { end, keyspace } = await rebuild(set, REPLAY, still);
    expect(end).toMatchObject({ findings: [], stoppedAt: { offset: FIRST, reason: 'end' } });
    expect(keyspace.size).toBe(1);
  },
);

test('the same end is torn where nobody writes', async () => {
  const { path, set, source } = await opened(WHOLE.length - 5);
  utimesSync(path, 1, 1);
  const [file] = (await check(source, CHECK, still)).files;
  expect(file!.findings.map(({ code }) => code)).toContain('aof/torn-tail');
  const told = (await info(source, { dialect: null }, still)).files[0]!;
  expect(told.finding?.code).toBe('aof/torn-tail');
  expect((await rebuild(set, REPLAY, still)).end.stoppedAt.reason).toBe('torn-tail');
});

test('a file that is held is read though its name means another by now', async () => {
  const path = join(temporaryDirectory('held'), 'a');
  writeFileSync(path, 'old');
  const held = await FileSource.held(path);
  writeFileSync(`${path}.new`, 'new');
  renameSync(`${path}.new`, path);
  const reader = await held.open();
  const into = Buffer.alloc(8);
  expect(into.latin1Slice(0, await reader.read(into))).toBe('old');
  await reader.close();
});
