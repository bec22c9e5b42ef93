import type { ByteSource } from '../bytes/source.js';
import type { RespHandler } from '../resp/handler.js';
import type { DamagedRange, DoubtfulRange } from './damage.js';

/**
 * What a salvager tells of a log, in file order. Commands are told only once they are believed: nothing told is ever
 * taken back. Every byte from the start to the end of the file belongs to a command, an annotation, a damaged or a
 * doubtful range.
 */
export interface LogSalvageHandler extends RespHandler {
  /** Also for single records that no server loads: `aof/unknown-command`, `aof/wrong-arity`. */
  damage(range: DamagedRange): void;
  /** With `options.doubtful` told before the records, which then follow as commands; otherwise they do not. */
  doubtful(range: DoubtfulRange): void;
}

export interface LogSalvageOptions {
  /** True to tell the commands of doubtful ranges, too. */
  readonly doubtful: boolean;
  readonly signal?: AbortSignal;
  /** Called about once a chunk with the absolute offset reached. */
  readonly progress?: (offset: number) => void;
  /** Bytes asked for at a time; smaller only in tests. */
  readonly chunkBytes?: number;
}

/**
 * Reads the commands of one append-only file past every damage, from `start` (0, or just past a preamble) to its end.
 * The source must be one that can be opened anew.
 *
 * @throws InputError input/pipe at the first damage of a pipe
 */
export class LogSalvager {
  constructor(
    readonly source: ByteSource,
    readonly handler: LogSalvageHandler,
    readonly options: LogSalvageOptions,
  ) {}

  run(_start: number): Promise<void> {
    return Promise.reject(new Error('not built yet'));
  }
}
