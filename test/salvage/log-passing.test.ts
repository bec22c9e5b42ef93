import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { createLogScan } from '../../src/resp/passer.js';
import { salvageLog } from '../../src/salvage/log-salvage.js';
import { LogLosses } from '../../src/tools/repair/log-losses.js';
import { CORRUPT_SERVERS, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { resp } from '../support/resp.js';

const scan = createLogScan()!;

/** All that a repair knows of a log. */
async function surveyed(bytes: Buffer, passing: boolean, chunkBytes: number): Promise<string> {
  const losses = new LogLosses('log', 0, bytes.length, bytes.length % 2 === 0);
  const options = { doubtful: bytes.length % 2 === 0, chunkBytes, scan: passing ? scan : null };
  const error = await salvageLog(new MemorySource(bytes), 0, losses, options).then(
    () => '',
    (thrown: Error) => thrown.message,
  );
  losses.finish();
  const { because, cut, behindCut, skipped, commands, tornAnnotation, markers } = losses;
  const { guessedDatabase, brokenTransactions, brokenCommands } = losses;
  const broken = { guessedDatabase, brokenTransactions, brokenCommands };
  return JSON.stringify({
    because,
    cut,
    behindCut,
    skipped,
    commands,
    tornAnnotation,
    markers,
    broken,
    error,
  });
}

async function same(bytes: Buffer, what: string, chunkBytes = 1 << 16): Promise<void> {
  const plain = await surveyed(bytes, false, chunkBytes);
  const passed = await surveyed(bytes, true, chunkBytes);
  if (passed !== plain) expect(JSON.parse(passed), what).toEqual(JSON.parse(plain));
}

function* filesUnder(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) yield path;
  else for (const name of readdirSync(path)) yield* filesUnder(join(path, name));
}

test.each(CORRUPT_SERVERS)(
  'damaged logs of %s lose the same when what is whole is passed over',
  async (server) => {
    for (const { path, title, name } of corruptCases(server)) {
      if (!name.startsWith('aof-')) continue;
      for (const file of filesUnder(path)) await same(readFileSync(file), `${title} ${file}`);
    }
  },
);

const random = new Random(11);

function log(records: number): string {
  const words = [
    'SET key some-value',
    'INCR counter',
    'HSET h field value g w',
    'JSON.SET d $ 1',
    'SELECT 3',
    'DEL a b',
  ];
  const lines: string[] = [];
  while (lines.length < records) {
    if (random.once(6)) lines.push('MULTI', random.pick(words), 'DEL x', 'EXEC');
    else if (random.once(9)) lines.push(`#TS:${1772366400 + lines.length}`);
    else lines.push(random.pick(words));
  }
  return resp(...lines);
}

test('wherever a log is damaged, and however', async () => {
  for (let round = 0; round < (THOROUGH ? 5000 : 150); round++) {
    const text = log(40);
    const parts = [text];
    for (let i = random.below(3); i >= 0; i--) {
      const at = random.below(text.length);
      const long = random.once(3) ? random.below(200) : 1;
      const noise = random.pick(['', '\0', 'x', '\r\n', '*9\r\n', '$77\r\n', resp('MULTI'), resp('EXEC')]);
      const last = parts.pop()!;
      parts.push(last.slice(0, at) + noise + last.slice(at + long));
    }
    const bytes = Buffer.from(parts.join(''), 'latin1');
    await same(bytes, JSON.stringify(bytes.latin1Slice()), random.pick([1 << 16, 2048, 700]));
  }
}, 3_600_000);
