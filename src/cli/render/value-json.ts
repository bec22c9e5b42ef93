import { formatId } from '../../model/stream-id.js';
import type {
  ArrayElement,
  HashField,
  RedisValue,
  StreamEntry,
  StreamGroup,
  ZsetMember,
} from '../../model/value.js';
import type { Json } from './json.js';
import { scoreText } from './value.js';

/** Bytes of a dataset (one character each) for JSON, or what hides them. */
export type JsonBytes = (latin1: string) => Json;

/** Turns parts of values into JSON, of each collection the first `max` elements at most. */
export class ValueJson {
  constructor(
    private readonly conceal: JsonBytes,
    private readonly max: number,
  ) {}

  bytes(bytes: Buffer): Json {
    return this.conceal(bytes.latin1Slice());
  }

  list<T>(items: readonly T[], json: (item: T) => Json): Json[] {
    return (items.length > this.max ? items.slice(0, this.max) : items).map(json);
  }

  readonly text = (bytes: Buffer): Json => this.bytes(bytes);
  readonly member = ({ member, score }: ZsetMember): Json => [this.bytes(member), scoreJson(score)];
  readonly field = ({ name, value, expiresAtMs }: HashField): Json =>
    expiresAtMs === null
      ? [this.bytes(name), this.bytes(value)]
      : [this.bytes(name), this.bytes(value), expiresAtMs];
  readonly element = ({ index, value }: ArrayElement): Json => [index, this.bytes(value)];
  readonly entry = ({ id, fields }: StreamEntry): Json => [
    formatId(id),
    this.list(fields, ([name, value]) => [this.bytes(name), this.bytes(value)]),
  ];
  readonly group = (group: StreamGroup): Json => ({
    name: this.bytes(group.name),
    lastId: formatId(group.lastId),
    entriesRead: group.entriesRead,
    pending: this.list(group.pending, ({ id, deliveredAtMs, deliveryCount }) => [
      formatId(id),
      deliveredAtMs,
      deliveryCount,
    ]),
    consumers: this.list(group.consumers, ({ name, seenAtMs, activeAtMs, pending }) => ({
      name: this.bytes(name),
      seenAtMs,
      activeAtMs,
      pending: this.list(pending, (id) => formatId(id)),
    })),
  });

  /** A string as text; a collection as an array of what it holds; null for what only a module knows. */
  value(value: RedisValue): Json {
    switch (value.kind) {
      case 'string':
        return this.bytes(value.text);
      case 'list':
        return this.list(value.elements, this.text);
      case 'set':
        return this.list(value.members, this.text);
      case 'zset':
        return this.list(value.members, this.member);
      case 'hash':
        return this.list(value.fields, this.field);
      case 'stream':
        return {
          entries: this.list(value.entries, this.entry),
          lastId: formatId(value.meta.lastId),
          entriesAdded: value.meta.entriesAdded,
          maxDeletedId: formatId(value.meta.maxDeletedId),
          groups: this.list(value.groups, this.group),
        };
      case 'array':
        return this.list(value.elements, this.element);
      case 'gcra':
        return value.arrival;
      case 'cron':
        return this.list([value.script, ...value.keys, ...value.arguments], this.text);
      case 'module':
        return value.vectorSet === null
          ? null
          : this.list(value.vectorSet.vectors, ({ element, vector }) => [this.bytes(element), [...vector]]);
    }
  }
}

/** A score as a number, or as the text of one that JSON does not know. */
function scoreJson(score: number): Json {
  return Number.isFinite(score) && !Object.is(score, -0) ? score : scoreText(score);
}
