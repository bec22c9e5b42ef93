import { ByteSlice } from '../../bytes/slice.js';
import { TYPE_HASH_LISTPACK_EX, TYPE_HASH_METADATA, TYPE_VALKEY_HASH_2 } from '../constants.js';
import { ListpackBuilder } from '../packed/listpack-builder.js';
import type { RdbTarget } from '../writer-target.js';
import { type HashEncoder, PACKED_PAIRS_MAX, PACKED_TEXT_MAX } from './hash.js';
import { ItemStore } from './item-store.js';
import type { ValueStart } from './key-record.js';

/**
 * Hashes whose fields may have TTLs, for servers that know such. All fields wait in memory: the earliest time of all
 * stands in front of them, and without any TTL the hash is an ordinary one.
 */
export class ExpiringHashEncoder {
  /** Name, value, name, value, …; the time of a field, or -1, beside its name. */
  private readonly store = new ItemStore();
  private readonly listpack = new ListpackBuilder();
  private readonly name = new ByteSlice();
  private readonly value = new ByteSlice();
  private earliest = Number.POSITIVE_INFINITY;
  private longest = 0;

  constructor(
    private readonly into: ValueStart,
    private readonly target: RdbTarget,
    private readonly ordinary: HashEncoder,
  ) {}

  begin(): void {
    this.store.reset();
    this.earliest = Number.POSITIVE_INFINITY;
    this.longest = 0;
  }

  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.store.add(name.bytes, name.start, name.end, expiresAtMs);
    this.store.add(value.bytes, value.start, value.end);
    this.longest = Math.max(this.longest, name.end - name.start, value.end - value.start);
    if (expiresAtMs >= 0) this.earliest = Math.min(this.earliest, expiresAtMs);
  }

  /** False when there was no field: nothing is written. */
  finish(): boolean {
    const pairs = this.store.count / 2;
    if (this.earliest === Number.POSITIVE_INFINITY) return this.writeOrdinary(pairs);
    if (this.target.fieldExpiry === 'valkey') this.writeTimesLast(pairs);
    else if (pairs <= PACKED_PAIRS_MAX && this.longest <= PACKED_TEXT_MAX) this.writePacked(pairs);
    else this.writeTimesFirst(pairs);
    return true;
  }

  private writeOrdinary(pairs: number): boolean {
    const { store, ordinary } = this;
    ordinary.begin(pairs);
    for (let i = 0; i < store.count; i += 2) {
      this.name.set(store.bytes, store.start(i), store.end(i));
      this.value.set(store.bytes, store.start(i + 1), store.end(i + 1));
      ordinary.field(this.name, this.value);
    }
    return ordinary.finish();
  }

  /** Name, value, time: -1 for none. */
  private writeTimesLast(pairs: number): void {
    const { store } = this;
    const output = this.into.open(TYPE_VALKEY_HASH_2);
    output.length(pairs);
    for (let i = 0; i < store.count; i += 2) {
      output.text(store.bytes, store.start(i), store.end(i));
      output.text(store.bytes, store.start(i + 1), store.end(i + 1));
      output.int64(store.number(i));
    }
  }

  /** Time, name, value: the time from the earliest on, plus one; 0 for none. */
  private writeTimesFirst(pairs: number): void {
    const { store, earliest } = this;
    const output = this.into.open(TYPE_HASH_METADATA);
    output.int64(earliest);
    output.length(pairs);
    for (let i = 0; i < store.count; i += 2) {
      const time = store.number(i);
      output.length(time < 0 ? 0 : time - earliest + 1);
      output.text(store.bytes, store.start(i), store.end(i));
      output.text(store.bytes, store.start(i + 1), store.end(i + 1));
    }
  }

  /** Triples of name, value and time in one listpack, by time; those without, as 0, come last. */
  private writePacked(pairs: number): void {
    const { store, listpack } = this;
    const order = Array.from({ length: pairs }, (_, i) => 2 * i);
    const rank = (i: number) => (store.number(i) < 0 ? Number.MAX_SAFE_INTEGER : store.number(i));
    order.sort((a, b) => rank(a) - rank(b));
    listpack.reset();
    for (const i of order) {
      listpack.append(store.bytes, store.start(i), store.end(i));
      listpack.append(store.bytes, store.start(i + 1), store.end(i + 1));
      listpack.appendInteger(Math.max(store.number(i), 0));
    }
    const packed = listpack.finish();
    const output = this.into.open(TYPE_HASH_LISTPACK_EX);
    output.int64(this.earliest);
    output.text(packed, 0, packed.length);
  }
}
