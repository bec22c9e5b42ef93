import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import type { Keyspace } from '../../src/keyspace/keyspace.js';
import { type Depth, ITEMS, ItemSink, type KeyHead } from '../../src/model/handler.js';

type Value = string | string[] | [string, number][] | Record<string, string>;

/** What a keyspace tells, one line per key: `0 name` (database and name) to its value. */
export class Picture extends ItemSink {
  readonly values: Record<string, Value> = {};
  readonly expiries: Record<string, Long> = {};
  private name = '';
  private kind = '';
  private database_ = 0;
  private text_ = '';
  private elements: string[] = [];
  private members: [string, number][] = [];
  private fields: Record<string, string> = {};

  static of(keyspace: Keyspace): Picture {
    const picture = new Picture();
    keyspace.walk(picture).run();
    return picture;
  }

  override database(index: number): void {
    this.database_ = index;
  }

  override key(head: KeyHead): Depth {
    this.kind = head.kind;
    this.name = `${this.database_} ${head.key.latin1()}`;
    if (head.hasExpiry) this.expiries[this.name] = head.expiresAtMs;
    this.elements = [];
    this.members = [];
    this.fields = {};
    return ITEMS;
  }

  override text(value: ByteSlice): void {
    this.text_ = value.latin1();
  }

  override element(value: ByteSlice): void {
    this.elements.push(value.latin1());
  }

  /** A field that expires says so behind its value. */
  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.fields[name.latin1()] = value.latin1() + (expiresAtMs === -1 ? '' : ` until ${expiresAtMs}`);
  }

  override member(value: ByteSlice, score: number): void {
    this.members.push([value.latin1(), score]);
  }

  override keyEnd(): void {
    const { kind, elements, members, fields } = this;
    const value = {
      string: this.text_,
      list: elements,
      set: [...elements].sort(),
      zset: members,
      hash: fields,
    }[kind];
    this.values[this.name] = value ?? kind;
  }
}
