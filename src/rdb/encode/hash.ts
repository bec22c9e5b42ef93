import type { ByteSlice } from '../../bytes/slice.js';
import { assert } from '../../errors.js';
import { TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP } from '../constants.js';
import { ListpackBuilder } from '../packed/listpack-builder.js';
import { ZiplistBuilder } from '../packed/ziplist-builder.js';
import { ZipmapBuilder } from '../packed/zipmap-builder.js';
import type { RdbTarget } from '../writer-target.js';
import { CountedValue } from './counted.js';
import { ItemStore } from './item-store.js';
import type { ValueStart } from './key-record.js';
import type { RdbOutput } from './output.js';

export const PACKED_PAIRS_MAX = 512;
export const PACKED_TEXT_MAX = 64;

/** Hashes without field TTLs: pairs packed in order, or a plain list of pairs. */
export class HashEncoder {
  private readonly store = new ItemStore();
  private readonly plainValue: CountedValue;
  private readonly packedType: number;
  private readonly builder: ListpackBuilder | ZiplistBuilder | ZipmapBuilder;
  private declared = -1;
  private count = 0;
  private plain: RdbOutput | null = null;

  constructor(
    private readonly into: ValueStart,
    target: RdbTarget,
    compress: boolean,
  ) {
    this.plainValue = new CountedValue(into, compress);
    if (target.smallHash === 'listpack') {
      this.packedType = TYPE_HASH_LISTPACK;
      this.builder = new ListpackBuilder();
    } else if (target.smallHash === 'ziplist') {
      this.packedType = TYPE_HASH_ZIPLIST;
      this.builder = new ZiplistBuilder(!target.narrowIntegers);
    } else {
      this.packedType = TYPE_HASH_ZIPMAP;
      this.builder = new ZipmapBuilder();
    }
  }

  /** `count` -1: unknown. */
  begin(count: number): void {
    this.declared = count;
    this.count = 0;
    this.store.reset();
    this.plain = count > PACKED_PAIRS_MAX ? this.plainValue.open(TYPE_HASH, count) : null;
  }

  field(name: ByteSlice, value: ByteSlice): void {
    this.count++;
    if (this.plain !== null) {
      this.plain.text(name.bytes, name.start, name.end);
      this.plain.text(value.bytes, value.start, value.end);
      return;
    }
    this.store.add(name.bytes, name.start, name.end);
    this.store.add(value.bytes, value.start, value.end);
    const longest = Math.max(name.end - name.start, value.end - value.start);
    if (this.count > PACKED_PAIRS_MAX || longest > PACKED_TEXT_MAX) this.spill();
  }

  private spill(): void {
    const { store } = this;
    const output = this.plainValue.open(TYPE_HASH, this.declared);
    for (let i = 0; i < store.count; i++) output.text(store.bytes, store.start(i), store.end(i));
    store.reset();
    this.plain = output;
  }

  /** False when there was no field: nothing is written. */
  finish(): boolean {
    if (this.count === 0) return false;
    if (this.plain === null) this.pack();
    else this.plainValue.close(this.count);
    return true;
  }

  private pack(): void {
    const { store, builder } = this;
    assert(store.count === 2 * this.count, 'a field has a name and a value');
    builder.reset();
    for (let i = 0; i < store.count; i++) builder.append(store.bytes, store.start(i), store.end(i));
    const packed = builder.finish();
    this.into.open(this.packedType).text(packed, 0, packed.length);
  }
}
