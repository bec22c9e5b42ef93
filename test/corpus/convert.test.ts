import { describe, expect, test } from 'vitest';
import { DigestHandler } from '../../src/model/digest.js';
import type { RdbLoss } from '../../src/rdb/writer.js';
import { RDB_TARGETS, type RdbTarget } from '../../src/rdb/writer-target.js';
import { listening } from '../rdb/writer-digest.js';
import { CORPUS_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { decodeInto, expectSame, memoryWriter } from '../support/rdb.js';

/** A key that is not written at all is lost by one of these. */
const WHOLE_KEY: readonly RdbLoss[] = ['array', 'cron', 'gcra', 'module', 'stream'];

/** Expiry and value digest by database and name; modules have no digest of their own. */
type Picture = Map<
  string,
  { readonly expiresAtMs: unknown; readonly kind: string; readonly digest: string | null }
>;

class PictureTaker extends DigestHandler {
  constructor(picture: Picture, target: RdbTarget) {
    super({
      scoreText: 'shortest',
      fieldTtls: target.fieldExpiry !== 'none',
      skipsExpiredFields: false,
      nowMs: null,
      onKey: (head, digest) => {
        const place = `${head.database} ${head.key.view().toString('base64')}`;
        picture.set(place, { expiresAtMs: head.expiresAtMs, kind: head.kind, digest });
      },
    });
  }
}

async function pictureOf(bytes: Buffer, target: RdbTarget): Promise<Picture> {
  const picture: Picture = new Map();
  await decodeInto(listening(new PictureTaker(picture, target)), bytes);
  return picture;
}

async function convert(bytes: Buffer, target: RdbTarget, copyValues: boolean): Promise<number> {
  const { writer, written } = memoryWriter(target.name, { copyValues });
  await decodeInto(writer, bytes);
  const { bytes: result, losses } = written();
  const lost = new Map<string, Set<RdbLoss>>();
  for (const { place, what } of losses) lost.set(place, (lost.get(place) ?? new Set()).add(what));
  const [source, now] = [await pictureOf(bytes, target), await pictureOf(result, target)];
  for (const [place, key] of source) {
    const kept = now.get(place);
    const named = lost.get(place) ?? new Set();
    if (kept === undefined) {
      if (!WHOLE_KEY.some((what) => named.has(what)))
        expect([place, key, [...named]]).toBe('written, or named as lost');
      continue;
    }
    const expected = named.has('expiry-precision') ? { ...key, expiresAtMs: kept.expiresAtMs } : key;
    expectSame([place, kept], [place, expected]);
  }
  for (const place of now.keys()) if (!source.has(place)) expect(place).toBe('a key of the source');
  return now.size;
}

const FILES = CORPUS_SERVERS.flatMap((server) => rdbCases(server).map(({ name }) => ({ server, name })));
const TARGETS = [...RDB_TARGETS.values()];

describe('converted for another server, every key keeps its digest and its time or is named as lost', () => {
  /** Without REKINDLE_FUZZ_RUNS every server's types are written for one target, and every target is written for. */
  const sample = CORPUS_SERVERS.flatMap((server, i) =>
    TARGETS.filter((_, at) => at % CORPUS_SERVERS.length === i).map((target) => ({
      server,
      name: 'types',
      target,
    })),
  );
  const all = FILES.flatMap((file) => TARGETS.map((target) => ({ ...file, target })));

  test.each(
    (THOROUGH ? all : sample).map((each) => [`${each.server}/${each.name}`, each.target.name, each] as const),
  )('%s for %s', async (_file, _for, { server, name, target }) => {
    const bytes = corpusBytes(server, `${name}.rdb`);
    const keys = await convert(bytes, target, false);
    expect(await convert(bytes, target, true)).toBe(keys);
  });
});
