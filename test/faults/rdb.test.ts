import { describe, expect, test } from 'vitest';
import { CORPUS_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { recordRdb } from '../support/rdb.js';
import { checked, errorsOf, flawsOf, flips, prefixes, readsOn } from './damage.js';

/** One of each generation of formats, all of them by `npm run fuzz:tests`. */
const SERVERS = THOROUGH ? CORPUS_SERVERS : ['redis-2.4', 'redis-5.0.14', 'redis-7.4.1'];

describe.each(SERVERS)('a small RDB of %s', (server) => {
  const whole = corpusBytes(server, 'small.rdb');

  test('is intact', async () => {
    expect((await checked(whole, 'rdb')).findings).toEqual([]);
  });

  test('is found truncated wherever it is cut', async () => {
    for (const cut of prefixes(whole)) {
      const file = await checked(cut, 'rdb', readsOn(cut.length));
      const flaws = flawsOf(file, cut);
      const errors = errorsOf(file);
      if (flaws.length > 0 || errors.length !== 1) expect.fail(`cut at ${cut.length}: ${flaws} ${errors}`);
    }
  });

  test('with any byte changed is found damaged, or still says the same', async () => {
    const content = JSON.stringify(await recordRdb(whole));
    const unnoticed: number[] = [];
    for (const { at, damaged } of flips(whole)) {
      const file = await checked(damaged, 'rdb', readsOn(at));
      const flaws = flawsOf(file, damaged);
      if (flaws.length > 0) expect.fail(`byte ${at}: ${flaws}`);
      if (errorsOf(file).length > 0) continue;
      const same = await recordRdb(damaged).then(
        (read) => JSON.stringify(read) === content,
        () => false,
      );
      if (!same) unnoticed.push(at);
    }
    // Before 2.6 there was no checksum: what changes only texts and numbers cannot be told from data.
    if (server === 'redis-2.4') expect(unnoticed.length).toBeGreaterThan(0);
    else expect(unnoticed).toEqual([]);
  });
});

/** Neither what is older than the checksum has one left out, nor the archives of release candidates. */
const UNSUMMED = SERVERS.filter((server) => rdbCases(server).some(({ name }) => name === 'small-nochecksum'));

describe.each(UNSUMMED)('an RDB of %s without checksum', (server) => {
  const whole = corpusBytes(server, 'small-nochecksum.rdb');

  test('with any byte changed gives an answer', async () => {
    for (const { at, damaged } of flips(whole)) {
      const file = await checked(damaged, 'rdb', readsOn(at));
      const flaws = flawsOf(file, damaged);
      if (flaws.length > 0) expect.fail(`byte ${at}: ${flaws}`);
    }
  });
});
