import { compareIds, idOf } from '../../src/model/stream-id.js';
import type { SampleKey, SampleValue } from '../property/sample.js';
import type { Random } from './random.js';

type Kind = SampleValue['kind'];
type Of<K extends Kind> = Extract<SampleValue, { kind: K }>;

const text = (random: Random): Buffer =>
  random.once(4) ? random.bytes(random.below(30)) : Buffer.from(`${random.below(1e6)} é`);
const SCORES = [0, 1.5, -3, 1e308, Number.MIN_VALUE, Number.POSITIVE_INFINITY, -(2 ** 53), 0.1];
const IN_2100 = 4102444800000;

/** A small value of each kind: a few elements, half of them with everything that servers keep beside them. */
export function smallValue(kind: Kind, random: Random): SampleValue {
  const count = random.between(1, 5);
  const some = <T>(make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const named = (i: number): Buffer => Buffer.concat([text(random), Buffer.from(`~${i}`)]);
  switch (kind) {
    case 'string':
      return { kind, text: text(random) };
    case 'list':
      return { kind, elements: some(() => text(random)) };
    case 'set':
      return { kind, elements: random.once(2) ? some((i) => Buffer.from(`${i * 7}`)) : some(named) };
    case 'zset':
      return { kind, members: some((i) => [named(i), random.pick(SCORES)]) };
    case 'hash':
      return {
        kind,
        fields: some((i) => [named(i), text(random), random.once(3) ? IN_2100 + random.below(1e9) : -1]),
      };
    case 'array':
      return { kind, cursor: random.below(99), elements: some((i) => [i * 3, text(random)]) };
    case 'stream':
      return smallStream(count, random);
  }
}

function smallStream(count: number, random: Random): Of<'stream'> {
  const ids = Array.from({ length: count }, (_, i) => idOf(1772366400000 + 9 * i, random.below(5)));
  const lastId = random.once(2) ? ids.at(-1)! : idOf(1772366409999, 7);
  const pending = ids
    .filter(() => random.once(2))
    .map((id) => [id, 1772366400000 - random.below(1e6), 1 + random.below(9)] as const);
  return {
    kind: 'stream',
    entries: ids.map((id) => [id, [[text(random), text(random)]]]),
    lastId,
    maxDeletedId: idOf(0, 0),
    entriesAdded: count,
    groups: random.once(3)
      ? []
      : [
          {
            name: text(random),
            lastId: ids[0]!,
            entriesRead: 1,
            pending,
            consumers: [[Buffer.from('alice'), 1772366400000, pending.map((_, i) => i)]],
          },
        ],
  };
}

/** A dataset of small values of all the kinds, names of any bytes among them. */
export function smallDataset(kinds: readonly Kind[], count: number, random: Random): SampleKey[] {
  return Array.from({ length: count }, (_, i) => ({
    db: i % 9 === 0 ? 3 : 0,
    key: Buffer.concat([random.bytes(random.below(4)), Buffer.from(`:${i}`)]),
    expiresAtMs: random.once(4) ? IN_2100 + random.below(1e9) : -1,
    value: smallValue(kinds[i % kinds.length]!, random),
  })).sort((a, b) => a.db - b.db);
}

const other = (random: Random): Buffer => Buffer.from(`other ${random.below(1e9)} ${random.below(1e9)}`);

/** The items with one of them changed. */
function withOne<T>(items: readonly T[], random: Random, change: (item: T) => T): T[] {
  const at = random.below(items.length);
  return items.map((item, i) => (i === at ? change(item) : item));
}

const without = <T>(items: readonly T[], random: Random): T[] => {
  const at = random.below(items.length);
  return items.filter((_, i) => i !== at);
};

/** The next larger double, or the largest for what has none. */
function nextScore(score: number): number {
  if (!Number.isFinite(score)) return Number.MAX_VALUE;
  if (score === 0) return Number.MIN_VALUE;
  const words = new BigInt64Array(1);
  const double = new Float64Array(words.buffer);
  double[0] = score;
  words[0]! += score > 0 ? 1n : -1n;
  return double[0]!;
}

/** A value that differs in one place. */
export function mutated(value: SampleValue, random: Random): SampleValue {
  const shorter = random.once(3);
  const longer = random.once(3);
  switch (value.kind) {
    case 'string':
      return {
        kind: 'string',
        text: Buffer.concat([value.text, random.pick([Buffer.alloc(1), other(random)])]),
      };
    case 'list':
      return { kind: 'list', elements: mutatedList(value.elements, random) };
    case 'set': {
      const { elements } = value;
      if (shorter && elements.length > 1) return { kind: 'set', elements: without(elements, random) };
      if (longer) return { kind: 'set', elements: [...elements, other(random)] };
      return { kind: 'set', elements: withOne(elements, random, () => other(random)) };
    }
    case 'zset': {
      const { members } = value;
      if (shorter && members.length > 1) return { kind: 'zset', members: without(members, random) };
      if (longer) return { kind: 'zset', members: [...members, [other(random), 1]] };
      return { kind: 'zset', members: withOne(members, random, ([name, score]) => [name, nextScore(score)]) };
    }
    case 'hash':
      return { kind: 'hash', fields: mutatedFields(value.fields, random) };
    case 'array': {
      if (random.once(4)) return { ...value, cursor: Number(value.cursor) + 1 };
      const { elements } = value;
      if (shorter && elements.length > 1) return { ...value, elements: without(elements, random) };
      return { ...value, elements: withOne(elements, random, ([index]) => [index, other(random)] as const) };
    }
    case 'stream': {
      const { groups, ...rest } = mutatedStream(value, random);
      // As servers hold and write them.
      const inOrder = groups.map(({ consumers, ...group }) => ({
        ...group,
        consumers: [...consumers].sort(([a], [b]) => a.compare(b)),
      }));
      return { ...rest, groups: inOrder.sort((a, b) => a.name.compare(b.name)) };
    }
  }
}

function mutatedList(elements: readonly Buffer[], random: Random): Buffer[] {
  const swapped = elements.findIndex((element, i) => i > 0 && !element.equals(elements[i - 1]!));
  if (random.once(3) && swapped > 0) {
    const turned = [...elements];
    [turned[swapped - 1], turned[swapped]] = [turned[swapped]!, turned[swapped - 1]!];
    return turned;
  }
  if (random.once(3) && elements.length > 1) return elements.slice(1);
  return random.once(2) ? [...elements, elements[0]!] : withOne(elements, random, () => other(random));
}

type Fields = Of<'hash'>['fields'];

function mutatedFields(fields: Fields, random: Random): Fields {
  switch (random.below(5)) {
    case 0:
      return withOne(fields, random, ([name, , ttl]) => [name, other(random), ttl]);
    case 1:
      return withOne(fields, random, ([, value, ttl]) => [other(random), value, ttl]);
    case 2:
      return withOne(fields, random, ([name, value, ttl]) => [name, value, ttl < 0 ? IN_2100 : ttl + 1]);
    case 3:
      return [...fields, [other(random), other(random), -1]];
    default:
      return withOne(fields, random, ([name, value, ttl]) => [name, value, ttl < 0 ? IN_2100 : -1]);
  }
}

function mutatedStream(stream: Of<'stream'>, random: Random): Of<'stream'> {
  const { entries, groups } = stream;
  const [group] = groups;
  const inGroup = (changes: Partial<Of<'stream'>['groups'][number]>): Of<'stream'> => ({
    ...stream,
    groups: [{ ...group!, ...changes }],
  });
  const change = group === undefined ? random.below(3) : random.below(8);
  switch (change) {
    case 0:
      return { ...stream, lastId: idOf(1772366409999, 8 + random.below(9)) };
    case 1:
      return {
        ...stream,
        entries: withOne(entries, random, ([id, fields]) => [id, [[fields[0]![0], other(random)]]]),
      };
    case 2:
      return {
        ...stream,
        groups: [
          ...groups,
          { name: other(random), lastId: idOf(0, 0), entriesRead: 0, pending: [], consumers: [] },
        ],
      };
    case 3: {
      const last = entries.at(-1)![0];
      return inGroup({ lastId: compareIds(group!.lastId, last) === 0 ? idOf(0, 0) : last });
    }
    case 4:
      if (group!.pending.length === 0) return inGroup({ name: other(random) });
      return inGroup({ pending: withOne(group!.pending, random, ([id, at, count]) => [id, at, count + 1]) });
    case 5:
      if (group!.pending.length === 0) return { ...stream, groups: [] };
      return inGroup({ pending: withOne(group!.pending, random, ([id, at, count]) => [id, at - 1, count]) });
    case 6:
      return inGroup({ consumers: [...group!.consumers, [other(random), 1772366400000, []]] });
    default:
      return inGroup({
        consumers: group!.consumers.map(([, seenAt, own]) => [Buffer.from('bob'), seenAt, own]),
      });
  }
}
