import { describe, expect, it } from 'vitest';
import type { Long } from '../../src/bytes/int64.js';
import { sliceOf } from '../../src/bytes/slice.js';
import { DigestHandler, type DigestOptions, digestFamilyOf } from '../../src/model/digest.js';
import { KeyHead } from '../../src/model/handler.js';
import type { ValueKind } from '../../src/model/kind.js';
import { idOf } from '../../src/model/stream-id.js';

// Every expected digest here is what a server printed for the same content.

type Item = (to: DigestHandler) => void;

const text =
  (value: string): Item =>
  (to) =>
    to.text(sliceOf(value));
const elements = (...values: string[]): Item[] => values.map((value) => (to) => to.element(sliceOf(value)));
const member =
  (name: string, score: number): Item =>
  (to) =>
    to.member(sliceOf(name), score);
const field =
  (name: string, value: string, expiresAtMs = -1): Item =>
  (to) =>
    to.field(sliceOf(name), sliceOf(value), expiresAtMs);
const entry =
  (ms: Long, seq: Long, ...pairs: [string, string][]): Item =>
  (to) => {
    to.streamEntry(idOf(ms, seq), pairs.length);
    for (const [name, value] of pairs) to.streamField(sliceOf(name), sliceOf(value));
  };

interface Key {
  readonly database?: number;
  readonly key: string;
  readonly kind: ValueKind;
  readonly expiresAtMs?: Long;
  readonly items: readonly Item[];
  readonly digest?: string;
}

const FAR = 32503680000000;
const REDIS_7_0: readonly Key[] = [
  { key: 'text', kind: 'string', items: [text('hello')], digest: '36b23a1456b2dce2c3ed252c456761301dba8060' },
  {
    key: 'number',
    kind: 'string',
    items: [text('12345')],
    digest: 'e1cf90774e995ae03de66e8109dc5cb9d9c2dc83',
  },
  {
    key: 'fading',
    kind: 'string',
    expiresAtMs: FAR,
    items: [text('x')],
    digest: '0745672cb1bf060476eedeb8a28f5ffe1ff5a2be',
  },
  {
    key: 'list',
    kind: 'list',
    items: elements('a', 'b', 'c', 'a'),
    digest: 'f5288eec2eed787a36763c030016214904e77b6f',
  },
  {
    key: 'set',
    kind: 'set',
    items: elements('3', 'm2', 'm1'),
    digest: '59972ab52e96f6d8bccb960e676357a6a688bd03',
  },
  {
    key: 'zset',
    kind: 'zset',
    items: [
      member('tenth', 0.1),
      member('one', 1),
      member('half', 2.5),
      member('big', 1e17),
      member('top', Number.POSITIVE_INFINITY),
    ],
    digest: '1d67a3e50944942ab58aa19dda61707158414d58',
  },
  {
    key: 'hash',
    kind: 'hash',
    items: [field('f2', 'v2'), field('f1', 'v1')],
    digest: '047cc60ea73a34cde6d08a2721a4a26d19ee6570',
  },
  {
    key: 'stream',
    kind: 'stream',
    items: [entry(1, 1, ['a', '1'], ['b', '2']), entry(18446744073709551615n, 3, ['c', ''])],
    digest: '551853fe9543dbe851ca1e5bf9b23a688bdee7c2',
  },
  { key: '', kind: 'string', items: [text('')], digest: '8b3447c33a834b810e3e181b6fd6a2ee1020921c' },
  { database: 3, key: 'k', kind: 'string', items: [text('v')] },
  {
    database: 9,
    key: 'text',
    kind: 'list',
    expiresAtMs: FAR,
    items: elements('a'),
    digest: '791eb044a2f011df93679532fcf334458dfa5bd3',
  },
];
const REDIS_7_0_WHOLE = '6cd5a70a228fdf54743fc2fbc271989e4485ae96';

function tell(keys: readonly Key[], options: Partial<DigestOptions> = {}): DigestHandler {
  const to = new DigestHandler({
    ...digestFamilyOf('redis', '7.0.15'),
    nowMs: null,
    onKey: null,
    ...options,
  });
  const head = new KeyHead();
  for (const { database = 0, key, kind, expiresAtMs, items } of keys) {
    const slice = sliceOf(key);
    head.database = database;
    head.key.set(slice.bytes, slice.start, slice.end);
    head.kind = kind;
    head.hasExpiry = expiresAtMs !== undefined;
    head.expiresAtMs = expiresAtMs ?? 0;
    to.key(head);
    for (const item of items) item(to);
    to.keyEnd(head);
  }
  return to;
}

function valueDigest(
  family: readonly [string, string],
  kind: ValueKind,
  items: readonly Item[],
): string | null {
  let digest: string | null = null;
  tell([{ key: 'k', kind, items }], {
    ...digestFamilyOf(...family),
    onKey: (_head, hex) => {
      digest = hex;
    },
  });
  return digest;
}

describe('the whole digest', () => {
  it('is that of the server, with or without the digests of the keys', () => {
    expect(tell(REDIS_7_0).result()).toBe(REDIS_7_0_WHOLE);
    expect(tell(REDIS_7_0, { onKey: () => {} }).result()).toBe(REDIS_7_0_WHOLE);
  });

  it('does not depend on the order of keys and databases', () => {
    const shuffled = [...REDIS_7_0].sort((a, b) => (a.digest ?? '').localeCompare(b.digest ?? ''));
    expect(tell(shuffled).result()).toBe(REDIS_7_0_WHOLE);
    expect(tell([...REDIS_7_0].reverse()).result()).toBe(REDIS_7_0_WHOLE);
  });

  it('of nothing is forty zeros', () => {
    expect(tell([]).result()).toBe('0'.repeat(40));
  });

  it('depends on the database of a key, on its name and on having an expiry, not on which', () => {
    const base: Key = { key: 'k', kind: 'string', items: [text('v')] };
    const results = [
      base,
      { ...base, database: 1 },
      { ...base, database: 256 },
      { ...base, key: 'l' },
      { ...base, expiresAtMs: 5 },
    ].map((key) => tell([key]).result());
    expect(new Set(results).size).toBe(5);
    expect(tell([{ ...base, expiresAtMs: -7 }]).result()).toBe(results[4]);
  });
});

describe('the digest of a value', () => {
  it('is that of the server', () => {
    const seen: (string | null)[] = [];
    tell(REDIS_7_0, { onKey: (_head, hex) => seen.push(hex) });
    REDIS_7_0.forEach(({ digest, key }, i) => {
      if (digest !== undefined) expect(`${key} ${seen[i]}`).toBe(`${key} ${digest}`);
    });
  });

  it('prints scores in the shortest form from 7.2 on and in Valkey', () => {
    const items = [member('Catania', 56.4412578701582), member('Palermo', 190.44242984775784)];
    const expected = '7e3a0a9e9ef40501e21bf3a6b407e44a6fd96c8c';
    expect(valueDigest(['redis', '7.4.1'], 'zset', items)).toBe(expected);
    expect(valueDigest(['valkey', '8.1.7'], 'zset', items)).toBe(expected);
    expect(valueDigest(['redis', '7.0.15'], 'zset', items)).not.toBe(expected);
  });

  it('marks fields with a TTL in Redis from 7.4 on, whatever the TTL', () => {
    const expected = '892485b5324d08a507b85963739fbdd7edb340cd';
    const items = [field('a', '1'), field('b', '2', 69269232549886)];
    expect(valueDigest(['redis', '7.4.1'], 'hash', items)).toBe(expected);
    expect(valueDigest(['redis', '7.4.1'], 'hash', [items[0]!, field('b', '2', 5)])).toBe(expected);
    const plain = valueDigest(['redis', '7.2.6'], 'hash', [items[0]!, field('b', '2')]);
    expect(valueDigest(['redis', '7.2.6'], 'hash', items)).toBe(plain);
    expect(valueDigest(['valkey', '9.1.0'], 'hash', items)).toBe(plain);
    expect(valueDigest(['redis', '7.4.1'], 'hash', [items[0]!, field('b', '2')])).toBe(plain);
  });

  it('tells a list from a set and one order of a list from another', () => {
    const list = valueDigest(['redis', '7.0'], 'list', elements('a', 'b'));
    expect(valueDigest(['redis', '7.0'], 'list', elements('b', 'a'))).not.toBe(list);
    const set = valueDigest(['redis', '7.0'], 'set', elements('a', 'b'));
    expect(set).not.toBe(list);
    expect(valueDigest(['redis', '7.0'], 'set', elements('b', 'a'))).toBe(set);
  });
});

describe('what is counted beside it', () => {
  it('counts keys, and those past their expiry', () => {
    const keys: Key[] = [
      { key: 'a', kind: 'string', expiresAtMs: 999, items: [text('')] },
      { key: 'b', kind: 'string', expiresAtMs: 1000, items: [text('')] },
      { key: 'c', kind: 'string', expiresAtMs: 2n ** 62n, items: [text('')] },
      { key: 'd', kind: 'string', items: [text('')] },
    ];
    const to = tell(keys, { nowMs: 1000 });
    expect([to.keys, to.expired]).toEqual([4, 1]);
    expect(tell(keys).expired).toBe(0);
  });

  it('leaves module values out and says how many', () => {
    const seen: (string | null)[] = [];
    const to = tell(
      [
        { key: 'm', kind: 'module', items: [] },
        { key: 'k', kind: 'string', items: [text('v')] },
      ],
      { onKey: (_head, hex) => seen.push(hex) },
    );
    expect([to.keys, to.opaque, seen[0]]).toEqual([1, 1, null]);
    expect(to.result()).toBe(tell([{ key: 'k', kind: 'string', items: [text('v')] }]).result());
  });

  it('counts scores of minus zero', () => {
    const key: Key = { key: 'z', kind: 'zset', items: [member('a', -0), member('b', 0), member('c', -1)] };
    expect(tell([key]).negativeZeros).toBe(1);
  });

  it('leaves out expired fields for Valkey, given a clock', () => {
    const items = [field('a', '1'), field('b', '2', 999)];
    const valkey = digestFamilyOf('valkey', '9.1');
    const digestAt = (nowMs: number | null): string =>
      tell([{ key: 'h', kind: 'hash', items }], { ...valkey, nowMs }).result();
    expect(digestAt(999)).toBe(digestAt(null));
    expect(digestAt(1000)).toBe(tell([{ key: 'h', kind: 'hash', items: [items[0]!] }], valkey).result());
  });
});

describe('families', () => {
  it.each([
    ['redis', '2.8.24', '17g', false],
    ['redis', '6.9.240', '17g', false],
    ['redis', '7.0.15', '17g', false],
    ['redis', '7.2', 'shortest', false],
    ['redis', '7.3.240', 'shortest', true],
    ['redis', '7.4.1', 'shortest', true],
    ['redis', '255.255.255', 'shortest', true],
    ['redis', '', 'shortest', true],
    ['valkey', '7.2.13', 'shortest', false],
    ['valkey', '9.1.0', 'shortest', false],
    ['keydb', '6.3.4', '17g', false],
    ['dragonfly', '1.0', 'shortest', true],
  ])('of %s %s', (product, version, scoreText, fieldTtls) => {
    expect(digestFamilyOf(product, version)).toMatchObject({ scoreText, fieldTtls });
  });
});
