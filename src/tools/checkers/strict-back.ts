import type { FileSource } from '../../bytes/source.js';
import type { LogScan } from '../../kernels/log-scan.js';
import { createLogScan } from '../../resp/passer.js';
import { eachPieceFromBack, pumpPiece } from '../check/log-back.js';
import type { StrictBackTask } from '../thread.js';
import { type StrictLines, StrictScan } from './strict-scan.js';

/**
 * Reads a log from its end backwards by the rules of redis-check-aof: from `offset` on, if a record starts there outside any
 * transaction, it is in order to its end.
 */
export async function scanStrictBack(
  source: FileSource,
  task: StrictBackTask,
): Promise<StrictLines & { readonly offset: number }> {
  const kernel = createLogScan();
  let line = 0;
  const offset = await eachPieceFromBack(source, task, async (reader, from, end) => {
    const scan = new PieceScan(from, task.time, kernel);
    await pumpPiece(reader, from, end, scan, kernel);
    const { ended, error, okUpTo } = scan;
    if (ended !== 'end' || error !== '' || okUpTo !== end) return null;
    line += scan.line;
    return scan.from;
  });
  return { offset, line };
}

/** Reads a piece. It may begin inside a transaction: then what is before the EXEC is left to who comes from the front. */
class PieceScan extends StrictScan {
  private closes = false;

  constructor(
    public from: number,
    time: bigint,
    kernel: LogScan | null,
  ) {
    super('', 0, time, (byte) => byte, kernel);
  }

  protected override strayExec(): boolean {
    this.closes = true;
    return true;
  }

  protected override recordEnd(offset: number): void {
    if (!this.closes) return;
    this.closes = false;
    this.from = offset;
    this.line = 0;
  }
}
