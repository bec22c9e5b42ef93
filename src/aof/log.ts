import { type PumpOptions, pumpSource } from '../bytes/pump.js';
import { FileSource } from '../bytes/source.js';
import type { ByteWindow } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import type { Finding } from '../model/finding.js';
import { RdbDecoder, type RdbDecoderOptions } from '../rdb/decoder.js';
import type { RdbHandler } from '../rdb/handler.js';
import type { CommandSpans } from '../resp/command.js';
import type { RecordPasser } from '../resp/handler.js';
import { WHOLE } from '../resp/scanner.js';
import { type Cut, fileOfCut, type StopReason } from './cut.js';
import { AofFileMachine } from './file.js';
import { LogReader } from './log-reader.js';
import { type AofFileEntry, type AofSet, assertLoadable } from './set.js';
import type { TransactionTracker } from './transaction.js';

/** Where a command stands. One object is reused for all. */
export interface LogContext {
  readonly file: AofFileEntry;
  /** Absolute offset and bytes of the record in its file. */
  readonly offset: number;
  readonly length: number;
  /** Counted from 1 over all files, as they hold them: SELECT, MULTI and EXEC too, annotations not. */
  readonly number: number;
  /** Of the last `#TS` annotation before it, in milliseconds since the epoch; -1: none yet. */
  readonly timeMs: number;
  /** The database it works on; for SELECT, the one selected before. */
  readonly database: number;
  /** True from MULTI to EXEC, both included. */
  readonly inTransaction: boolean;
}

/** Executes commands by itself, many at a time. */
export interface CommandRunner {
  /**
   * Takes whole commands and whole transactions from the window's position on that end by the position `end`, at most
   * `most`, and moves the window past them. What of them it does not execute it gives to `apply` in its turn, with its
   * number among those taken, from 0. Returns how many it took; none when the next needs somebody else.
   */
  run(window: ByteWindow, end: number, most: number, apply: LeftCommand): number;
}

export type LeftCommand = (command: CommandSpans, index: number, inTransaction: boolean) => void;

/** Who listens to a log. */
export interface LogHandler {
  /** Asked when commands come: whoever takes them before they are told; none when missing or null. Never `full` then. */
  readonly runner?: CommandRunner | null;
  /** Memory that the runner would have the files read into. */
  readonly rooms?: PumpOptions['rooms'];
  /** A file begins, the first included: database 0 is selected again. */
  fileStart(file: AofFileEntry): void;
  /** Is told the RDB preambles. */
  readonly rdb: RdbHandler;
  /** One command that is in effect, in file order; those of a transaction only once its EXEC was seen. Borrowed. */
  apply(command: CommandSpans, context: LogContext): void;
  /** Read after every command: true makes reading wait for `drain`. */
  readonly full: boolean;
  drain(): Promise<void>;
}

/** A place between the records of a log, outside transactions, from which reading can go on. */
export interface LogPlace {
  /** Index of the file in the set. */
  readonly file: number;
  /** Absolute offset of the next record in it: past its preamble. */
  readonly offset: number;
  /** Number of the last command before it; 0: none. */
  readonly number: number;
  /** Of the last `#TS` annotation before it, in milliseconds; -1: none. */
  readonly timeMs: number;
  /** The database selected there. */
  readonly database: number;
}

export interface LogOptions {
  /** Where to begin; the beginning when absent. `fileStart` is not told of the file that is entered in the middle. */
  readonly from?: LogPlace;
  /** How RDB preambles are decoded. */
  readonly rdb: RdbDecoderOptions;
  readonly signal?: AbortSignal;
  /** Told about once a chunk: the file, and the offset reached in it. */
  readonly progress?: (file: AofFileEntry, offset: number) => void;
  /** Bytes read at a time; smaller only in tests. */
  readonly chunkBytes?: number;
}

export interface LogEnd {
  readonly stoppedAt: {
    /** Null for a set without files. */
    readonly file: AofFileEntry | null;
    /** The log up to here is what was applied: always between records and outside transactions. */
    readonly offset: number;
    /** Number of the last command applied. */
    readonly command: number;
    /** Of the last annotation before `offset`, in milliseconds; -1: none. */
    readonly timeMs: number;
    readonly reason: StopReason;
  };
  /** Commands handed over: those in effect, SELECT, MULTI and EXEC counted. */
  readonly applied: number;
  /** `#TS` annotations seen, so that a cut by time can say when there was nothing to go by. */
  readonly annotations: number;
  /** What servers load all the same, and a torn tail. */
  readonly findings: readonly Finding[];
}

/**
 * The one pass over a log that replay is made of: the base, then the increments, each command once it is in effect, up
 * to the cut. A transaction is handed over whole or not at all. A torn tail in the last file ends the log with a finding.
 *
 * @throws FormatError, its file named, when no server would load what stands before the cut
 * @throws UsageError when the cut names no file of the set or falls inside a preamble
 */
export async function readLog(
  set: AofSet,
  handler: LogHandler,
  cut: Cut,
  options: LogOptions,
): Promise<LogEnd> {
  assertLoadable(set);
  const { from } = options;
  const reader = new LogReader(handler, cut, fileOfCut(set, cut));
  for (const [i, file] of set.files.entries()) {
    if (from !== undefined && i < from.file) continue;
    const isLast = file === set.files.at(-1);
    if (i === from?.file) reader.resume(file, from);
    else reader.begin(file);
    await readFile(file, i === from?.file ? from.offset : null, isLast, reader, handler, options);
    if (reader.stopped) break;
  }
  return reader.end();
}

async function readFile(
  file: AofFileEntry,
  /** Where among the commands to begin; null: at the start of the file. */
  start: number | null,
  isLast: boolean,
  reader: LogReader,
  handler: LogHandler,
  options: LogOptions,
): Promise<void> {
  const { signal, progress, chunkBytes } = options;
  const preamble = start === null ? () => new RdbDecoder(handler.rdb, options.rdb) : null;
  const passer = (transaction: TransactionTracker): RecordPasser => ({
    pass: (window) => !transaction.open && reader.run(window),
  });
  const machine = new AofFileMachine(reader, preamble, WHOLE, passer, file.opensWithRdb);
  try {
    await pumpSource(file.source, machine, {
      start: start ?? 0,
      drain: () => reader.drain(),
      rooms: handler.rooms,
      ...(signal === undefined ? {} : { signal }),
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
      ...(progress === undefined ? {} : { progress: (offset: number) => progress(file, offset) }),
    });
    await reader.drain();
    reader.fileEnd(isLast);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const torn = error.code === 'aof/torn-tail' || error.code === 'aof/open-transaction';
    if (!torn) throw error.inFile(file.path);
    if (!isLast && !reader.endsIn(file)) throw notTheLast(error).inFile(file.path);
    await reader.drain();
    // A server that is just writing the record has not damaged anything: the log ends before it, for now.
    if (file.source instanceof FileSource && (await file.source.isGrowing()))
      reader.growingTail(machine.safeCut);
    else reader.tornTail(error, machine.safeCut);
  }
}

/** A record that the end cuts short is a tail only at the end of the log: with files behind it, servers refuse it. */
function notTheLast(error: FormatError): FormatError {
  if (error.code !== 'aof/torn-tail') return error;
  return new FormatError('aof/truncated', error.offset, error.detail);
}
