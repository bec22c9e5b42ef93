import { formatId } from '../../model/stream-id.js';
import type { HashField, KeyRecord, RedisValue, StreamEntry, StreamGroup } from '../../model/value.js';

/** Something inside a value: by name where it has one. Texts have one character per byte; null: not there. */
export interface InsideChange {
  /** `field`, `member`, `index`, `entry`, `group`, `value`. */
  readonly what: 'value' | 'index' | 'member' | 'field' | 'entry' | 'group' | 'last-id';
  /** Name, index or id; '' for the value as a whole. */
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What changed inside one value. */
export interface Inside {
  /** The first of them. */
  readonly changes: readonly InsideChange[];
  readonly count: number;
}

/** More changes inside one value are counted, not listed. */
const LISTED = 100;
/** Lists whose different middles multiply to more are told as replaced. */
const CELLS_MAX = 4_000_000;

class Changes {
  readonly changes: InsideChange[] = [];
  count = 0;

  add(what: InsideChange['what'], name: string, before: string | null, after: string | null): void {
    this.count++;
    if (this.changes.length < LISTED) this.changes.push({ what, name, before, after });
  }
}

const latin1 = (bytes: Buffer): string => bytes.latin1Slice(0, bytes.length);

/** What changed between two values of one kind; null when only their bytes can be compared. */
export function changesInside(before: KeyRecord, after: KeyRecord): Inside | null {
  const [a, b] = [before.value, after.value];
  const found = new Changes();
  if (a.kind === 'string' && b.kind === 'string') found.add('value', '', latin1(a.text), latin1(b.text));
  else if (a.kind === 'list' && b.kind === 'list')
    compareLists(a.elements.map(latin1), b.elements.map(latin1), found);
  else if (a.kind === 'set' && b.kind === 'set')
    compareMaps(
      named(a.members, latin1, () => ''),
      named(b.members, latin1, () => ''),
      'member',
      found,
    );
  else if (a.kind === 'zset' && b.kind === 'zset') compareMaps(scores(a), scores(b), 'member', found);
  else if (a.kind === 'hash' && b.kind === 'hash')
    compareMaps(fields(a.fields), fields(b.fields), 'field', found);
  else if (a.kind === 'stream' && b.kind === 'stream') compareStreams(a, b, found);
  else if (a.kind === 'array' && b.kind === 'array') {
    const text = ({ value }: (typeof a.elements)[number]): string => latin1(value);
    const index = ({ index: at }: (typeof a.elements)[number]): string => String(at);
    compareMaps(named(a.elements, index, text), named(b.elements, index, text), 'index', found);
  } else return null;
  return found;
}

function named<T>(
  items: readonly T[],
  name: (item: T) => string,
  text: (item: T) => string,
): Map<string, string> {
  return new Map(items.map((item) => [name(item), text(item)]));
}

const scores = ({ members }: Extract<RedisValue, { kind: 'zset' }>): Map<string, string> =>
  named(
    members,
    ({ member }) => latin1(member),
    ({ score }) => String(score === 0 ? 0 : score),
  );

const fields = (items: readonly HashField[]): Map<string, string> =>
  named(
    items,
    ({ name }) => latin1(name),
    ({ value, expiresAtMs }) => latin1(value) + (expiresAtMs === null ? '' : ` (until ${expiresAtMs})`),
  );

function compareMaps(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  what: InsideChange['what'],
  found: Changes,
): void {
  for (const [name, text] of before) {
    const now = after.get(name) ?? null;
    if (now !== text) found.add(what, name, text, now);
  }
  for (const [name, text] of after) if (!before.has(name)) found.add(what, name, null, text);
}

/** The fewest elements that come and go, as far as the lists are small enough to find them. */
function compareLists(before: readonly string[], after: readonly string[], found: Changes): void {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [endA, endB] = [before.length, after.length];
  while (endA > start && endB > start && before[endA - 1] === after[endB - 1]) {
    endA--;
    endB--;
  }
  const gone = (i: number): void => found.add('index', String(i), before[i]!, null);
  const come = (i: number): void => found.add('index', String(i), null, after[i]!);
  const [rows, columns] = [endA - start, endB - start];
  if (rows * columns > CELLS_MAX) {
    for (let i = start; i < endA; i++) gone(i);
    for (let i = start; i < endB; i++) come(i);
    return;
  }
  const lengths = commonLengths(before, after, start, endA, endB);
  let [i, j] = [0, 0];
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[start + i] === after[start + j]) {
      i++;
      j++;
    } else if (
      j === columns ||
      (i < rows && lengths[(i + 1) * (columns + 1) + j]! >= lengths[i * (columns + 1) + j + 1]!)
    ) {
      gone(start + i++);
    } else {
      come(start + j++);
    }
  }
}

/** By rows: how long the longest common subsequence of the rests is. */
function commonLengths(
  before: readonly string[],
  after: readonly string[],
  start: number,
  endA: number,
  endB: number,
): Uint32Array {
  const [rows, columns] = [endA - start, endB - start];
  const lengths = new Uint32Array((rows + 1) * (columns + 1));
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const below = lengths[(i + 1) * (columns + 1) + j]!;
      const right = lengths[i * (columns + 1) + j + 1]!;
      const diagonal = lengths[(i + 1) * (columns + 1) + j + 1]!;
      lengths[i * (columns + 1) + j] =
        before[start + i] === after[start + j] ? diagonal + 1 : Math.max(below, right);
    }
  }
  return lengths;
}

type Stream = Extract<RedisValue, { kind: 'stream' }>;

function compareStreams(before: Stream, after: Stream, found: Changes): void {
  const text = ({ fields: pairs }: StreamEntry): string =>
    pairs.map(([name, value]) => `${latin1(name)}=${latin1(value)}`).join(' ');
  const id = (entry: StreamEntry): string => formatId(entry.id);
  compareMaps(named(before.entries, id, text), named(after.entries, id, text), 'entry', found);
  const [lastA, lastB] = [formatId(before.meta.lastId), formatId(after.meta.lastId)];
  if (lastA !== lastB) found.add('last-id', '', lastA, lastB);
  const group = ({ lastId, pending, consumers, released }: StreamGroup): string => {
    const holding = consumers.map(
      ({ name, pending: held }) => `${latin1(name)}:${held.map((each) => formatId(each)).join(',')}`,
    );
    const sent = pending.map((each) => `${formatId(each.id)} ${each.deliveredAtMs} ${each.deliveryCount}`);
    const loose = released.map((each) => formatId(each)).join(',');
    return `last ${formatId(lastId)}; pending ${sent.join(', ')}; consumers ${holding.join(' ')}${loose === '' ? '' : `; released ${loose}`}`;
  };
  const name = ({ name: bytes }: StreamGroup): string => latin1(bytes);
  compareMaps(named(before.groups, name, group), named(after.groups, name, group), 'group', found);
}
