import type { ByteSlice } from '../../bytes/slice.js';
import { Int64Words, parseInt64 } from '../../kernels/decimal.js';
import { TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK } from '../constants.js';
import { IntsetBuilder } from '../packed/intset-builder.js';
import { ListpackBuilder } from '../packed/listpack-builder.js';
import type { RdbTarget } from '../writer-target.js';
import { CountedValue } from './counted.js';
import { ItemStore } from './item-store.js';
import type { ValueStart } from './key-record.js';
import type { RdbOutput } from './output.js';

const INTSET_ENTRIES_MAX = 512;
const LISTPACK_ENTRIES_MAX = 128;
const LISTPACK_MEMBER_MAX = 64;

const words = new Int64Words();

/** Sets: an intset, a listpack or a plain list of members, by size and target. */
export class SetEncoder {
  private readonly store = new ItemStore();
  private readonly plainValue: CountedValue;
  private readonly intset = new IntsetBuilder();
  private readonly listpack = new ListpackBuilder();
  private declared = -1;
  private count = 0;
  private longest = 0;
  private integers = true;
  /** Where members go once the set is too large to pack. */
  private plain: RdbOutput | null = null;

  constructor(
    private readonly into: ValueStart,
    private readonly target: RdbTarget,
    compress: boolean,
  ) {
    this.plainValue = new CountedValue(into, compress);
  }

  /** `count` -1: unknown. */
  begin(count: number): void {
    this.declared = count;
    this.count = 0;
    this.longest = 0;
    this.integers = true;
    this.plain = count > INTSET_ENTRIES_MAX ? this.plainValue.open(TYPE_SET, count) : null;
    this.store.reset();
  }

  element(value: ByteSlice): void {
    const { bytes, start, end } = value;
    this.count++;
    if (this.plain !== null) {
      this.plain.text(bytes, start, end);
      return;
    }
    this.store.add(bytes, start, end);
    this.integers &&= parseInt64(bytes, start, end, words);
    this.longest = Math.max(this.longest, end - start);
    if (!this.packable()) this.spill();
  }

  private packable(): boolean {
    if (this.integers) return this.count <= INTSET_ENTRIES_MAX;
    return (
      this.target.smallSet === 'listpack' &&
      this.longest <= LISTPACK_MEMBER_MAX &&
      Math.max(this.count, this.declared) <= LISTPACK_ENTRIES_MAX
    );
  }

  private spill(): void {
    const { store } = this;
    const output = this.plainValue.open(TYPE_SET, this.declared);
    for (let i = 0; i < store.count; i++) output.text(store.bytes, store.start(i), store.end(i));
    store.reset();
    this.plain = output;
  }

  /** False when there was no member: nothing is written. */
  finish(): boolean {
    if (this.count === 0) return false;
    if (this.plain === null && !this.pack()) this.spill();
    if (this.plain !== null) this.plainValue.close(this.count);
    return true;
  }

  private pack(): boolean {
    const { store } = this;
    if (this.integers) {
      this.intset.reset();
      for (let i = 0; i < store.count; i++) this.intset.append(store.bytes, store.start(i), store.end(i));
      const packed = this.intset.finish();
      if (packed === null) return false;
      this.into.open(TYPE_SET_INTSET).text(packed, 0, packed.length);
      return true;
    }
    this.listpack.reset();
    for (let i = 0; i < store.count; i++) this.listpack.append(store.bytes, store.start(i), store.end(i));
    const packed = this.listpack.finish();
    this.into.open(TYPE_SET_LISTPACK).text(packed, 0, packed.length);
    return true;
  }
}
