import { describe, expect, test } from 'vitest';
import { corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { lossesBetween, type Picture, pictureOf } from '../support/picture.js';
import { decodeInto, expectSame, memoryWriter } from '../support/rdb.js';

/** From one server to the next, each step made of what the one before left. */
const WAYS: readonly (readonly [from: string, to: readonly string[]])[] = [
  ['redis-8.8dev', ['valkey-9.1']],
  ['redis-8.8dev', ['valkey-8.1']],
  ['redis-7.4.1', ['valkey-9.1']],
  ['redis-7.4.1', ['valkey-8.1']],
  ['valkey-9.1', ['redis-7.2']],
  ['valkey-9.1', ['redis-7.0']],
  ['redis-7.4.1', ['redis-6.2', 'redis-5.0', 'redis-4.0', 'redis-2.8']],
];
const CASES = WAYS.flatMap(([from, to]) =>
  rdbCases(from)
    .filter(({ name }) => THOROUGH || name === 'types')
    .map(({ name }) => [`${from}/${name}`, to.join(', '), corpusBytes(from, `${name}.rdb`), to] as const),
);

describe('what is listed as lost is what is gone', () => {
  test.each(CASES)('%s for %s', async (_file, _servers, bytes, servers) => {
    let source = bytes;
    let before = await pictureOf(source);
    for (const server of servers) {
      const { writer, written } = memoryWriter(server);
      await decodeInto(writer, source);
      const { bytes: result, losses } = written();
      const after = await pictureOf(result);
      expectListed(before, after, losses);
      source = Buffer.from(result);
      before = after;
    }
  });
});

function expectListed(
  before: Picture,
  after: Picture,
  losses: readonly { readonly what: string; readonly place: string }[],
): void {
  const listed = new Map<string, Set<string>>();
  for (const { what, place } of losses) {
    const [database, name = ''] = place.split(' ');
    const id = place === '' ? '' : `${database} ${Buffer.from(name, 'base64').toString('latin1')}`;
    listed.set(id, (listed.get(id) ?? new Set()).add(what));
  }
  const found = new Map<string, Set<string>>();
  for (const [id, key] of before.keys) {
    const lost = lossesBetween(key, after.keys.get(id));
    if (lost.size > 0) found.set(id, lost);
  }
  const aside = new Set<string>();
  if (JSON.stringify(before.functions) !== JSON.stringify(after.functions)) aside.add('function');
  if (before.moduleAux !== after.moduleAux) aside.add('module-aux');
  if (aside.size > 0) found.set('', aside);
  expectSame(inOrder(listed), inOrder(found));
  expect([...after.keys.keys()].filter((id) => !before.keys.has(id))).toEqual([]);
}

const inOrder = (lost: ReadonlyMap<string, ReadonlySet<string>>): unknown =>
  [...lost].map(([id, what]) => [id, [...what].sort()]).sort();
