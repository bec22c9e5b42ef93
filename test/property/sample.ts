import { type Long, normalLong } from '../../src/bytes/int64.js';
import { ByteSlice } from '../../src/bytes/slice.js';
import { ITEMS, type ItemHandler, KeyHead } from '../../src/model/handler.js';
import { compareIds, idOf, type StreamId } from '../../src/model/stream-id.js';
import type { Random } from '../support/random.js';

/** What a generated dataset may hold; a subset is drawn for every run, so that odd mixtures appear. */
export interface Ingredients {
  readonly kinds: readonly SampleValue['kind'][];
  /** Redis 7.4 and later know TTLs of hash fields. */
  readonly fieldTtls: boolean;
  /** Redis 2.4 knows neither milliseconds nor times beyond 2038. */
  readonly wholeSeconds: boolean;
}

export type SampleValue =
  | { readonly kind: 'string'; readonly text: Buffer }
  | { readonly kind: 'list' | 'set'; readonly elements: readonly Buffer[] }
  | { readonly kind: 'zset'; readonly members: readonly (readonly [Buffer, number])[] }
  | { readonly kind: 'hash'; readonly fields: readonly (readonly [Buffer, Buffer, number])[] }
  | SampleStream
  | {
      readonly kind: 'array';
      readonly cursor: Long;
      readonly elements: readonly (readonly [index: Long, text: Buffer])[];
    };

interface SampleStream {
  readonly kind: 'stream';
  readonly entries: readonly (readonly [StreamId, readonly (readonly [Buffer, Buffer])[]])[];
  readonly lastId: StreamId;
  readonly maxDeletedId: StreamId;
  readonly entriesAdded: number;
  readonly groups: readonly {
    readonly name: Buffer;
    readonly lastId: StreamId;
    readonly entriesRead: number;
    readonly pending: readonly (readonly [StreamId, at: number, count: number])[];
    /** Each with the positions in `pending` that are its own. */
    readonly consumers: readonly (readonly [name: Buffer, seenAt: number, own: readonly number[]])[];
  }[];
}

export interface SampleKey {
  readonly db: number;
  readonly key: Buffer;
  /** -1: never. */
  readonly expiresAtMs: number;
  readonly value: SampleValue;
}

const SOON = 4102444800000;

/** Keys in the order of a file: by database, then any. Names do not repeat within a database. */
export function sampleDataset(random: Random, ingredients: Ingredients, count: number): SampleKey[] {
  const keys: SampleKey[] = [];
  const databases = random.pick([[0], [0, 3], [0, 1, 15]]);
  for (const db of databases) {
    const names = distinct(random, Math.ceil(count / databases.length));
    for (const key of names) {
      const at = ingredients.wholeSeconds
        ? (2 ** 31 - 1 - random.below(1e6)) * 1000
        : SOON + random.below(1e9);
      const expiresAtMs = random.once(4) ? at : -1;
      keys.push({ db, key, expiresAtMs, value: sampleValue(random, ingredients) });
    }
  }
  return keys;
}

/** Tells the dataset as a decoder would; sometimes with the number of elements up front, sometimes without. */
export function tell(keys: readonly SampleKey[], handler: ItemHandler, random: Random): void {
  const head = new KeyHead();
  let database = -1;
  for (const { db, key, expiresAtMs, value } of keys) {
    if (db !== database) handler.database((database = db));
    head.database = db;
    head.key.set(key, 0, key.length);
    head.kind = value.kind;
    head.hasExpiry = expiresAtMs >= 0;
    head.expiresAtMs = Math.max(expiresAtMs, 0);
    head.count = random.once(2) ? -1 : sizeOf(value);
    head.fieldsExpire = value.kind === 'hash' && value.fields.some(([, , ttl]) => ttl >= 0);
    if (handler.key(head) >= ITEMS) tellValue(value, handler);
    handler.keyEnd(head);
  }
}

function tellValue(value: SampleValue, handler: ItemHandler): void {
  const [a, b] = [new ByteSlice(), new ByteSlice()];
  const lend = (slice: ByteSlice, bytes: Buffer): ByteSlice => slice.set(bytes, 0, bytes.length);
  switch (value.kind) {
    case 'string':
      handler.text(lend(a, value.text));
      break;
    case 'list':
    case 'set':
      for (const element of value.elements) handler.element(lend(a, element));
      break;
    case 'zset':
      for (const [member, score] of value.members) handler.member(lend(a, member), score);
      break;
    case 'hash':
      for (const [name, text, ttl] of value.fields) handler.field(lend(a, name), lend(b, text), ttl);
      break;
    case 'stream':
      tellStream(value, handler, lend);
      break;
    case 'array':
      handler.arrayCursor(value.cursor);
      for (const [index, text] of value.elements) handler.arrayElement(index, lend(a, text));
  }
}

function tellStream(
  stream: SampleStream,
  handler: ItemHandler,
  lend: (slice: ByteSlice, bytes: Buffer) => ByteSlice,
): void {
  const [a, b] = [new ByteSlice(), new ByteSlice()];
  for (const [id, fields] of stream.entries) {
    handler.streamEntry(id, fields.length);
    for (const [name, text] of fields) handler.streamField(lend(a, name), lend(b, text));
  }
  const { lastId, maxDeletedId, entriesAdded } = stream;
  const firstId = stream.entries[0]?.[0] ?? idOf(0, 0);
  handler.streamMeta({ length: stream.entries.length, lastId, firstId, maxDeletedId, entriesAdded });
  for (const group of stream.groups) {
    handler.streamGroup(lend(a, group.name), group.lastId, group.entriesRead);
    for (const [id, at, count] of group.pending) handler.streamPending(id, at, count);
    for (const [name, seenAt, own] of group.consumers) {
      handler.streamConsumer(lend(a, name), seenAt, seenAt);
      for (const position of own) handler.streamConsumerPending(group.pending[position]![0]);
    }
  }
}

function sizeOf(value: SampleValue): number {
  if (value.kind === 'list' || value.kind === 'set') return value.elements.length;
  if (value.kind === 'zset') return value.members.length;
  if (value.kind === 'hash') return value.fields.length;
  if (value.kind === 'array') return value.elements.length;
  return value.kind === 'stream' ? value.entries.length : 1;
}

function sampleValue(random: Random, { kinds, fieldTtls }: Ingredients): SampleValue {
  const kind = random.pick(kinds);
  switch (kind) {
    case 'string':
      return { kind, text: sampleText(random) };
    case 'list':
      return { kind, elements: Array.from({ length: sampleCount(random) }, () => sampleText(random)) };
    case 'set':
      return { kind, elements: random.once(2) ? integers(random) : distinct(random, sampleCount(random)) };
    case 'zset':
      return {
        kind,
        members: distinct(random, sampleCount(random)).map((member) => [member, sampleScore(random)]),
      };
    case 'hash': {
      const ttl = (): number => (fieldTtls && random.once(3) ? SOON + random.below(1e9) : -1);
      const names = distinct(random, sampleCount(random));
      return { kind, fields: names.map((name) => [name, sampleText(random), ttl()]) };
    }
    case 'stream':
      return sampleStream(random);
    case 'array':
      return sampleArray(random);
  }
}

/** Runs and gaps, up to the highest index there is. */
function sampleArray(random: Random): SampleValue {
  const elements: [Long, Buffer][] = [];
  let index = random.pick([0n, 1n, 4095n, 2n ** 53n - 3n, 2n ** 63n - 2n]);
  for (let left = sampleCount(random); left > 0 && index < 2n ** 64n - 1n; left--) {
    elements.push([
      normalLong(index),
      random.once(3) ? Buffer.from(`${sampleScore(random)}`) : sampleText(random),
    ]);
    index += random.once(9) ? BigInt(random.between(2, 1e9)) * random.pick([1n, 2n ** 30n]) : 1n;
  }
  const cursor = random.pick([-1, elements.at(-1)![0], random.below(1e9), 18446744073709551614n]);
  return { kind: 'array', cursor, elements };
}

/** Around the sizes at which servers change the encoding of a collection. */
function sampleCount(random: Random): number {
  const around = random.pick([1, 2, 5, 20, 20, 64, 127, 128, 129, 257, 513]);
  return Math.max(1, around + random.between(-1, 1));
}

const LENGTHS = [0, 1, 2, 11, 12, 13, 20, 21, 44, 45, 63, 64, 65, 253, 254, 255, 300];
const LONG_LENGTHS = [4095, 4096, 8193, 16383, 16384, 20000];
const INTEGERS = [
  ...[
    '0',
    '1',
    '-1',
    '7',
    '12',
    '13',
    '127',
    '128',
    '-128',
    '-129',
    '255',
    '256',
    '4095',
    '4096',
    '-4096',
    '-4097',
  ],
  ...['32767', '32768', '-32768', '-32769', '8388607', '8388608', '-8388608', '-8388609', '2147483647'],
  ...[
    '2147483648',
    '-2147483648',
    '-2147483649',
    '9007199254740991',
    '9007199254740993',
    '9223372036854775807',
  ],
  ...['-9223372036854775808', '9223372036854775808', '007', '-0', '+1', '1.0', ' 1', '1 ', '00', '-', '1e3'],
];

function sampleText(random: Random): Buffer {
  switch (random.below(6)) {
    case 0:
      return Buffer.from(random.pick(INTEGERS));
    case 1:
      return Buffer.from(String(random.between(-40000, 40000)));
    case 2:
      return random.bytes(random.pick(LENGTHS));
    case 3:
      return Buffer.alloc(random.once(8) ? random.pick(LONG_LENGTHS) : random.pick(LENGTHS), 'compressible ');
    case 4:
      return random.once(20) ? random.bytes(random.pick(LONG_LENGTHS)) : Buffer.from('text\r\n$3\r\n*1\r\n');
    default:
      return Buffer.from(`field-${random.below(1000)}`);
  }
}

function sampleScore(random: Random): number {
  if (random.once(2)) return random.between(-5000, 5000);
  return random.pick([
    ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, -0.5, 1 / 3, Math.PI, 1e300, -1e-300],
    ...[Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 1e21, 123456789.125],
  ]);
}

function distinct(random: Random, count: number): Buffer[] {
  const seen = new Map<string, Buffer>();
  while (seen.size < count) {
    const text = random.once(3)
      ? Buffer.concat([sampleText(random), Buffer.from(`~${seen.size}`)])
      : sampleText(random);
    seen.set(text.toString('latin1'), text);
  }
  return [...seen.values()];
}

/** Whole numbers of one magnitude: what an intset holds. */
function integers(random: Random): Buffer[] {
  const scale = random.pick([1n, 300n, 70000n, 2n ** 33n, 2n ** 52n]);
  const seen = new Set<bigint>();
  for (let left = sampleCount(random); left > 0; left--)
    seen.add(BigInt(random.between(-1000, 1000)) * scale);
  return [...seen].map((value) => Buffer.from(String(value)));
}

function sampleStream(random: Random): SampleStream {
  const ids = increasingIds(random, random.pick([0, 1, 3, 99, 100, 101, 250]));
  const usual = distinct(random, random.between(1, 4));
  const entries = ids.map((id) => {
    const names = random.once(4) ? distinct(random, random.between(1, 3)) : usual;
    return [id, names.map((name) => [name, sampleText(random)] as const)] as const;
  });
  const last = ids.at(-1) ?? idOf(0, 0);
  const deleted = random.once(2);
  const lastId = deleted ? idOf(18446744073709551615n, random.below(100)) : last;
  return {
    kind: 'stream',
    entries,
    lastId,
    maxDeletedId: deleted ? lastId : idOf(0, 0),
    entriesAdded: entries.length + (deleted ? random.between(1, 9) : 0),
    groups: distinct(random, random.below(3)).map((name) => sampleGroup(random, name, ids, lastId)),
  };
}

function sampleGroup(
  random: Random,
  name: Buffer,
  ids: readonly StreamId[],
  lastId: StreamId,
): SampleStream['groups'][number] {
  const pending = ids
    .filter(() => random.once(5))
    .map((id) => [id, SOON + random.below(1e6), random.between(1, 300)] as const);
  const names = distinct(random, random.between(pending.length > 0 ? 1 : 0, 3));
  const owners = pending.map(() => random.below(names.length));
  const entriesRead = random.once(3) ? -1 : ids.length;
  return {
    name,
    lastId,
    entriesRead,
    pending,
    consumers: names.map((consumer, i) => [
      consumer,
      SOON + random.below(1e6),
      pending.flatMap((_, at) => (owners[at] === i ? [at] : [])),
    ]),
  };
}

function increasingIds(random: Random, count: number): StreamId[] {
  const scale = random.pick([1n, 1000n, 2n ** 40n, 2n ** 55n]);
  const drawn = Array.from({ length: count }, () =>
    idOf(
      BigInt(random.between(1, 120)) * scale,
      random.once(9) ? 18446744073709551615n : random.between(1, 100),
    ),
  );
  drawn.sort(compareIds);
  return drawn.filter((id, i) => i === 0 || compareIds(drawn[i - 1]!, id) < 0);
}
