import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('diff-streams');
let files = 0;

type Item = Readonly<Record<string, unknown>>;

const ENTRIES: readonly Item[] = [
  { entry: '1-1', fields: [['f', 'v']] },
  {
    entry: '2-0',
    fields: [
      ['f', 'w'],
      ['g', 'x=y'],
    ],
  },
  { length: 2, lastId: '3-0', firstId: '1-1', maxDeletedId: '3-0', entriesAdded: 3 },
];
const pending = (id: string): Item => ({ pending: id, deliveredAtMs: 1000, deliveryCount: 1 });
const consumer = (name: string, ...holds: string[]): Item[] => [
  { consumer: name, seenAtMs: 5, activeAtMs: 6 },
  ...holds.map((id) => ({ holds: id })),
];
/** Each list of these stands for parts whose order means nothing. */
const GROUPS: readonly (readonly [Item, Item[], Item[][], Item[]])[] = [
  [
    { group: 'g', lastId: '2-0', entriesRead: 2 },
    [pending('1-1'), pending('2-0'), pending('1-0'), pending('0-1')],
    [consumer('c', '1-1'), consumer('d', '2-0'), consumer('idle')],
    [{ released: '1-0' }, { released: '0-1' }],
  ],
  [{ group: 'h', lastId: '1-1', entriesRead: 1 }, [pending('1-1')], [consumer('c', '1-1')], []],
  [{ group: 'empty', lastId: '0-0', entriesRead: 0 }, [], [], []],
];
const SETTINGS: Item = { durationSeconds: 60, entriesMax: 50 };
const PRODUCERS: readonly Item[][] = [
  [{ producer: 'p' }, { message: 'm1', became: '1-1' }, { message: 'm2', became: '2-0' }],
  [{ producer: 'q' }, { message: 'm1', became: '1-1' }],
];
const TOTALS: Item = { messagesAdded: 3, duplicates: 1 };

const same = <T>(items: readonly T[]): readonly T[] => items;

/** All of the stream, in the order that `order` gives to what has none. */
function stream(order: <T>(items: readonly T[]) => readonly T[] = same): Item[] {
  const groups = order(GROUPS).flatMap(([group, held, consumers, released]) => [
    group,
    ...order(held),
    ...order(consumers).flat(),
    ...released,
  ]);
  return [...ENTRIES, ...groups, SETTINGS, ...order(PRODUCERS).flat(), TOTALS];
}

function write(streams: readonly (readonly Item[])[]): string {
  const path = join(room, `${++files}.ndjson`);
  const lines = streams.map((value, i) => JSON.stringify({ key: `s${i}`, type: 'stream', value }));
  writeFileSync(path, ['{"rekindle":1,"origin":[["redis-ver","7.2.4"]]}', ...lines].join('\n'));
  return path;
}

interface Told {
  readonly key: string;
  readonly changes: readonly { what: string; name: string; before: string | null; after: string | null }[];
}

async function diff(
  before: readonly (readonly Item[])[],
  after: readonly (readonly Item[])[],
): Promise<{ told: readonly Told[]; text: string }> {
  const args = ['diff', write(before), write(after), '--values'];
  const { stdout, stderr, exit } = await runCli([...args, '--json']);
  expect(exit, stderr).toBeLessThan(2);
  const told = stdout.trimEnd().split('\n').slice(0, -1);
  const { stdout: text } = await runCli(args);
  return { told: told.map((line) => JSON.parse(line)), text };
}

/** What servers before 7.0, or others than Redis 8.6, do not keep, and what is no property of the stream. */
const NOT_COUNTED = new Set([
  ...['length', 'firstId', 'maxDeletedId', 'entriesAdded', 'entriesRead', 'seenAtMs', 'activeAtMs'],
  ...['messagesAdded', 'duplicates'],
]);

interface Mutation {
  readonly part: string;
  readonly counts: boolean;
  readonly value: readonly Item[];
}

/** One property of one part made another; and each part that others do not stand on left out. */
function mutations(): Mutation[] {
  const whole = stream();
  const made: Mutation[] = [];
  for (const [at, item] of whole.entries()) {
    for (const [name, value] of Object.entries(item)) {
      if (name === 'holds' || name === 'length') continue;
      const other = otherThan(value);
      const [first] = Object.keys(item);
      const put = whole.map((each, i) => (i === at ? { ...each, [name]: other } : each));
      made.push({ part: `${at} ${first} ${name}`, counts: !NOT_COUNTED.has(name), value: put });
    }
    if (['holds', 'message', 'released', 'group', 'producer', 'consumer'].some((name) => name in item)) {
      if (followers(whole, at) > 0) continue;
      made.push({
        part: `${at} ${Object.keys(item)[0]} left out`,
        counts: true,
        value: whole.filter((_, i) => i !== at),
      });
    }
  }
  return made;
}

/** Parts that stand on the one at hand. */
function followers(whole: readonly Item[], at: number): number {
  const ends = ['group', 'durationSeconds', 'producer', 'messagesAdded'];
  if ('consumer' in whole[at]!) ends.push('consumer', 'released');
  if (!['group', 'producer', 'consumer'].some((name) => name in whole[at]!)) return 0;
  const end = whole.findIndex((item, i) => i > at && ends.some((name) => name in item));
  return end - at - 1;
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return /^\d+-\d+$/.test(value) ? `${value}7` : `${value}!`;
  return (value as string[][]).map(([name, text], i) => (i === 0 ? [name, `${text}!`] : [name, text]));
}

test('whatever part of a stream is another, it is told which', async () => {
  const made = mutations();
  const base = stream();
  const { told, text } = await diff(
    made.map(() => base),
    made.map(({ value }) => value),
  );
  const byKey = new Map(told.map((each) => [each.key, each.changes]));
  const blocks = new Map(text.split(/^(?=~)/m).map((block) => [/s\d+/.exec(block)?.[0], block]));
  for (const [i, { part, counts }] of made.entries()) {
    expect([part, byKey.has(`s${i}`)]).toEqual([part, counts]);
    if (!counts) continue;
    const changes = byKey.get(`s${i}`)!;
    expect([part, changes.length > 0]).toEqual([part, true]);
    for (const { before, after } of changes) expect([part, before === after]).toEqual([part, false]);
    expect(blocks.get(`s${i}`)!.split('\n')[1], part).toMatch(/^ {4}[-+~] \S/);
  }
  expect(new Set(told.flatMap(({ changes }) => changes.map(({ what }) => what)))).toEqual(
    new Set(['entry', 'last-id', 'group', 'idempotence', 'producer']),
  );
});

test('the counters of a stream are told beside what makes it another', async () => {
  const base = stream();
  const counters = base.map((item) => {
    if ('lastId' in item && 'length' in item)
      return { ...item, lastId: '4-0', maxDeletedId: '4-0', entriesAdded: 4 };
    if (item['group'] === 'g') return { ...item, entriesRead: 3 };
    return 'messagesAdded' in item ? { messagesAdded: 5, duplicates: 2 } : item;
  });
  const { told, text } = await diff([base], [counters]);
  expect(told[0]!.changes).toEqual([
    { what: 'last-id', name: '', before: '3-0', after: '4-0' },
    { what: 'max-deleted-id', name: '', before: '3-0', after: '4-0' },
    { what: 'entries-added', name: '', before: '3', after: '4' },
    { what: 'entries-read', name: 'g', before: '2', after: '3' },
    { what: 'messages-added', name: '', before: '3', after: '5' },
    { what: 'messages-refused', name: '', before: '1', after: '2' },
  ]);
  expect(text.split('\n').slice(1, 5)).toEqual([
    '    ~ last-id: 3-0 -> 4-0',
    '    ~ max-deleted-id: 3-0 -> 4-0',
    '    ~ entries-added: 3 -> 4',
    '    ~ entries-read g: 2 -> 3',
  ]);
});

test('producers and settings that come and go are told', async () => {
  const bare = stream().slice(0, ENTRIES.length);
  const { told, text } = await diff([stream()], [bare]);
  expect(told[0]!.changes.slice(-3)).toEqual([
    { what: 'idempotence', name: '', before: '60 s, 50 entries', after: '100 s, 100 entries' },
    { what: 'producer', name: 'p', before: 'm1=1-1 m2=2-0', after: null },
    { what: 'producer', name: 'q', before: 'm1=1-1', after: null },
  ]);
  expect(text).toContain('    - producer p: "m1=1-1 m2=2-0"\n');
});

test('entries that are shown alike are another all the same', async () => {
  const entry = (...fields: string[][]): Item[] => [{ entry: '1-1', fields }, ...ENTRIES.slice(-1)];
  const { told } = await diff([entry(['a', 'b c=d'])], [entry(['a', 'b'], ['c', 'd'])]);
  expect(told).toMatchObject([{ changes: [{ what: 'entry', before: 'a=b c=d', after: 'a=b c=d' }] }]);
});

test('a group that stands twice is told with all that it has', async () => {
  const group = { group: 'g', lastId: '1-1', entriesRead: 1 };
  const { told } = await diff([[...ENTRIES, group]], [[...ENTRIES, group, group]]);
  expect(told).toMatchObject([{ changes: [{ what: 'group', name: 'g' }] }]);
});

test.each(seeds('diff-streams'))(
  'the order of groups and what they hold means nothing (seed %i)',
  async (seed) => {
    const random = new Random(seed);
    const shuffled = stream((items) => {
      const left = [...items];
      return items.map(() => left.splice(random.below(left.length), 1)[0]!);
    });
    const { told, text } = await diff([stream(), stream()], [shuffled, shuffled]);
    expect(told).toEqual([]);
    expect(text).toBe('0 added, 0 removed, 0 changed, 2 the same\n');
    // What makes it another is told, and nothing of the order.
    const other = shuffled.map((item) => (item['group'] === 'h' ? { ...item, lastId: '2-0' } : item));
    const { told: changed } = await diff([stream()], [other]);
    expect(changed).toMatchObject([{ changes: [{ what: 'group', name: 'h' }] }]);
  },
);

test('the order in which entries were given back, and messages came, does mean something', async () => {
  const swap = (name: string): Item[] => {
    const items = stream();
    const at = items.findIndex((item) => name in item);
    return [...items.slice(0, at), items[at + 1]!, items[at]!, ...items.slice(at + 2)];
  };
  const { told } = await diff([stream(), stream()], [swap('released'), swap('message')]);
  expect(told.map(({ changes }) => changes.map(({ what }) => what))).toEqual([['group'], ['producer']]);
});
