import type { ByteReader, ByteSource, FileSource, WaitingReader } from '../../bytes/source.js';
import { SkipPlan } from './passages.js';

/**
 * A file read by waiting for it, of which parts are not read: whatever stands in their place is not to be looked at.
 */
export class SkippingSource implements ByteSource {
  constructor(
    private readonly file: FileSource,
    private readonly skips: Float64Array,
  ) {}

  get label(): string {
    return this.file.label;
  }

  get size(): number {
    return this.file.size;
  }

  async open(start = 0): Promise<ByteReader> {
    return new SkippingReader(await this.file.openWaiting(), start, this.size, new SkipPlan(this.skips));
  }
}

class SkippingReader implements ByteReader {
  private closed = false;

  constructor(
    private readonly reader: WaitingReader,
    private position: number,
    private readonly size: number,
    private readonly plan: SkipPlan,
  ) {}

  async read(into: Uint8Array): Promise<number> {
    // The reads below are waited for: whoever else has something to do does it in between.
    await new Promise(setImmediate);
    let filled = 0;
    // Nobody waits for it any more, and its number may be another file's.
    if (this.closed) return 0;
    while (filled < into.length && this.position < this.size) {
      const { position, plan } = this;
      const skipped = plan.endOf(position) - position;
      if (skipped > 0) {
        const count = Math.min(skipped, into.length - filled);
        this.position += count;
        filled += count;
        continue;
      }
      const end = Math.min(plan.start, position + into.length - filled);
      this.reader.enter(position, end);
      const count = await this.reader.read(into.subarray(filled));
      if (count === 0) break;
      this.position += count;
      filled += count;
    }
    return filled;
  }

  close(): Promise<void> {
    this.closed = true;
    return this.reader.close();
  }
}
