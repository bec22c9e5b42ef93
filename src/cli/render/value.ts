import type { Long } from '../../bytes/int64.js';
import { formatId } from '../../model/stream-id.js';
import type { RedisValue, StreamGroup } from '../../model/value.js';
import { moduleDataLines } from './module-value.js';
import { count, counted, instant, size } from './numbers.js';

/** How bytes of a dataset (one character each) are shown: escaped, or hidden. */
export type Show = (latin1: string) => string;

/** Bytes of one text that are shown; the rest is counted. */
const TEXT_MAX = 256;

/** A text of a value on one line: quoted where it must be, cut after `bytesMax`. */
export function shownText(bytes: Buffer, show: Show, bytesMax = TEXT_MAX): string {
  if (bytes.length <= bytesMax) return show(bytes.latin1Slice());
  return `${show(bytes.latin1Slice(0, bytesMax))}… (${counted(bytes.length, 'byte')})`;
}

/** A score as servers print it. */
export function scoreText(score: number): string {
  if (score === Number.POSITIVE_INFINITY) return 'inf';
  if (score === Number.NEGATIVE_INFINITY) return '-inf';
  return Object.is(score, -0) ? '-0' : String(score);
}

/** When something expires: `never`, or an instant. */
export function expiryText(expiresAtMs: Long | null): string {
  return expiresAtMs === null ? 'never' : instant(Number(expiresAtMs));
}

/** `hash of 3 fields`, `string of 12 bytes`: a type with its size, as far as it has one. */
export function kindText(kind: RedisValue['kind'], elements: number): string {
  if (elements < 0) return kind;
  if (kind === 'string') return `string of ${elements < 1000 ? counted(elements, 'byte') : size(elements)}`;
  return `${kind} of ${counted(elements, NOUNS[kind] ?? 'element')}`;
}

const NOUNS: Partial<Record<RedisValue['kind'], string>> = {
  set: 'member',
  zset: 'member',
  hash: 'field',
  stream: 'entry',
};

/** Lines of a value's elements, made one by one: values can be long. */
export interface ValueLines {
  /** Elements there are; a string and whatever has no elements is one. */
  readonly length: number;
  line(i: number): string;
}

/** The elements of a value as lines of text. */
export function valueLines(value: RedisValue, show: Show, bytesMax = TEXT_MAX): ValueLines {
  const text = (bytes: Buffer): string => shownText(bytes, show, bytesMax);
  switch (value.kind) {
    case 'string':
      return one(text(value.text));
    case 'list':
      return lines(value.elements, (element, i) => `${i}  ${text(element)}`);
    case 'set':
      return lines(value.members, text);
    case 'zset':
      return lines(value.members, ({ member, score }) => `${scoreText(score)}  ${text(member)}`);
    case 'hash':
      return lines(value.fields, (field) => fieldText(field, text));
    case 'stream':
      return streamLines(value, text);
    case 'array':
      return lines(value.elements, ({ index, value: element }) => `${index}  ${text(element)}`);
    case 'gcra':
      return one(`arrival ${value.arrival}`);
    case 'cron':
      return lines([value.script, ...value.keys, ...value.arguments], text);
    case 'module':
      return moduleLines(value, text);
  }
}

export function fieldText(
  { name, value, expiresAtMs }: { name: Buffer; value: Buffer; expiresAtMs: number | null },
  text: (bytes: Buffer) => string,
): string {
  const expiry = expiresAtMs === null ? '' : `  (expires ${expiryText(expiresAtMs)})`;
  return `${text(name)}  ${text(value)}${expiry}`;
}

export function entryText(
  { id, fields }: Extract<RedisValue, { kind: 'stream' }>['entries'][number],
  text: (bytes: Buffer) => string,
): string {
  return [formatId(id), ...fields.map(([name, value]) => `${text(name)} ${text(value)}`)].join('  ');
}

/** A consumer group on one line. */
export function groupText(
  { name, lastId, entriesRead, pending, consumers }: StreamGroup,
  text: (bytes: Buffer) => string,
): string {
  const read = entriesRead === null ? '' : `, ${count(entriesRead)} read`;
  return (
    `group ${text(name)}  last ${formatId(lastId)}${read}, ${counted(pending.length, 'pending', 'pending')}, ` +
    counted(consumers.length, 'consumer')
  );
}

function streamLines(
  value: Extract<RedisValue, { kind: 'stream' }>,
  text: (bytes: Buffer) => string,
): ValueLines {
  const { entries, groups, meta } = value;
  const head = `last id ${formatId(meta.lastId)}, ${count(meta.entriesAdded)} added`;
  const rest = [head, ...groups.map((group) => groupText(group, text))];
  return {
    length: entries.length + rest.length,
    line: (i) => (i < entries.length ? entryText(entries[i]!, text) : rest[i - entries.length]!),
  };
}

function moduleLines(
  { name, raw, vectorSet, decoded }: Extract<RedisValue, { kind: 'module' }>,
  text: (bytes: Buffer) => string,
): ValueLines {
  if (decoded !== null) return moduleDataLines(decoded, text);
  if (vectorSet === null) return one(`module ${text(Buffer.from(name, 'latin1'))}, ${size(raw.length)}`);
  return lines(
    vectorSet.vectors,
    ({ element, vector }) =>
      `${text(element)}  [${vector.slice(0, 8).join(', ')}${vector.length > 8 ? ', …' : ''}]`,
  );
}

function lines<T>(items: readonly T[], line: (item: T, i: number) => string): ValueLines {
  return { length: items.length, line: (i) => line(items[i]!, i) };
}

const one = (line: string): ValueLines => ({ length: 1, line: () => line });
