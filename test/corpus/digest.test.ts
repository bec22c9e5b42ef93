import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import {
  type AofTruth,
  aofCases,
  CORPUS_SERVERS,
  type KeyTruth,
  type RdbTruth,
  rdbCases,
} from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { digestName, sizeOf } from '../support/verdict.js';

/** Told by `digest --per-key --json`; text that is no UTF-8 stands in base64. */
interface KeyLine {
  readonly db: number;
  readonly key: string | { readonly base64: string };
  readonly type: string;
  readonly digest: string | null;
}

/**
 * Values of other types are a module's own, and so is what it says of them for a digest. KeyDB has no name for its
 * jobs, and no server a digest for an array whose gaps it would have to count one by one.
 */
const isPlain = ({ type, digest_value }: KeyTruth): boolean =>
  /^(string|list|set|zset|hash|stream|vectorset|unknown)$/.test(type) ||
  (type === 'array' && digest_value !== null);

/** Many keys or commands of kinds that are all in the other files: those of some servers stand for the rest. */
const LARGE = /^(bulk|seed-app)$/;
const LARGE_FROM = /^(redis-(2\.8|7\.0\.15)|valkey-9|keydb)/;

/** How we name the types that are not named as servers do. */
const OWN_NAMES: Readonly<Record<string, string>> = { vectorset: 'module', unknown: 'cron' };

describe.each(CORPUS_SERVERS)('%s', (server) => {
  // Of logs in a plain run every other one: corpus/replay.test.ts executes all of them, and digests what they leave.
  const turn = CORPUS_SERVERS.indexOf(server);
  const logs = aofCases(server).filter((_, i) => THOROUGH || (i + turn) % 2 === 0);
  for (const { name, path, truth } of [...rdbCases(server), ...logs]) {
    if (!THOROUGH && LARGE.test(name) && !LARGE_FROM.test(server)) continue;
    // A key of 2.4 whose time did not fit 32 bits was gone once that server had loaded the file. Nothing else expired.
    const options = [path, '--json', '--as', digestName(server), '--expired', 'drop'];

    test(`${name}: every key, and the dataset`, async () => {
      const { exit, stdout } = await runCli(['digest', '--per-key', ...options]);
      expect(exit).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expectDataset((JSON.parse(lines.pop()!) as { summary: Told }).summary, truth);
      expectKeys(
        lines.map((line) => JSON.parse(line) as KeyLine),
        truth.keys,
      );
    });
  }
});

interface Told {
  readonly digest: string;
  readonly keys: number;
  readonly notChecked: readonly unknown[];
}

function expectDataset(told: Told, truth: RdbTruth | AofTruth): void {
  if (truth.keys.every(isPlain)) {
    expect(told).toMatchObject({ digest: truth.digest, keys: sizeOf(truth.dbsize), notChecked: [] });
  } else {
    expect(told.notChecked).not.toEqual([]);
  }
}

function expectKeys(lines: readonly KeyLine[], keys: readonly KeyTruth[]): void {
  const told = new Map(lines.map((line) => [`${line.db} ${base64(line.key)}`, line]));
  expect(told.size).toBe(keys.length);
  const wrong = keys.filter((key) => {
    const line = told.get(`${key.db} ${key.key}`);
    if (!isPlain(key)) return line === undefined || line.digest !== null;
    return (
      line?.type !== (OWN_NAMES[key.type] ?? key.type) ||
      (key.digest_value !== null && line.digest !== key.digest_value)
    );
  });
  expect(wrong).toEqual([]);
}

describe('the server whose digest is printed', () => {
  // Files carry a version from 3.2 on, and no score is printed in two ways before 7.2.
  const naming = CORPUS_SERVERS.filter((server) => !server.startsWith('redis-2'));

  test.each(naming)('is the one that the file names: %s', async (server) => {
    const { path, truth } = rdbCases(server).find(({ name }) => name === 'types')!;
    const [product] = server.split('-');
    const ran = await runCli(['digest', path, '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      digest: truth.digest,
      as: `${product}-${truth.server_version}`,
    });
  });

  test('is the one asked for, which sees other digits in the scores', async () => {
    const { path, truth } = rdbCases('redis-7.2.6').find(({ name }) => name === 'types')!;
    const ran = await runCli(['digest', path, '--json', '--as', 'redis-7.0']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ as: 'redis-7.0' });
    expect(ran.stdout).not.toContain(truth.digest);
  });
});

function base64(text: KeyLine['key']): string {
  return typeof text === 'string' ? Buffer.from(text).toString('base64') : text.base64;
}
