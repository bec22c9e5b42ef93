import { pumpSource } from '../bytes/pump.js';
import type { ByteSource } from '../bytes/source.js';
import { type FormatError, InputError } from '../errors.js';
import type { LogScan } from '../kernels/log-scan.js';
import type { RespHandler } from '../resp/handler.js';
import type { PassedTransaction, PassingHandler } from '../resp/passer.js';
import type { DamagedRange, DoubtfulRange } from './damage.js';
import { isBrokenOff } from './log-evidence.js';
import type { LogMeeting } from './log-meeting.js';
import { LogProbe } from './log-probe.js';
import { resynchronise } from './log-resync.js';
import { RecordTeller } from './log-teller.js';

const CHUNK = 512 * 1024;
/** What passes over commands is so fast that asking for bytes counts. */
const SCAN_CHUNK = 1024 * 1024;
/** Short runs of records get small buffers. */
const SMALLEST_CHUNK = 4096;

/**
 * What a salvager tells of a log, in file order. Commands are told only once they are believed: nothing told is ever
 * taken back. Every byte from the start to the end of the file belongs to a command, an annotation, a damaged or a
 * doubtful range.
 */
export interface LogSalvageHandler extends RespHandler {
  /** What of its records need not be told one by one; missing: none. */
  readonly passing?: SalvagePassing;
  /** Also for single records that no server loads: `aof/unknown-command`, `aof/wrong-arity`. */
  damage(range: DamagedRange): void;
  /** With `options.doubtful` told before the records, which then follow as commands; otherwise they do not. */
  doubtful(range: DoubtfulRange): void;
}

/** Goes by records that are passed over as if each had been told. */
export interface SalvagePassing extends Omit<PassingHandler, 'passUpTo'> {
  readonly transaction: PassedTransaction;
}

export interface LogSalvageOptions {
  /** True to tell the commands of doubtful ranges, too. */
  readonly doubtful: boolean;
  readonly signal?: AbortSignal;
  /** Awaited whenever the handler is full and not stopped. */
  readonly drain?: () => Promise<void>;
  /** Called about once a chunk with the absolute offset reached. */
  readonly progress?: (offset: number) => void;
  /** Bytes asked for at a time; smaller only in tests. */
  readonly chunkBytes?: number;
  /** Passes over what is in order; null or missing: every record is looked at. Nobody else may use it meanwhile. */
  readonly scan?: LogScan | null;
  /** Who reads the log from its end backwards meanwhile; null or missing: nobody. */
  readonly meeting?: LogMeeting | null;
}

/**
 * Reads the commands of one append-only file past every damage, from `start` (0, or just past a preamble) to its end:
 * at the scanner's speed up to the first damage, and twice over the file behind it, once to see which records are to be
 * believed and once to tell them. Memory is bounded: a command that outgrows a window is told with its first arguments
 * only, as by a scanner that skims.
 *
 * The source must be one that can be opened anew: behind a damage it is read from other places. A pipe is good for a log
 * without any, and for the findings of what is read before the first.
 *
 * @throws InputError input/pipe at the first damage of a pipe, input/changed when the file was written to meanwhile
 */
export async function salvageLog(
  source: ByteSource,
  start: number,
  handler: LogSalvageHandler,
  options: LogSalvageOptions,
): Promise<void> {
  await new LogSalvager(source, handler, options).run(start);
}

/** See `salvageLog`. */
export class LogSalvager {
  private readonly probe: LogProbe;

  constructor(
    private readonly source: ByteSource,
    private readonly handler: LogSalvageHandler,
    private readonly options: LogSalvageOptions,
  ) {
    const { signal, chunkBytes, scan, meeting } = options;
    this.probe = new LogProbe(source, signal, chunkBytes, scan, meeting);
  }

  /** From the start of a record on. */
  async run(start: number): Promise<void> {
    try {
      const stop = await this.readOn(start);
      if (stop !== null) await this.goOn(stop);
    } finally {
      await this.probe.close();
    }
  }

  /**
   * From a damage that somebody else met: `start` is the offset of the record that could not be read, `error` what is
   * wrong with it. What stands before it counts as told.
   */
  async resume(start: number, error: FormatError): Promise<void> {
    try {
      await this.goOn({ start, error });
    } finally {
      await this.probe.close();
    }
  }

  private async goOn(first: Stop): Promise<void> {
    const { handler, options, probe } = this;
    for (let stop: Stop | null = first; stop !== null && !handler.stopped; ) {
      const { gaps, next } = await resynchronise(probe, stop.start, stop.error);
      for (const gap of gaps) {
        if (gap.kind === 'damage') handler.damage(gap.range);
        else handler.doubtful(gap.range);
        if (gap.kind === 'doubtful' && options.doubtful) await this.tell(gap.range.start, gap.range.end);
      }
      if (next === null) return;
      await this.tell(next.start, next.end);
      stop = next.error === null ? null : { start: next.end, error: next.error };
    }
  }

  /** Tells records up to the first damage. */
  private async readOn(start: number): Promise<Stop | null> {
    const teller = await this.pump(start, Number.POSITIVE_INFINITY);
    const { error, heldEnd, heldLoose, stoppedAt } = teller;
    if (error === null) return null;
    if (heldEnd < 0 || (await isBrokenOff(this.probe, stoppedAt, heldEnd, heldLoose)))
      return { start: stoppedAt, error };
    await this.tell(stoppedAt, heldEnd);
    return { start: heldEnd, error };
  }

  private async tell(start: number, end: number): Promise<void> {
    const { error } = await this.pump(start, end);
    if (error === null) return;
    const hint = 'work on a copy, or run again when the server is quiet';
    throw new InputError('input/changed', this.source.label, 'changed while it was being read', hint);
  }

  private async pump(start: number, end: number): Promise<RecordTeller> {
    const { source, handler, options } = this;
    const { signal, progress, drain } = options;
    // Who reads the rest has read it to its end.
    const meeting = end < (source.size ?? end) ? null : options.meeting;
    const teller = new RecordTeller(handler, start, end, options.scan, meeting);
    const most = options.chunkBytes ?? (options.scan ? SCAN_CHUNK : CHUNK);
    const chunkBytes = Math.min(most, Math.max(SMALLEST_CHUNK, end - start));
    await pumpSource(source, teller, {
      start,
      chunkBytes,
      rooms: options.scan?.rooms,
      ...(signal === undefined ? {} : { signal }),
      ...(progress === undefined ? {} : { progress }),
      drain: async () => {
        await teller.drain();
        if (handler.full) await drain?.();
      },
    });
    return teller;
  }
}

/** The start of a record that cannot be read, and what is wrong with it. */
interface Stop {
  readonly start: number;
  readonly error: FormatError;
}
