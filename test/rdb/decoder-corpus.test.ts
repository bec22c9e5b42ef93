import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inEveryWay, inParts } from '../support/chop.js';
import {
  CORPUS_SERVERS,
  CORRUPT_SERVERS,
  corpusBytes,
  corruptCases,
  type KeyTruth,
  rdbCases,
} from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { recordRdb } from '../support/rdb.js';
import { eventSubject } from '../support/rdb-events.js';
import { asFarAsTold, recordedTruth } from '../support/recorded-truth.js';
import { byPlace } from '../support/recorder.js';
import { alike } from '../support/same.js';

describe.each(CORPUS_SERVERS)('%s', (server) => {
  test.each(rdbCases(server))('$name holds what the server made of it', async ({ name, truth }) => {
    const recorded = await recordRdb(corpusBytes(server, `${name}.rdb`));
    const told = truth.keys.map(recordedTruth).filter((key) => key !== null);
    const places = new Set(truth.keys.map(placeOf));
    const kept = recorded.keys.filter((key) => places.has(placeOf(key)));
    expect(kept).toHaveLength(truth.keys.length);
    const comparable = new Map(kept.map((key) => [placeOf(key), key]));
    for (const key of told.sort(byPlace)) alike(asFarAsTold(comparable.get(placeOf(key))!, key), key);
    expect(recorded.keys.filter((key) => !places.has(placeOf(key))).map((key) => key.pexpiretime)).toEqual(
      // The server dropped the one key whose time 2.4 could not hold in its 32 bits.
      server === 'redis-2.4' && name === 'types' ? [-192522495000] : [],
    );
  });

  test('small is the same in windows of every kind', () => {
    const bytes = corpusBytes(server, 'small.rdb');
    const { error } = inEveryWay(bytes, (pausing) => eventSubject({}, pausing));
    expect(error).toBeNull();
  });
});

const placeOf = ({ db, key }: Pick<KeyTruth, 'db' | 'key'>): string => `${db} ${key}`;

/** What a server refuses for reasons outside the format: its configuration, and keys it already has. */
const REFUSED_FOR_OTHER_REASONS = new Set(['rdb-bad-selectdb', 'rdb-dup-key']);

/** Damage that the server takes in, to keep a value in a form that no server writes. */
const DAMAGE_THAT_LOADS = new Set([
  'redis-4.0.14/rdb-bitflip-1-crcfixed',
  'redis-4.0.14/rdb-bitflip-4-crcfixed',
  'redis-6.2.16/rdb-bitflip-3-crcfixed',
  'valkey-9.1/rdb-bitflip-7-crcfixed',
]);

describe.each(CORRUPT_SERVERS)('damaged files of %s', (server) => {
  // The same is done to files of every server: in a plain run each damage is met in those of every other.
  const turn = CORRUPT_SERVERS.indexOf(server);
  const cases = corruptCases(server)
    .filter(({ name }) => name.startsWith('rdb-'))
    .filter(({ title }, i) => THOROUGH || DAMAGE_THAT_LOADS.has(title) || (i + turn) % 2 === 0);

  test.each(cases)('$name', ({ name, title, path, truth }) => {
    const bytes = readFileSync(path);
    const { error } = inParts(bytes, eventSubject({}, false), [bytes.length]);
    const refused = !truth.load.started && !REFUSED_FOR_OTHER_REASONS.has(name);
    expect(error !== null).toBe(refused || DAMAGE_THAT_LOADS.has(title));
  });
});
