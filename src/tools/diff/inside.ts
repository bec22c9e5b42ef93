import { createHash } from 'node:crypto';
import type { Long } from '../../bytes/int64.js';
import type { HashField, KeyRecord, RedisValue } from '../../model/value.js';
import { Changes, compareMaps, type Inside, latin1, named, type Part } from './changes.js';
import { compareStreams } from './inside-stream.js';

type Kind<K extends RedisValue['kind']> = Extract<RedisValue, { kind: K }>;

/** Lists whose different middles multiply to more are told as replaced. */
const CELLS_MAX = 4_000_000;

/** What changed between two values of one kind; null when nothing can be told of two kinds. */
export function changesInside(before: KeyRecord, after: KeyRecord): Inside | null {
  const [a, b] = [before.value, after.value];
  const found = new Changes();
  const none = (): string => '';
  if (a.kind === 'string' && b.kind === 'string') found.add('value', '', latin1(a.text), latin1(b.text));
  else if (a.kind === 'list' && b.kind === 'list') compareLists(a.elements, b.elements, 'index', found);
  else if (a.kind === 'set' && b.kind === 'set')
    compareMaps(named(a.members, latin1, none), named(b.members, latin1, none), 'member', found);
  else if (a.kind === 'zset' && b.kind === 'zset') compareMaps(scores(a), scores(b), 'member', found);
  else if (a.kind === 'hash' && b.kind === 'hash')
    compareMaps(fields(a.fields), fields(b.fields), 'field', found);
  else if (a.kind === 'stream' && b.kind === 'stream') compareStreams(a, b, found);
  else if (a.kind === 'array' && b.kind === 'array') compareArrays(a, b, found);
  else if (a.kind === 'gcra' && b.kind === 'gcra')
    found.add('value', '', String(a.arrival), String(b.arrival));
  else if (a.kind === 'cron' && b.kind === 'cron') compareJobs(a, b, found);
  else if (a.kind === 'module' && b.kind === 'module') found.add('value', '', moduleText(a), moduleText(b));
  else return null;
  return found;
}

function compareArrays(before: Kind<'array'>, after: Kind<'array'>, found: Changes): void {
  const elements = ({ elements: items }: Kind<'array'>) =>
    named(
      items,
      ({ index }) => String(index),
      ({ value }) => latin1(value),
    );
  compareMaps(elements(before), elements(after), 'index', found);
  const cursor = (at: Long | null): string | null => (at === null ? null : String(at));
  found.compare('cursor', '', cursor(before.cursor), cursor(after.cursor));
}

function compareJobs(before: Kind<'cron'>, after: Kind<'cron'>, found: Changes): void {
  found.compare('value', '', latin1(before.script), latin1(after.script));
  found.compare('start', '', String(before.startMs), String(after.startMs));
  found.compare('interval', '', String(before.interval), String(after.interval));
  compareLists(before.keys, after.keys, 'key', found);
  compareLists(before.arguments, after.arguments, 'argument', found);
}

/** Modules know what their bytes mean; whether they are the same is seen by a digest. */
function moduleText({ name, raw }: Kind<'module'>): string {
  return `${name} of ${raw.length} bytes, SHA-256 ${createHash('sha256').update(raw).digest('hex')}`;
}

const scores = ({ members }: Kind<'zset'>): Map<string, Part> =>
  named(
    members,
    ({ member }) => latin1(member),
    ({ score }) => String(score === 0 ? 0 : score),
  );

const fields = (items: readonly HashField[]): Map<string, Part> =>
  named(
    items,
    ({ name }) => latin1(name),
    ({ value, expiresAtMs }) => latin1(value) + (expiresAtMs === null ? '' : ` (until ${expiresAtMs})`),
    ({ value, expiresAtMs }) => `${expiresAtMs} ${latin1(value)}`,
  );

/** The fewest elements that come and go, as far as the lists are small enough to find them. */
function compareLists(
  elementsBefore: readonly Buffer[],
  elementsAfter: readonly Buffer[],
  what: 'index' | 'key' | 'argument',
  found: Changes,
): void {
  const [before, after] = [elementsBefore.map(latin1), elementsAfter.map(latin1)];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [endA, endB] = [before.length, after.length];
  while (endA > start && endB > start && before[endA - 1] === after[endB - 1]) {
    endA--;
    endB--;
  }
  const gone = (i: number): void => found.add(what, String(i), before[i]!, null);
  const come = (i: number): void => found.add(what, String(i), null, after[i]!);
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
