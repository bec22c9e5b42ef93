import { pumpSource } from '../bytes/pump.js';
import type { ByteSlice } from '../bytes/slice.js';
import { FormatError } from '../errors.js';
import { RdbDecoder } from '../rdb/decoder.js';
import { RdbSink } from '../rdb/handler.js';
import { SKIM } from '../resp/scanner.js';
import { type AofFileHandler, AofFileMachine } from './file.js';
import type { AofSet } from './set.js';

/**
 * Unix seconds of the last `#TS` annotation of a log, for times that count back from it; null when it has none. Reads
 * from the last file backwards only as far as needed. Damage is not its business: it answers from what stands before.
 */
export async function lastTimestamp(set: AofSet, signal?: AbortSignal): Promise<number | null> {
  for (const file of [...set.files].reverse()) {
    const finder = new Finder();
    const decoder = () => new RdbDecoder(new RdbSink(), { verifyChecksum: false, deep: false });
    const machine = new AofFileMachine(finder, decoder, SKIM);
    try {
      await pumpSource(file.source, machine, signal === undefined ? {} : { signal });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    if (finder.seconds !== null) return finder.seconds;
  }
  return null;
}

class Finder implements AofFileHandler {
  seconds: number | null = null;
  readonly full = false;
  readonly stopped = false;

  commandsStart(): void {}
  command(): void {}
  flaw(): void {}

  annotation(_line: ByteSlice, _offset: number, seconds: number): void {
    if (!Number.isNaN(seconds)) this.seconds = seconds;
  }
}
