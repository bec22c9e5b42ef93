import type { ByteSlice } from '../../bytes/slice.js';
import { assert } from '../../errors.js';
import { DOUBLE_TEXT_MAX, writeShortest } from '../../kernels/doubles.js';
import { TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST } from '../constants.js';
import { ListpackBuilder } from '../packed/listpack-builder.js';
import { ZiplistBuilder } from '../packed/ziplist-builder.js';
import type { RdbTarget } from '../writer-target.js';
import { CountedValue } from './counted.js';
import { ItemStore } from './item-store.js';
import type { ValueStart } from './key-record.js';
import type { RdbOutput } from './output.js';

const PACKED_ENTRIES_MAX = 128;
const PACKED_MEMBER_MAX = 64;
/** The servers' own bound for telling that a double is whole. */
const LONG_SCORE_MAX = 2 ** 62;

/**
 * Sorted sets: members and scores packed in order, or a plain list of pairs. Scores as text have as few digits as tell
 * them apart: servers up to 7.0 write seventeen, and read either.
 */
export class ZsetEncoder {
  private readonly store = new ItemStore();
  private readonly plainValue: CountedValue;
  private readonly plainType: number;
  private readonly packedType: number;
  private readonly builder: ListpackBuilder | ZiplistBuilder;
  private readonly scoreText = Buffer.alloc(DOUBLE_TEXT_MAX);
  private declared = -1;
  private count = 0;
  private plain: RdbOutput | null = null;

  constructor(
    private readonly into: ValueStart,
    private readonly target: RdbTarget,
    compress: boolean,
  ) {
    this.plainValue = new CountedValue(into, compress);
    this.plainType = target.binaryScores ? TYPE_ZSET_2 : TYPE_ZSET;
    const listpack = target.smallZset === 'listpack';
    this.packedType = listpack ? TYPE_ZSET_LISTPACK : TYPE_ZSET_ZIPLIST;
    this.builder = listpack ? new ListpackBuilder() : new ZiplistBuilder(!target.narrowIntegers);
  }

  /** `count` -1: unknown. */
  begin(count: number): void {
    this.declared = count;
    this.count = 0;
    this.store.reset();
    this.plain = count > PACKED_ENTRIES_MAX ? this.plainValue.open(this.plainType, count) : null;
  }

  member(value: ByteSlice, score: number): void {
    const { bytes, start, end } = value;
    assert(!Number.isNaN(score), 'a score is a number');
    this.count++;
    if (this.plain !== null) {
      this.writePlain(this.plain, bytes, start, end, score);
      return;
    }
    this.store.add(bytes, start, end, score);
    if (this.count > PACKED_ENTRIES_MAX || end - start > PACKED_MEMBER_MAX) this.spill();
  }

  private writePlain(output: RdbOutput, bytes: Buffer, start: number, end: number, score: number): void {
    output.text(bytes, start, end);
    if (this.target.binaryScores) output.double(score);
    else output.textDouble(score);
  }

  private spill(): void {
    const { store } = this;
    const output = this.plainValue.open(this.plainType, this.declared);
    for (let i = 0; i < store.count; i++) {
      this.writePlain(output, store.bytes, store.start(i), store.end(i), store.number(i));
    }
    store.reset();
    this.plain = output;
  }

  /** False when there was no member: nothing is written. */
  finish(): boolean {
    if (this.count === 0) return false;
    if (this.plain === null) this.pack();
    else this.plainValue.close(this.count);
    return true;
  }

  private pack(): void {
    const { store, builder, scoreText } = this;
    const order = this.isOrdered() ? null : this.order();
    builder.reset();
    for (let position = 0; position < store.count; position++) {
      const i = order === null ? position : order[position]!;
      const score = store.number(i);
      builder.append(store.bytes, store.start(i), store.end(i));
      if (Number.isSafeInteger(score) && !Object.is(score, -0)) builder.appendInteger(score);
      else builder.append(scoreText, 0, this.writeScore(score));
    }
    const packed = builder.finish();
    this.into.open(this.packedType).text(packed, 0, packed.length);
  }

  /** A score that is no small integer, as text: the packed form makes an integer of one that is whole. */
  private writeScore(score: number): number {
    const { scoreText } = this;
    const isLong = this.target.longScores && Number.isInteger(score) && Math.abs(score) <= LONG_SCORE_MAX;
    if (isLong && score !== 0) return scoreText.latin1Write(`${BigInt(score)}`, 0);
    return writeShortest(score, scoreText, 0);
  }

  private compare(a: number, b: number): number {
    return compareNumbers(this.store.number(a), this.store.number(b)) || this.store.compare(a, b);
  }

  /** Small sorted sets mostly come in order already. */
  private isOrdered(): boolean {
    for (let i = 1; i < this.store.count; i++) if (this.compare(i - 1, i) > 0) return false;
    return true;
  }

  private order(): number[] {
    const order = Array.from({ length: this.store.count }, (_, i) => i);
    return order.sort((a, b) => this.compare(a, b));
  }
}

/** Unlike a difference, this orders infinities. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
