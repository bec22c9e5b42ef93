import { compareIds } from '../../src/model/stream-id.js';
import type { RedisValue } from '../../src/model/value.js';
import type { ValueChanges } from '../../src/tools/history/changes.js';
import type { HistoryEntry } from '../../src/tools/history.js';

/** A key as the entries told so far leave it. */
export interface Folded {
  readonly value: RedisValue;
  readonly expiresAtMs: number | bigint | null;
}

/** Applies one entry to what the entries before it left, by its changes alone where it tells them. */
export function fold(before: Folded | null, entry: HistoryEntry): Folded | null {
  const { after, changes } = entry;
  if (after === null) return null;
  const { expiresAtMs } = after;
  if (changes === null) return { value: before!.value, expiresAtMs };
  if (changes.kind === 'whole') return { value: after.value!, expiresAtMs };
  return { value: applied(before!.value, changes), expiresAtMs };
}

function applied(value: RedisValue, changes: Exclude<ValueChanges, { kind: 'whole' }>): RedisValue {
  if (value.kind === 'list' && changes.kind === 'list') {
    const elements = [...value.elements];
    for (const { index, removed, inserted } of changes.splices) {
      const gone = elements.splice(index, removed.length, ...inserted);
      if (Buffer.compare(Buffer.concat(gone), Buffer.concat(removed)) !== 0)
        throw new Error('what a splice removes is not there');
    }
    return { kind: 'list', elements };
  }
  if (value.kind === 'set' && changes.kind === 'set') {
    return { kind: 'set', members: merged(value.members, changes.removed, changes.added, nameOf) };
  }
  if (value.kind === 'zset' && changes.kind === 'zset') {
    const put = [...changes.added, ...changes.changed.map((each) => each.after)];
    const members = merged(value.members, changes.removed, put, ({ member }) => nameOf(member));
    members.sort((a, b) =>
      a.score === b.score ? Buffer.compare(a.member, b.member) : a.score < b.score ? -1 : 1,
    );
    return { kind: 'zset', members };
  }
  if (value.kind === 'hash' && changes.kind === 'hash') {
    const put = [...changes.added, ...changes.changed.map((each) => each.after)];
    return { kind: 'hash', fields: merged(value.fields, changes.removed, put, ({ name }) => nameOf(name)) };
  }
  if (value.kind === 'stream' && changes.kind === 'stream') return appliedToStream(value, changes);
  throw new Error(`changes of a ${changes.kind} told of a ${value.kind}`);
}

function appliedToStream(
  value: Extract<RedisValue, { kind: 'stream' }>,
  { added, removed, trimmed, meta, groups }: Extract<ValueChanges, { kind: 'stream' }>,
): RedisValue {
  const put = new Set([...added.map(({ id }) => id), ...removed]);
  const kept = value.entries.filter(({ id }) => ![...put].some((each) => compareIds(each, id) === 0));
  const behind = trimmed === null ? kept : kept.filter(({ id }) => compareIds(id, trimmed.before) >= 0);
  const entries = [...behind, ...added].sort((a, b) => compareIds(a.id, b.id));
  const names = new Set(groups.map(({ name }) => nameOf(name)));
  const others = value.groups.filter(({ name }) => !names.has(nameOf(name)));
  const now = groups.flatMap(({ after }) => (after === null ? [] : [after]));
  const sorted = [...others, ...now].sort((a, b) => Buffer.compare(a.name, b.name));
  return { ...value, entries, meta: meta ?? value.meta, groups: sorted };
}

function merged<T>(
  before: readonly T[],
  removed: readonly T[],
  put: readonly T[],
  name: (item: T) => string,
): T[] {
  const items = new Map(before.map((item) => [name(item), item]));
  for (const item of removed) {
    if (!items.delete(name(item))) throw new Error(`${name(item)} is removed and not there`);
  }
  for (const item of put) items.set(name(item), item);
  return [...items.values()];
}

const nameOf = (bytes: Buffer): string => bytes.latin1Slice();
