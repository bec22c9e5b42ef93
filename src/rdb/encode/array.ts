import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import {
  ARRAY_DOUBLE,
  ARRAY_INTEGER,
  ARRAY_SHORT_TEXT,
  ARRAY_SHORT_TEXT_MAX,
  ARRAY_TEXT,
  arrayDouble,
  arrayInteger,
} from '../array-value.js';
import { TYPE_ARRAY } from '../constants.js';
import type { ValueStart } from './key-record.js';
import { type RdbOutput, SideOutput } from './output.js';

/** Arrays: with the number of elements known up front they go straight to the file, else they wait in memory. */
export class ArrayEncoder {
  private readonly side: SideOutput;
  private output: RdbOutput | null = null;
  private declared = -1;
  private count = 0;
  private cursor: Long = -1;

  constructor(
    private readonly into: ValueStart,
    compress: boolean,
  ) {
    this.side = new SideOutput(compress);
  }

  /** `count` -1: unknown. */
  begin(count: number): void {
    this.declared = count;
    this.count = 0;
    this.cursor = -1;
    this.output = null;
    this.side.reset();
  }

  inserted(index: Long): void {
    this.cursor = index;
  }

  element(index: Long, { bytes, start, end }: ByteSlice): void {
    const output = this.opened();
    this.count++;
    output.longLength(index);
    const integer = arrayInteger(bytes, start, end);
    if (integer !== null) {
      output.length(ARRAY_INTEGER);
      output.int64(integer);
      return;
    }
    const double = arrayDouble(bytes, start, end);
    if (double !== null) {
      output.length(ARRAY_DOUBLE);
      output.double(double);
      return;
    }
    output.length(end - start <= ARRAY_SHORT_TEXT_MAX ? ARRAY_SHORT_TEXT : ARRAY_TEXT);
    output.text(bytes, start, end);
  }

  private opened(): RdbOutput {
    if (this.output === null) this.output = this.declared < 0 ? this.side.output : this.head(this.declared);
    return this.output;
  }

  private head(count: number): RdbOutput {
    const output = this.into.open(TYPE_ARRAY);
    output.length(count);
    output.length(this.cursor === -1 ? 0 : 1);
    if (this.cursor !== -1) output.longLength(this.cursor);
    return output;
  }

  /** False when there was no element: nothing is written. */
  finish(): boolean {
    if (this.count === 0) return false;
    if (this.declared < 0) this.side.moveTo(this.head(this.count));
    return true;
  }
}
