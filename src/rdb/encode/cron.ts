import type { ByteSlice } from '../../bytes/slice.js';
import type { CronTimes } from '../../model/handler.js';
import { TYPE_KEYDB_CRON } from '../constants.js';
import type { ValueStart } from './key-record.js';
import { SideOutput } from './output.js';

/** KeyDB's jobs: the arguments wait in memory, as their number stands in front of them. */
export class CronEncoder {
  private readonly side: SideOutput;
  private keysLeft = 0;
  private argumentCount = 0;

  constructor(
    private readonly into: ValueStart,
    compress: boolean,
  ) {
    this.side = new SideOutput(compress);
  }

  begin(script: ByteSlice, { startMs, interval }: CronTimes, keyCount: number): void {
    const output = this.into.open(TYPE_KEYDB_CRON);
    output.text(script.bytes, script.start, script.end);
    output.int64(startMs);
    output.int64(interval);
    output.length(keyCount);
    this.keysLeft = keyCount;
    this.argumentCount = 0;
    this.side.reset();
  }

  element({ bytes, start, end }: ByteSlice): void {
    if (this.keysLeft > 0) {
      this.keysLeft--;
      this.into.output.text(bytes, start, end);
    } else {
      this.argumentCount++;
      this.side.output.text(bytes, start, end);
    }
  }

  finish(): void {
    const { output } = this.into;
    output.length(this.argumentCount);
    this.side.moveTo(output);
  }
}
