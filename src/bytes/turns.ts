import { setImmediate } from 'node:timers/promises';
import type { ByteReader } from './source.js';

/** After so many reads others have their turn: signals, and what other threads say. */
const READS = 16;

/** A reader whose reads wait rather than take turns, for a thread that others want something of. */
export class TurnTakingReader implements ByteReader {
  readonly waits = true;
  private reads = 0;

  constructor(private readonly reader: ByteReader) {}

  async read(into: Uint8Array): Promise<number> {
    if (++this.reads % READS === 0) await setImmediate();
    return this.reader.read(into);
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}
