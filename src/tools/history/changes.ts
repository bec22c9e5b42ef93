import type { Long } from '../../bytes/int64.js';
import { compareIds, formatId, type StreamId } from '../../model/stream-id.js';
import type {
  ArrayElement,
  HashField,
  RedisValue,
  StreamEntry,
  StreamGroup,
  ZsetMember,
} from '../../model/value.js';

type Of<K extends RedisValue['kind']> = Extract<RedisValue, { kind: K }>;

/** A run of list elements that took the place of another: at `index` of the list as it is when its turn comes. */
export interface Splice {
  readonly index: number;
  readonly removed: readonly Buffer[];
  readonly inserted: readonly Buffer[];
}

/**
 * What changed inside a value that kept its type. `whole`: see before and after. Taking `removed` out of the value
 * before, and putting `added` and the `after` of what changed in, gives the value after.
 */
export type ValueChanges =
  | { readonly kind: 'whole' }
  | { readonly kind: 'list'; readonly splices: readonly Splice[] }
  | { readonly kind: 'set'; readonly added: readonly Buffer[]; readonly removed: readonly Buffer[] }
  | {
      readonly kind: 'zset';
      readonly added: readonly ZsetMember[];
      readonly removed: readonly ZsetMember[];
      readonly changed: readonly { readonly before: ZsetMember; readonly after: ZsetMember }[];
    }
  | {
      readonly kind: 'hash';
      readonly added: readonly HashField[];
      readonly removed: readonly HashField[];
      readonly changed: readonly { readonly before: HashField; readonly after: HashField }[];
    }
  | StreamChanges
  | {
      readonly kind: 'array';
      readonly added: readonly ArrayElement[];
      readonly removed: readonly ArrayElement[];
      readonly changed: readonly { readonly before: ArrayElement; readonly after: ArrayElement }[];
      /** Index that was inserted last, after; null: none. */
      readonly cursor: Long | null;
    };

export interface StreamChanges {
  readonly kind: 'stream';
  readonly added: readonly StreamEntry[];
  /** Ids that went, but for those below `trimmedBefore`. */
  readonly removed: readonly StreamId[];
  /** Every entry below this id went, and this many there were; null: none went at the front. */
  readonly trimmed: { readonly before: StreamId; readonly count: number } | null;
  /** Counters after the command; null: as before. */
  readonly meta: Of<'stream'>['meta'] | null;
  readonly groups: readonly {
    readonly name: Buffer;
    /** Null: the group was created. */
    readonly before: StreamGroup | null;
    /** Null: the group was destroyed. */
    readonly after: StreamGroup | null;
  }[];
}

/** What changed from one value to another; null when they are equal. Of different types: `whole`. */
export function changesBetween(before: RedisValue, after: RedisValue): ValueChanges | null {
  if (before.kind !== after.kind) return { kind: 'whole' };
  switch (before.kind) {
    case 'list':
      return ofLists(before.elements, (after as Of<'list'>).elements);
    case 'set':
      return ofSets(before.members, (after as Of<'set'>).members);
    case 'zset':
      return ofZsets(before.members, (after as Of<'zset'>).members);
    case 'hash':
      return ofHashes(before.fields, (after as Of<'hash'>).fields);
    case 'stream':
      return ofStreams(before, after as Of<'stream'>);
    case 'array':
      return ofArrays(before, after as Of<'array'>);
    default:
      return sameText(before, after) ? null : { kind: 'whole' };
  }
}

/** Equal in all they hold: for values without elements, and parts of others. */
function sameText(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`;
    if (typeof each === 'number' && !Number.isFinite(each)) return String(each);
    return Object.is(each, -0) ? '-0' : each;
  });
}

/** One splice between the common head and the common tail. */
function ofLists(before: readonly Buffer[], after: readonly Buffer[]): ValueChanges | null {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head]!.equals(after[head]!)) head++;
  if (head === before.length && head === after.length) return null;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail]!.equals(after[after.length - 1 - tail]!)) {
    tail++;
  }
  const removed = before.slice(head, before.length - tail);
  const inserted = after.slice(head, after.length - tail);
  return { kind: 'list', splices: [{ index: head, removed, inserted }] };
}

interface Difference<T> {
  readonly added: T[];
  readonly removed: T[];
  readonly changed: { before: T; after: T }[];
}

/** Compares two collections by name. `nameOf` must be unique within one; equal names with equal items are left out. */
function differenceOf<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
  equal: (a: T, b: T) => boolean,
): Difference<T> | null {
  const left = new Map<string, T>();
  for (const item of before) left.set(nameOf(item), item);
  const difference: Difference<T> = { added: [], removed: [], changed: [] };
  for (const item of after) {
    const name = nameOf(item);
    const old = left.get(name);
    if (old === undefined) difference.added.push(item);
    else if (!equal(old, item)) difference.changed.push({ before: old, after: item });
    left.delete(name);
  }
  difference.removed.push(...left.values());
  const { added, removed, changed } = difference;
  return added.length + removed.length + changed.length === 0 ? null : difference;
}

function ofSets(before: readonly Buffer[], after: readonly Buffer[]): ValueChanges | null {
  const found = differenceOf(
    before,
    after,
    (member) => member.latin1Slice(),
    () => true,
  );
  return found === null ? null : { kind: 'set', added: found.added, removed: found.removed };
}

export function sameScore(a: ZsetMember, b: ZsetMember): boolean {
  return Object.is(a.score, b.score);
}

function ofZsets(before: readonly ZsetMember[], after: readonly ZsetMember[]): ValueChanges | null {
  const found = differenceOf(before, after, ({ member }) => member.latin1Slice(), sameScore);
  return found === null ? null : { kind: 'zset', ...found };
}

export function sameField(a: HashField, b: HashField): boolean {
  return a.expiresAtMs === b.expiresAtMs && a.value.equals(b.value);
}

function ofHashes(before: readonly HashField[], after: readonly HashField[]): ValueChanges | null {
  const found = differenceOf(before, after, ({ name }) => name.latin1Slice(), sameField);
  return found === null ? null : { kind: 'hash', ...found };
}

function ofArrays(before: Of<'array'>, after: Of<'array'>): ValueChanges | null {
  const found = differenceOf(
    before.elements,
    after.elements,
    ({ index }) => index.toString(),
    (a, b) => a.value.equals(b.value),
  );
  if (found === null && before.cursor === after.cursor) return null;
  return { kind: 'array', ...(found ?? { added: [], removed: [], changed: [] }), cursor: after.cursor };
}

function ofStreams(before: Of<'stream'>, after: Of<'stream'>): ValueChanges | null {
  if (!sameText(before.producers, after.producers)) return { kind: 'whole' };
  const entries = differenceOf(
    before.entries,
    after.entries,
    ({ id }) => formatId(id),
    (a, b) => sameText(a.fields, b.fields),
  );
  const added = [...(entries?.added ?? []), ...(entries?.changed ?? []).map((each) => each.after)];
  const gone = (entries?.removed ?? []).map(({ id }) => id);
  const first = after.entries[0]?.id ?? null;
  const front = first === null ? [] : gone.filter((id) => compareIds(id, first) < 0);
  const trimmed = front.length === 0 ? null : { before: first!, count: front.length };
  const removed = trimmed === null ? gone : gone.filter((id) => compareIds(id, trimmed.before) >= 0);
  return streamChanges({ added, removed, trimmed }, before, after);
}

/** Entries that changed, and whatever else did; null when that is nothing. */
export function streamChanges(
  entries: Pick<StreamChanges, 'added' | 'removed' | 'trimmed'>,
  before: Pick<Of<'stream'>, 'meta' | 'groups'>,
  after: Pick<Of<'stream'>, 'meta' | 'groups'>,
): StreamChanges | null {
  const meta = sameText(before.meta, after.meta) ? null : after.meta;
  const groups = groupsBetween(before.groups, after.groups);
  const { added, removed, trimmed } = entries;
  const nothing = meta === null && groups.length === 0 && trimmed === null;
  if (nothing && added.length === 0 && removed.length === 0) return null;
  return { kind: 'stream', added, removed, trimmed, meta, groups };
}

function groupsBetween(
  before: readonly StreamGroup[],
  after: readonly StreamGroup[],
): StreamChanges['groups'] {
  const found = differenceOf(before, after, ({ name }) => name.latin1Slice(), sameText);
  if (found === null) return [];
  return [
    ...found.added.map((group) => ({ name: group.name, before: null, after: group })),
    ...found.changed.map((each) => ({ name: each.after.name, ...each })),
    ...found.removed.map((group) => ({ name: group.name, before: group, after: null })),
  ];
}
