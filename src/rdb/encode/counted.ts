import { assert } from '../../errors.js';
import type { ValueStart } from './key-record.js';
import { type RdbOutput, SideOutput } from './output.js';

/**
 * A value laid out as a count and that many items. With the count known up front the items go straight to the file;
 * else they wait in memory, encoded, until the last one has come.
 */
export class CountedValue {
  private readonly side: SideOutput;
  private typeId = 0;
  private declared = -1;

  constructor(
    private readonly into: ValueStart,
    compress: boolean,
  ) {
    this.side = new SideOutput(compress);
  }

  /** Starts the value; items are written to what is returned. `count` -1: unknown. */
  open(typeId: number, count: number): RdbOutput {
    this.typeId = typeId;
    this.declared = count;
    if (count < 0) {
      this.side.reset();
      return this.side.output;
    }
    const output = this.into.open(typeId);
    output.length(count);
    return output;
  }

  close(count: number): void {
    if (this.declared >= 0) {
      assert(this.declared === count, `a value of ${this.declared} items came with ${count}`);
      return;
    }
    const output = this.into.open(this.typeId);
    output.length(count);
    this.side.moveTo(output);
  }
}
